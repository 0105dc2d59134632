//! What V8 keeps of the threads that lock an isolate, from one lock to the next.
//!
//! V8 lets a thread that takes an isolate's lock begin anew: it forgets what was asked of the isolate since the
//! thread last had it. Above all that is to install code which a thread of V8's has optimised meanwhile: a worker
//! whose turns are short would run unoptimised code for as long as no optimisation happens to end within a
//! turn, and V8 optimises none of a function's loops while it waits for one to be installed. A lock inside of an
//! unlocker is different: V8 archives the thread's state, and restores it. So whenever a thread has let go of a
//! lock, it leaves behind one more, with an unlocker inside, for its next lock to be inside of.
//!
//! What a lock has left to the thread's state (blocks of handles) would leak with an isolate that another thread
//! disposes of. So each time the state is made anew, when it is empty.
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
pub(crate) struct KeptThreads(Mutex<Vec<Kept>>);

/// A thread, and what its next lock is inside of.
#[derive(Debug)]
struct Kept {
    thread: u64,
    locker: RawLocker,
    unlocker: RawUnlocker,
}

impl Kept {
    /// # Safety
    ///
    /// As for [`KeptThreads::keep`]; there is none that was not [forgotten](Kept::forget).
    unsafe fn remember(&mut self, isolate: v8::UnsafeRawIsolatePtr) {
        // SAFETY: the isolate lives, nothing of it is entered here, and the storage is of the right size.
        unsafe {
            v8__Locker__CONSTRUCT(&raw mut self.locker, isolate);
            v8__Unlocker__CONSTRUCT(&raw mut self.unlocker, isolate);
        }
    }

    /// # Safety
    ///
    /// It was [remembered](Kept::remember) on this thread, for an isolate that lives, and not forgotten since.
    unsafe fn forget(&mut self) {
        // SAFETY: both were made on this thread, in the reverse order.
        unsafe {
            v8__Unlocker__DESTRUCT(&raw mut self.unlocker);
            v8__Locker__DESTRUCT(&raw mut self.locker);
        }
    }
}

impl KeptThreads {
    /// Has V8 keep the calling thread's state from its last lock, which it has just let go of, to its next.
    ///
    /// # Safety
    ///
    /// The isolate lives, it is always the same, and the calling thread has neither its lock nor any isolate
    /// entered.
    pub(crate) unsafe fn keep(&self, isolate: v8::UnsafeRawIsolatePtr) {
        let this = this_thread();
        let mut threads = self.0.lock();
        if let Some(kept) = threads.iter_mut().find(|kept| kept.thread == this) {
            // SAFETY: the caller's promise; it was remembered when it was put there, or here before.
            unsafe {
                kept.forget();
                kept.remember(isolate);
            }
        } else if threads.len() < MOST_THREADS {
            let mut kept = Kept {
                thread: this,
                locker: RawLocker::uninit(),
                unlocker: RawUnlocker::uninit(),
            };
            // SAFETY: the caller's promise.
            unsafe { kept.remember(isolate) };
            threads.push(kept);
        }
    }

    /// Has V8 forget the calling thread's state, which whoever disposes of an isolate must not have.
    ///
    /// # Safety
    ///
    /// As for [`KeptThreads::keep`].
    pub(crate) unsafe fn forget(&self) {
        let this = this_thread();
        let mut threads = self.0.lock();
        if let Some(place) = threads.iter().position(|kept| kept.thread == this) {
            // SAFETY: it was remembered when it was put there.
            unsafe { threads.swap_remove(place).forget() };
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
