//! What V8 keeps of the threads that lock an isolate, from one lock to the next.
//!
//! V8 lets a thread that takes an isolate's lock begin anew: it forgets what was asked of the isolate since the
//! thread last had it. Above all that is to install code which a thread of V8's has optimised meanwhile: a worker
//! whose turns are short would run unoptimised code for as long as no optimisation happens to end within a
//! turn, and V8 optimises none of a function's loops while it waits for one to be installed. A lock inside of an
//! unlocker is different: V8 archives the thread's state, and restores it. So whenever a keeper, a thread that
//! comes again and again, has let go of a lock, it leaves behind one more, with an unlocker inside, for its next lock to be
//! inside of.
//!
//! V8 does not free what an archived state owns (blocks of handles, a stack for regular expressions) with the
//! isolate. So the former is freed each time, by making the state anew, but where the keeper is to lock again at once;
//! and before an isolate is disposed of its keepers are asked to have V8 forget them, which only they can. Where one does
//! not come to that, two kilobytes are lost, and a block of handles of eight where locks had followed each other.
//!
//! What was asked for after a thread's last lock is still lost to another that comes next, until the former is back.
//!
//! Used by whoever locks an isolate, on any isolate thread.

use std::cell::OnceCell;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

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

thread_local! {
    static KEEPER: OnceCell<Arc<Keeper>> = const { OnceCell::new() };
}

