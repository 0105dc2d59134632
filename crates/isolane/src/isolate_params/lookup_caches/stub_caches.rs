//! V8's three stub caches: what property is found where, for places in the code that see many shapes. 360 KiB, which
//! V8 fills with empty entries at an isolate's start and after each collection.
//!
//! `src/ic/stub-cache.h`, `src/ic/stub-cache.cc`, `AccessorAssembler::TryProbeStubCacheTable` and
//! `ExternalReferenceTable::AddStubCache` say what this relies on:
//!
//! - a cache is a primary table, a secondary one and a pointer to its isolate;
//! - an entry is a key, a value and a map. Who looks for one compares the key first, a heap object, so that an
//!   entry of zeros is never found. Who replaces one does not look at it where its map is the small
//!   integer 0, which is all zeros;
//! - the isolate's own memory has a list of the addresses of the parts of both tables' first entries, for each
//!   cache in turn;
//! - only the thread that runs the isolate touches any of it.

use std::ops::Range;

use super::{WORD, words_at};

const ENTRY: usize = 3 * WORD;
const PRIMARY: usize = 4096 * ENTRY;
const SECONDARY: usize = 1024 * ENTRY;

const CACHES: usize = 3;
/// The words of the list that are one cache's.
const LISTED: usize = 6;

/// How many words of an isolate are searched for the list. An isolate has twice as many.
const SEARCHED: usize = 4096;

/// The addresses of the isolate's stub caches; none where they are not certain.
pub(super) fn find(isolate: *mut usize) -> Vec<Range<usize>> {
    // SAFETY: in the release that was read an isolate begins there and has more words than these. Other threads write
    // to some of them, atomically.
    let words = unsafe { words_at(isolate, SEARCHED) };
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

#[cfg(test)]
mod tests {
    use crate::isolate_params::GuardedIsolate;
    use crate::limits::Limits;

    use super::super::{address, give_back};
    use super::*;

    #[test]
    fn the_caches_of_this_release_are_found() {
        let found = std::thread::spawn(|| {
            let mut isolate = GuardedIsolate::new(&Limits::default());
            find(address(&mut isolate)).len()
        });
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
        let entries = find(address(isolate))
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
