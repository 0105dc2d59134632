//! Memory that an isolate at rest need not hold: V8's three stub caches, 360 KiB, which a collection fills with
//! empty entries. It goes back to the system and reads as zeros, which are empty entries too.
//!
//! This knows how V8 lays them out, which no interface promises. It does nothing where V8 is another release than
//! the one whose source was read for it, or where it does not find what it knows.
//!
//! On the thread that has locked the isolate.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The release whose `src/ic/stub-cache.h`, `src/ic/stub-cache.cc`, `AccessorAssembler::TryProbeStubCacheTable`
/// and `ExternalReferenceTable::AddStubCache` say what this relies on:
///
/// - a cache is a primary table, a secondary one and a pointer to its isolate;
/// - an entry is a key, a value and a map. Who looks for one compares the key first, a heap object, so that an
///   entry of zeros is never found. Who replaces one does not look at it where its map is the small
///   integer 0, which is all zeros;
/// - the isolate's own memory has a list of the addresses of the parts of both tables' first entries, for each
///   cache in turn;
/// - only the thread that runs the isolate touches any of it.
const READ_RELEASE: &str = "15.2.124.1";

const WORD: usize = size_of::<usize>();
const ENTRY: usize = 3 * WORD;
const PRIMARY: usize = 4096 * ENTRY;
const SECONDARY: usize = 1024 * ENTRY;

const CACHES: usize = 3;
/// The words of the list that are one cache's.
const LISTED: usize = 6;

/// How many words of an isolate are searched for the list. An isolate has twice as many.
const SEARCHED: usize = 4096;

/// Gives back the memory of an isolate's stub caches, and with it what they hold.
pub(crate) fn give_back(isolate: &mut v8::Isolate) {
    find(isolate).into_iter().for_each(discard);
}

/// The addresses of the isolate's stub caches; none where they are not certain.
fn find(isolate: &mut v8::Isolate) -> Vec<Range<usize>> {
    if !v8::VERSION_STRING.starts_with(READ_RELEASE) {
        return Vec::new();
    }
    // SAFETY: a pointer that wraps a pointer, used for nothing but the isolate's address while the isolate lives.
    let isolate: *mut usize = unsafe {
        std::mem::transmute::<v8::UnsafeRawIsolatePtr, *mut usize>(isolate.as_raw_isolate_ptr())
    };
    let words: Vec<usize> = (0..SEARCHED)
        // SAFETY: in this release an isolate begins there and has more words than these, aligned as such. Other
        // threads write to some of them, atomically.
        .map(|at| unsafe { AtomicUsize::from_ptr(isolate.add(at)) }.load(Ordering::Relaxed))
        .collect();
    let mut lists = words.windows(CACHES * LISTED);
    let caches = lists.find_map(|list| list.chunks(LISTED).map(listed).collect::<Option<Vec<_>>>());
    let mut caches = caches.unwrap_or_default();
    // SAFETY: eighteen addresses in a row that are those of the parts of three caches are the list; so there is a
    // cache before each end, and its last word there.
    caches.retain(|cache| unsafe { *(cache.end as *const *mut usize) } == isolate);
    caches
}

/// The cache whose part of the list this is, if it can be that: up to its last word.
fn listed(list: &[usize]) -> Option<Range<usize>> {
    let primary = *list.first().filter(|first| **first > 0)?;
    let secondary = primary.checked_add(PRIMARY)?;
    let end = secondary.checked_add(SECONDARY)?;
    let parts = [primary, secondary].map(|entry| [entry, entry + WORD, entry + 2 * WORD]);
    (list == parts.as_flattened()).then_some(primary..end)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn discard(cache: Range<usize>) {
    let page = rustix::param::page_size();
    let (first, end) = (
        cache.start.next_multiple_of(page),
        cache.end - cache.end % page,
    );
    if first < end {
        // SAFETY: all of these pages are the cache's, which is private memory of malloc's: they read as zeros from now
        // on, which is a state that the cache may be in. It is not being read: the caller has locked its isolate.
        unsafe { libc::madvise(first as *mut libc::c_void, end - first, libc::MADV_DONTNEED) };
    }
}

/// Elsewhere what a program gives back it need not read as zeros.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn discard(_cache: Range<usize>) {}

#[cfg(test)]
mod tests {
    use crate::limits::Limits;

    use super::super::GuardedIsolate;
    use super::*;

    #[test]
    fn the_caches_of_this_release_are_found() {
        let found = std::thread::spawn(|| find(&mut GuardedIsolate::new(&Limits::default())).len());
        assert_eq!(found.join().expect("it returns"), CACHES);
    }

    /// Looks properties up by the caches: of more shapes than V8 keeps apart at one place.
    const SHAPES: &str = "
        globalThis.shapes ??= Array.from({ length: 500 }, (_, n) => ({ ['own' + n]: n, shared: n }));
        globalThis.sum ??= function () {
            let sum = 0;
            for (const shape of shapes) sum += shape.shared;
            for (const shape of shapes) shape.shared += 1;
            for (const shape of shapes) sum += ({ ...shape, other: 1 }).shared;
            return sum;
        };
        sum()";

    /// How many entries the isolate's caches have.
    fn maps_in(isolate: &mut v8::Isolate) -> usize {
        let entries = find(isolate)
            .into_iter()
            .flat_map(|cache| cache.step_by(ENTRY));
        // SAFETY: it is an entry of a cache of this isolate's, which this thread has entered.
        let maps = entries.map(|entry| unsafe { *((entry + 2 * WORD) as *const usize) });
        maps.filter(|map| *map != 0).count()
    }

    #[test]
    fn properties_are_found_all_the_same() {
        let test = std::thread::spawn(|| {
            let mut isolate = GuardedIsolate::new(&Limits::default());
            let context = {
                v8::scope!(let scope, &mut *isolate);
                let context = v8::Context::new(scope, v8::ContextOptions::default());
                v8::Global::new(scope, context)
            };
            let mut most = 0;
            for round in 0..50_u32 {
                let sum = {
                    v8::scope_with_context!(let scope, &mut *isolate, &context);
                    let source = v8::String::new(scope, SHAPES);
                    let script = v8::Script::compile(scope, source.expect("short"), None);
                    let value = script.and_then(|script| script.run(scope));
                    value.and_then(|value| value.uint32_value(scope))
                };
                assert_eq!(sum, Some(2 * (499 * 250 + 500 * round) + 500));
                if round % 7 == 6 {
                    isolate.low_memory_notification();
                }
                if round % 2 == 1 {
                    let before = maps_in(&mut isolate);
                    give_back(&mut isolate);
                    let after = maps_in(&mut isolate);
                    assert!(after <= before / 5, "{after} of {before} entries are left");
                    most = most.max(before);
                }
            }
            assert!(most > 500, "{most} entries at most");
        });
        test.join().expect("it returns");
    }

    #[test]
    fn lists_of_anything_else_are_not_taken_for_one() {
        let list = |at: usize| {
            [
                at,
                at + 8,
                at + 16,
                at + PRIMARY,
                at + PRIMARY + 8,
                at + PRIMARY + 16,
            ]
        };
        assert_eq!(listed(&list(4096)), Some(4096..4096 + PRIMARY + SECONDARY));
        assert_eq!(listed(&list(0)), None);
        assert_eq!(listed(&[4096, 4104, 4112, 4120, 4128, 4136]), None);
        assert_eq!(listed(&[usize::MAX; LISTED]), None);
    }
}
