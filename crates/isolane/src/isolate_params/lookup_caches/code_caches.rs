//! V8's two caches of what code is at an address, which it asks where it walks the stack: of functions (64 KiB) and of
//! WebAssembly (48 KiB). They are empty where no stack was walked since the last collection.
//!
//! `src/execution/frames.h`, `src/wasm/wasm-code-manager.h` and `Isolate::Init` say what this relies on:
//!
//! - the isolate points to each, and to nothing else of their sizes that malloc gave;
//! - only the thread that runs the isolate touches them.
//!
//! Pages of them that read as zeros already are all that goes back, so that it does not matter what is in them.

use std::ops::Range;

use super::{WORD, pages_in, words_at};

/// What V8 asks malloc for: a pointer to the isolate and 1,024 entries of 64 bytes; 1,024 entries of 48.
const SIZES: [usize; 2] = [WORD + 1024 * 64, 1024 * 48];

/// How far from its isolate a cache is at most: what is one of malloc's arenas.
const ARENA: usize = 64 << 20;

/// Pages of the isolate's code caches that are empty.
pub(super) fn empty_pages(isolate: *mut usize) -> Vec<Range<usize>> {
    let page = rustix::param::page_size();
    find(isolate)
        .into_iter()
        .flat_map(|cache| pages_in(cache).step_by(page))
        .filter(|start| {
            // SAFETY: malloc has given all of the page to the isolate, which this thread has locked.
            let words = unsafe { words_at(*start as *mut usize, page / WORD) };
            words.iter().all(|word| *word == 0)
        })
        .map(|start| start..start + page)
        .collect()
}

/// The addresses of the isolate's code caches; none where they are not certain.
fn find(isolate: *mut usize) -> Vec<Range<usize>> {
    // SAFETY: in the release that was read an isolate's memory is what `posix_memalign` gave.
    let bytes = unsafe { libc::malloc_usable_size(isolate.cast()) };
    // SAFETY: it has as many. Other threads write to some of them, atomically.
    let words = unsafe { words_at(isolate, bytes / WORD) };
    let nearby = words.into_iter().filter(|word| {
        word.is_multiple_of(2 * WORD) && word.abs_diff(isolate.addr()) < ARENA && *word != 0
    });
    let sized: Vec<(usize, usize)> = nearby
        .filter_map(|word| Some((word, chunk_size(word)?)))
        .collect();
    SIZES
        .into_iter()
        .filter_map(|size| {
            let mut of_size = sized.iter().filter(|(_, chunk)| *chunk == chunk_of(size));
            let (start, _) = of_size.next()?;
            of_size.next().is_none().then_some(*start..start + size)
        })
        .collect()
}

/// The size of what malloc cuts off for so many bytes: with a word before them that says it.
const fn chunk_of(bytes: usize) -> usize {
    (bytes + WORD).next_multiple_of(2 * WORD)
}

/// The size in the word before an address, where there is memory: it is malloc's where the address is, too.
fn chunk_size(address: usize) -> Option<usize> {
    const FLAGS: usize = 0b111;
    let mut word = 0_usize;
    let here = libc::iovec {
        iov_base: (&raw mut word).cast(),
        iov_len: WORD,
    };
    let there = libc::iovec {
        iov_base: (address - WORD) as *mut _,
        iov_len: WORD,
    };
    // SAFETY: it writes one word to `here`, which is one, and says so where it cannot read `there`.
    let read = unsafe { libc::process_vm_readv(libc::getpid(), &here, 1, &there, 1, 0) };
    (read == WORD as isize).then_some(word & !FLAGS)
}

#[cfg(test)]
mod tests {
    use crate::isolate_params::GuardedIsolate;
    use crate::limits::Limits;

    use super::super::{address, give_back};
    use super::*;

    fn with_isolate<T: Send + 'static>(test: fn(&mut v8::Isolate) -> T) -> T {
        let test = move || test(&mut GuardedIsolate::new(&Limits::default()));
        std::thread::spawn(test).join().expect("it returns")
    }

    #[test]
    fn the_caches_of_this_release_are_found() {
        let found = with_isolate(|isolate| find(address(isolate)));
        let sizes: Vec<usize> = found.iter().map(ExactSizeIterator::len).collect();
        assert_eq!(sizes, SIZES);
    }

    /// Has V8 walk the stack through functions of all kinds, and says what it found.
    const WALK: &str = "
        globalThis.module ??= new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([
            0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 109, 1, 102, 0, 0, 3, 2, 1, 0,
            7, 5, 1, 1, 103, 0, 1, 10, 6, 1, 4, 0, 16, 0, 11,
        ])), { m: { f: () => { throw new Error('thrown'); } } });
        globalThis.walk ??= function walk(depth) {
            if (depth > 0) return [depth].map(() => walk(depth - 1))[0];
            try { module.exports.g(); } catch (error) { return error.stack; }
        };
        Error.stackTraceLimit = 100;
        const stack = walk(10);
        [/wasm-function/, /Array.map/, /walk/g].map((part) => stack.match(part)?.length).join()";

    #[test]
    fn what_is_empty_goes_and_what_is_in_use_stays() {
        with_isolate(|isolate| {
            let context = {
                v8::scope!(let scope, &mut *isolate);
                let context = v8::Context::new(scope, v8::ContextOptions::default());
                v8::Global::new(scope, context)
            };
            let of_new = empty_pages(address(isolate)).len();
            for round in 0..50 {
                let walked = {
                    v8::scope_with_context!(let scope, &mut *isolate, &context);
                    let source = v8::String::new(scope, &format!("{{ {WALK} }}"));
                    let script = v8::Script::compile(scope, source.expect("short"), None);
                    let value = script.and_then(|script| script.run(scope));
                    value.map(|value| value.to_rust_string_lossy(scope))
                };
                assert_eq!(walked.as_deref(), Some("1,1,11"));
                assert!(empty_pages(address(isolate)).len() < of_new);
                if round % 7 == 6 {
                    isolate.low_memory_notification();
                }
                give_back(isolate);
            }
        });
    }

    #[test]
    fn memory_that_cannot_be_read_has_no_size() {
        assert_eq!(chunk_size(2 * WORD), None);
        let held = vec![0_u8; 12_345];
        assert_eq!(chunk_size(held.as_ptr().addr()), Some(chunk_of(12_345)));
    }
}
