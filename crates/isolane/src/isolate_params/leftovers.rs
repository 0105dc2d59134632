//! What isolates leave behind when they go or are collected, in V8's pool of pages and in malloc's lists, for those
//! that come: given back to the system once none has wanted it for a second.
//!
//! V8 gives pages back only as long as isolates fill and empty others, malloc (glibc's) next to nothing: of a
//! hundred idle tenants that have gone, four fifths of the memory would stay for good, of the buffers of a request that a
//! limit has ended most.
//!
//! Any thread counts isolates; one that is made for it gives back.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use crate::limits::Limits;
use crate::{outbound, platform};

use super::GuardedIsolate;

/// So many isolates' memory is worth the time to give it back: some milliseconds, and those of isolates that come later.
const WORTH_IT: usize = 8;

/// How long memory is kept for isolates that may come.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// What an isolate holds that has done little.
const USUAL_BYTES: usize = 1 << 20;

static CENSUS: Mutex<Census> = Mutex::new(Census {
    living: 0,
    wanted: 0,
    held: 0,
    is_watched: false,
});

/// How many isolates there are, and how many there is memory for.
struct Census {
    living: usize,
    /// The most there were since the last look.
    wanted: usize,
    /// The most there were since memory was given back.
    held: usize,
    is_watched: bool,
}

impl Census {
    /// Whether there is memory for more than so many, by what is worth giving back.
    fn exceeds(&self, isolates: usize) -> bool {
        isolates + WORTH_IT <= self.held
    }

    /// Looks what was not wanted since the last time; says whether that is worth giving back.
    fn look(&mut self) -> bool {
        let wanted = std::mem::replace(&mut self.wanted, self.living);
        let is_worth_it = self.exceeds(wanted);
        if is_worth_it {
            self.held = wanted;
        }
        self.is_watched = self.exceeds(self.living);
        is_worth_it
    }
}

/// An isolate was made.
pub(super) fn isolate_came() {
    let mut census = CENSUS.lock();
    census.living += 1;
    census.wanted = census.wanted.max(census.living);
    census.held = census.held.max(census.living);
}

/// An isolate is about to go whose heap was large: some of that may stay.
pub(super) fn will_leave(heap_bytes: usize) {
    CENSUS.lock().held += heap_bytes / USUAL_BYTES;
}

/// So many bytes were freed in an isolate that stays, and has nothing to do.
pub(crate) fn were_freed(bytes: usize) {
    let mut census = CENSUS.lock();
    census.held += bytes / USUAL_BYTES;
    have_watched(census);
}

/// An isolate is gone.
pub(super) fn isolate_left() {
    let mut census = CENSUS.lock();
    census.living -= 1;
    have_watched(census);
}

/// Has it looked at, until it is given back or wanted, that there is memory for more isolates than there are.
fn have_watched(mut census: MutexGuard<'_, Census>) {
    if !census.is_watched && census.exceeds(census.living) {
        census.is_watched = true;
        census.wanted = census.living;
        drop(census);
        outbound::scheduler().spawn(watch());
    }
}

async fn watch() {
    loop {
        tokio::time::sleep(KEPT_FOR).await;
        let (is_worth_it, is_done) = {
            let mut census = CENSUS.lock();
            (census.look(), !census.is_watched)
        };
        if is_worth_it {
            // Where no thread can be made, memory is not what is short.
            let _ = platform::spawn("isolane-freeing", give_back);
        }
        if is_done {
            return;
        }
    }
}

fn give_back() {
    let mut isolate = GuardedIsolate::new(&Limits::default());
    // Of the pool that all isolates share, which only this empties.
    isolate.memory_pressure_notification(v8::MemoryPressureLevel::Critical);
    drop(isolate);
    trim_malloc();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim_malloc() {
    // SAFETY: malloc_trim may be called at any time, from any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim_malloc() {}

#[cfg(test)]
mod tests {
    use super::*;

    fn census(living: usize, wanted: usize, held: usize) -> Census {
        Census {
            living,
            wanted,
            held,
            is_watched: true,
        }
    }

    #[test]
    fn memory_that_was_wanted_meanwhile_is_kept() {
        let mut census = census(2, 30, 30);
        assert!(!census.look());
        assert!(census.is_watched, "it may not be wanted from now on");
        assert!(census.look());
        assert_eq!((census.held, census.is_watched), (2, false));
    }

    #[test]
    fn memory_of_few_isolates_is_kept() {
        let mut census = census(10, 10, 10 + WORTH_IT - 1);
        assert!(!census.look());
        assert!(!census.is_watched);
    }

    #[test]
    fn what_goes_between_two_looks_goes_with_the_second() {
        let mut census = census(10, 20, 40);
        assert!(census.look());
        assert_eq!((census.held, census.is_watched), (20, true));
        assert!(census.look());
        assert_eq!((census.held, census.is_watched), (10, false));
    }
}
