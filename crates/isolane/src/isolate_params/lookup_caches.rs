//! Memory that an isolate at rest need not hold: tables in which V8 looks up what it has found before, 470 KiB, most
//! of it empty. It goes back to the system, and reads as zeros from then on, which are empty entries.
//!
//! This knows how V8 lays the tables out, which no interface promises. It does nothing where V8 is another release than
//! the one whose source was read for it, or where it does not find what it knows.
//!
//! On the thread that has locked the isolate.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod code_caches;
mod stub_caches;

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The release whose source says what `stub_caches.rs` and `code_caches.rs` rely on.
const READ_RELEASE: &str = "15.2.124.1";

const WORD: usize = size_of::<usize>();

/// Gives back the memory of an isolate's lookup caches, and with it what they hold.
pub(crate) fn give_back(isolate: &mut v8::Isolate) {
    if v8::VERSION_STRING.starts_with(READ_RELEASE) {
        let isolate = address(isolate);
        stub_caches::find(isolate).into_iter().for_each(discard);
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        code_caches::empty_pages(isolate)
            .into_iter()
            .for_each(discard);
    }
}

fn address(isolate: &mut v8::Isolate) -> *mut usize {
    // SAFETY: a pointer that wraps a pointer, used for nothing but the isolate's address while the isolate lives.
    unsafe {
        std::mem::transmute::<v8::UnsafeRawIsolatePtr, *mut usize>(isolate.as_raw_isolate_ptr())
    }
}

/// The first words of what is there.
///
/// # Safety
///
/// There are as many, aligned as such, that nobody writes to unless atomically.
unsafe fn words_at(address: *mut usize, count: usize) -> Vec<usize> {
    (0..count)
        // SAFETY: as the caller promises.
        .map(|at| unsafe { AtomicUsize::from_ptr(address.add(at)) }.load(Ordering::Relaxed))
        .collect()
}

/// Gives back the pages that lie wholly in these addresses, which are of a cache of an isolate that this thread has
/// locked.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn discard(part: Range<usize>) {
    let pages = pages_in(part);
    if !pages.is_empty() {
        // SAFETY: all of these pages are the cache's, which is private memory of malloc's: they read as zeros from now
        // on, which is a state that the cache may be in. It is not being read: the caller has locked its isolate.
        unsafe { libc::madvise(pages.start as *mut _, pages.len(), libc::MADV_DONTNEED) };
    }
}

/// Elsewhere what a program gives back it need not read as zeros.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn discard(_part: Range<usize>) {}

/// The whole pages among these addresses.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn pages_in(part: Range<usize>) -> Range<usize> {
    let page = rustix::param::page_size();
    part.start.next_multiple_of(page)..part.end - part.end % page
}