/// A thread that V8 keeps a state for with each isolate that it locks. Others send it errands.
#[derive(Default)]
pub(crate) struct Keeper {
    has_errands: AtomicBool,
    errands: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Keeper {
    /// Makes the calling thread one, which [does its errands](Self::do_errands) whenever it has locked something.
    pub(crate) fn settle_here() {
        KEEPER.with(|keeper| {
            keeper.get_or_init(Arc::default);
        });
    }

    fn is_here(self: &Arc<Self>) -> bool {
        KEEPER.with(|keeper| keeper.get().is_some_and(|here| Arc::ptr_eq(here, self)))
    }

    /// Has the thread do something when it has locked an isolate the next time, which may never be.
    pub(crate) fn ask(&self, errand: impl FnOnce() + Send + 'static) {
        self.errands.lock().push(Box::new(errand));
        self.has_errands.store(true, Ordering::Release);
    }

    /// Does what the calling thread was asked for. It must hold no lock of an isolate's.
    pub(crate) fn do_errands() {
        let asked = KEEPER.with(|keeper| {
            let keeper = keeper.get()?;
            let is_asked = keeper.has_errands.load(Ordering::Relaxed)
                && keeper.has_errands.swap(false, Ordering::AcqRel);
            is_asked.then(|| keeper.clone())
        });
        let Some(keeper) = asked else {
            return;
        };
        let errands = std::mem::take(&mut *keeper.errands.lock());
        for errand in errands {
            errand();
        }
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

/// The keepers of one isolate.
#[derive(Debug, Default)]
pub(crate) struct KeptThreads(Mutex<Vec<Kept>>);

/// A keeper, and what its next lock is inside of.
#[derive(Debug)]
struct Kept {
    keeper: Arc<Keeper>,
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
    /// Where the calling thread is a keeper, has V8 keep its state from its last lock, which it has just let go
    /// of, to its next. What the state owns is freed, but where that `follows` at once.
    ///
    /// # Safety
    ///
    /// The isolate lives, it is always the same, and the calling thread has neither its lock nor any isolate
    /// entered.
    pub(crate) unsafe fn keep(&self, isolate: v8::UnsafeRawIsolatePtr, follows: bool) {
        KEEPER.with(|keeper| {
            let Some(keeper) = keeper.get() else {
                return;
            };
            let mut threads = self.0.lock();
            let kept = threads
                .iter_mut()
                .find(|kept| Arc::ptr_eq(&kept.keeper, keeper));
            if let Some(kept) = kept {
                if follows {
                    return;
                }
                // SAFETY: the caller's promise; it was remembered when it was put there, or here before.
                unsafe {
                    kept.forget();
                    kept.remember(isolate);
                }
            } else {
                let mut kept = Kept {
                    keeper: keeper.clone(),
                    locker: RawLocker::uninit(),
                    unlocker: RawUnlocker::uninit(),
                };
                // SAFETY: the caller's promise.
                unsafe { kept.remember(isolate) };
                threads.push(kept);
            }
        });
    }

    /// Has V8 forget the calling thread's state, if it keeps one.
    ///
    /// # Safety
    ///
    /// As for [`KeptThreads::keep`].
    pub(crate) unsafe fn forget(&self) {
        let mut threads = self.0.lock();
        if let Some(place) = threads.iter().position(|kept| kept.keeper.is_here()) {
            // SAFETY: it was remembered when it was put there.
            unsafe { threads.swap_remove(place).forget() };
        }
    }

    /// A keeper that V8 has not forgotten.
    pub(crate) fn any(&self) -> Option<Arc<Keeper>> {
        self.0.lock().first().map(|kept| kept.keeper.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::sync::atomic::AtomicUsize;

    use crate::limits::Limits;
    use crate::platform;
    use crate::unentered_isolate::{IsolateLock, UnenteredIsolate};

    use super::*;

    /// Runs something on a keeper.
    fn on_keeper<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
        let body = || {
            Keeper::settle_here();
            body()
        };
        let thread = platform::spawn("guests", body).expect("a thread");
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn isolate() -> UnenteredIsolate {
        UnenteredIsolate::new(&Limits::default()).expect("an isolate")
    }

    /// Runs a script to its end in a context of its own.
    fn evaluate(lock: &mut IsolateLock<'_>, script: &str) -> f64 {
        v8::scope!(let scope, &mut **lock);
        let context = v8::Context::new(scope, v8::ContextOptions::default());
        let scope = &mut v8::ContextScope::new(scope, context);
        let code = v8::String::new(scope, script).expect("a string");
        let result = v8::Script::compile(scope, code, None).and_then(|script| script.run(scope));
        let result = result.and_then(|value| value.number_value(scope));
        result.expect("a number")
    }

    unsafe extern "C" fn note(_isolate: v8::UnsafeRawIsolatePtr, noted: *mut c_void) {
        // SAFETY: the test gives the address of a counter that lives as long as the process.
        unsafe { &*noted.cast::<AtomicUsize>() }.fetch_add(1, Ordering::SeqCst);
    }

    #[test]
    fn a_keeper_does_what_it_was_asked_for_once() {
        let done = Arc::new(AtomicUsize::new(0));
        on_keeper({
            let done = done.clone();
            move || {
                let keeper = KEEPER
                    .with(|keeper| keeper.get().cloned())
                    .expect("this one");
                assert!(keeper.is_here());
                for asked in 1..=3 {
                    let counted = done.clone();
                    let errand = move || {
                        counted.fetch_add(1, Ordering::SeqCst);
                    };
                    std::thread::spawn({
                        let keeper = keeper.clone();
                        move || {
                            assert!(!keeper.is_here());
                            keeper.ask(errand);
                            // Not its errands.
                            Keeper::do_errands();
                        }
                    })
                    .join()
                    .expect("no panic");
                    assert_eq!(done.load(Ordering::SeqCst), asked - 1);
                    Keeper::do_errands();
                    Keeper::do_errands();
                    assert_eq!(done.load(Ordering::SeqCst), asked);
                }
            }
        });
    }

    /// What a thread of V8's asks for while nobody has the lock, to install the code that it has optimised, is
    /// such an interrupt too.
    #[test]
    fn what_was_asked_for_between_two_locks_is_done_in_the_second() {
        static NOTED: AtomicUsize = AtomicUsize::new(0);
        on_keeper(|| {
            let isolate = isolate();
            let lock = isolate.lock();
            let handle = lock.thread_safe_handle();
            drop(lock);
            for asked in 1..=3 {
                let noted = std::ptr::from_ref(&NOTED).cast_mut().cast();
                assert!(handle.request_interrupt(note, noted));
                let mut lock = isolate.lock();
                evaluate(&mut lock, "for (let n = 0; n < 1000; n++); 1");
                assert_eq!(NOTED.load(Ordering::SeqCst), asked);
            }
        });
    }

    #[test]
    fn any_number_of_threads_may_take_turns() {
        const THREADS: usize = 7;
        const VISITS: usize = 4;
        for last in 0..THREADS {
            let isolate = on_keeper(|| Arc::new(isolate()));
            let turn = Arc::new(AtomicUsize::new(0));
            let await_turn = |turn: &AtomicUsize, wanted| {
                while turn.load(Ordering::SeqCst) != wanted {
                    std::thread::yield_now();
                }
            };
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (isolate, turn) = (isolate.clone(), turn.clone());
                    let body = move || {
                        if thread % 3 > 0 {
                            Keeper::settle_here();
                        }
                        for visit in 0..VISITS {
                            await_turn(&turn, visit * THREADS + thread);
                            for _ in 0..1 + (thread + visit) % 4 {
                                let mut lock = isolate.lock_of_several(visit % 2 == 0);
                                assert_eq!(evaluate(&mut lock, "[1, 2].map((n) => n + 1)[1]"), 3.0);
                            }
                            turn.fetch_add(1, Ordering::SeqCst);
                        }
                        if thread == last {
                            await_turn(&turn, (VISITS + 1) * THREADS - 1);
                        } else {
                            await_turn(
                                &turn,
                                VISITS * THREADS + thread - usize::from(thread > last),
                            );
                        }
                        drop(isolate);
                        turn.fetch_add(1, Ordering::SeqCst);
                    };
                    platform::spawn("guests", body).expect("a thread")
                })
                .collect();
            drop(isolate);
            for thread in threads {
                thread.join().expect("no panic");
            }
        }
    }

    /// A termination ends with the turn that it was meant for, whichever thread has the next one.
    #[test]
    fn a_cancelled_termination_does_not_come_back() {
        on_keeper(|| {
            let isolate = isolate();
            for _ in 0..3 {
                let lock = isolate.lock();
                lock.terminate_execution();
                lock.cancel_terminate_execution();
                drop(lock);
                let mut lock = isolate.lock();
                assert_eq!(
                    evaluate(&mut lock, "for (let n = 0; n < 1000; n++); 7"),
                    7.0
                );
            }
        });
    }
}
