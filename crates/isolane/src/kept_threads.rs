//! What V8 keeps of the threads that lock an isolate, from one lock to the next.
//!
//! V8 lets a thread that takes an isolate's lock begin anew: it forgets what was asked of the isolate since the
//! thread last had it. Above all that is to install code which a thread of V8's has optimised meanwhile: a worker
//! whose turns are short would run unoptimised code for as long as no optimisation happens to end within a
//! turn, and V8 optimises none of a function's loops while it waits for one to be installed. A lock inside of an
//! unlocker is different: V8 archives the thread's state, and restores it. So all locks of a thread are inside of one that
//! it took first, and of an unlocker.
//!
//! What was asked for after a thread's last lock is still lost to another that comes next, until the former is back.
//!
//! Used by whoever locks an isolate, on any isolate thread.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// For how many threads V8 keeps a state, of about two kilobytes, at most.
const MOST_THREADS: usize = 16;

/// Storage for a `v8::Locker`, of the size that the binding asserts. It is two words that own nothing, and may be moved.
type RawLocker = MaybeUninit<[usize; 2]>;

/// Storage for a `v8::Unlocker`, of which the same is true.
type RawUnlocker = MaybeUninit<usize>;

// The binding's own, which its `Locker` and `Locker::unlock` are made of. The latter unlocks for the time of
// a closure only.
unsafe extern "C" {
    fn v8__Locker__CONSTRUCT(storage: *mut RawLocker, isolate: v8::UnsafeRawIsolatePtr);
    fn v8__Locker__DESTRUCT(locker: *mut RawLocker);
    fn v8__Unlocker__CONSTRUCT(storage: *mut RawUnlocker, isolate: v8::UnsafeRawIsolatePtr);
    fn v8__Unlocker__DESTRUCT(unlocker: *mut RawUnlocker);
}

/// The threads for which V8 keeps a state with one isolate.
#[derive(Debug, Default)]
pub(crate) struct KeptThreads {
    /// The thread that had the lock last, for which nothing is to be done any more. Written under the lock.
    latest: AtomicU64,
    kept: Mutex<Vec<Kept>>,
}

/// A thread, and what all of its locks are inside of.
#[derive(Debug)]
struct Kept {
    thread: u64,
    locker: RawLocker,
    unlocker: RawUnlocker,
}

impl KeptThreads {
    /// Notes that the calling thread has the lock; whether V8 is to keep its state from now on.
    pub(crate) fn note(&self) -> bool {
        let this = this_thread();
        if self.latest.load(Ordering::Relaxed) == this {
            return false;
        }
        self.latest.store(this, Ordering::Relaxed);
        let kept = self.kept.lock();
        kept.len() < MOST_THREADS && kept.iter().all(|kept| kept.thread != this)
    }

    /// Has V8 keep the calling thread's state.
    ///
    /// # Safety
    ///
    /// The isolate lives, and the calling thread has neither its lock nor any isolate entered.
    pub(crate) unsafe fn keep(&self, isolate: v8::UnsafeRawIsolatePtr) {
        let mut kept = Kept {
            thread: this_thread(),
            locker: RawLocker::uninit(),
            unlocker: RawUnlocker::uninit(),
        };
        // SAFETY: the isolate lives, nothing of it is entered here, and the storage is of the right size.
        unsafe {
            v8__Locker__CONSTRUCT(&raw mut kept.locker, isolate);
            v8__Unlocker__CONSTRUCT(&raw mut kept.unlocker, isolate);
        }
        self.kept.lock().push(kept);
    }

    /// Has V8 forget the calling thread's state, which whoever disposes of an isolate must not have.
    ///
    /// # Safety
    ///
    /// As for [`KeptThreads::keep`].
    pub(crate) unsafe fn forget(&self) {
        let this = this_thread();
        let mut threads = self.kept.lock();
        if let Some(place) = threads.iter().position(|kept| kept.thread == this) {
            let mut kept = threads.swap_remove(place);
            // SAFETY: both were made on this thread, in the reverse order, for an isolate that lives.
            unsafe {
                v8__Unlocker__DESTRUCT(&raw mut kept.unlocker);
                v8__Locker__DESTRUCT(&raw mut kept.locker);
            }
        }
    }
}

/// A number that no other thread has had.
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static THIS: Cell<u64> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    THIS.get()
}
