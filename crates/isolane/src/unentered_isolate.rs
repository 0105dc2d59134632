//! An isolate that is entered on no thread until one locks it, and the witness of that lock.
//!
//! The names cross upstream's: what is called `UnenteredIsolate` here is `v8::SharedIsolate` there,
//! while our [`SharedIsolate`](crate::SharedIsolate) is bound to one thread. Upstream's is always
//! written with its path.

use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::error::Error;
use crate::isolate_params::{self, IsolateGuards};
use crate::kept_threads::{Keeper, KeptThreads};
use crate::limits::Limits;
use crate::platform;

/// An isolate that any isolate thread may lock, one at a time.
#[derive(Debug)]
pub struct UnenteredIsolate {
    isolate: v8::SharedIsolate,
    threads: KeptThreads,
    // After `isolate`: V8 may call the guards until the isolate is disposed of.
    guards: DisposalGuards,
}

/// What is to be done once the isolate before it in a struct is gone.
#[derive(Debug)]
struct DisposalGuards(IsolateGuards);

impl Drop for DisposalGuards {
    fn drop(&mut self) {
        self.0.after_dispose();
    }
}

impl UnenteredIsolate {
    /// Makes an isolate that no thread has entered.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG` on a thread that [`platform::spawn`] did not make.
    pub fn new(limits: &Limits) -> Result<Self, Error> {
        if !platform::is_isolate_thread() {
            return Err(Error::invalid_arg(
                "thread",
                "one made by isolane::platform::spawn",
                "another thread",
            ));
        }
        let (isolate, guards) = isolate_params::create(limits);
        // SAFETY: the isolate was made on this thread just now, and all that is attached to it (the
        // guards, plain function pointers) is Send; later only `RealmState` is attached, as a
        // pointer that is set and cleared within one turn, under the lock.
        let shared = unsafe { isolate.try_into_shared() };
        match shared {
            Ok(isolate) => Ok(Self {
                isolate,
                threads: KeptThreads::default(),
                guards: DisposalGuards(guards),
            }),
            Err(error) => Err(Error::internal(error.to_string())),
        }
    }

    /// Takes the isolate's lock and enters it on this thread, for one turn or a batch of them.
    ///
    /// # Panics
    ///
    /// Where this thread is inside an isolate already. A lane never is: it runs one isolate at a
    /// time and holds no lock across an await.
    pub fn lock(&self) -> IsolateLock<'_> {
        self.lock_of_several(false)
    }

    /// The same, where it is known whether the thread's next lock of the isolate follows at once.
    pub(crate) fn lock_of_several(&self, next_follows: bool) -> IsolateLock<'_> {
        IsolateLock {
            locker: ManuallyDrop::new(self.isolate.lock()),
            threads: &self.threads,
            next_follows,
        }
    }

    /// Has V8 forget the calling thread, which holds no lock; a keeper that is still to be asked to do the same
    /// before the isolate is dropped.
    pub(crate) fn forget_thread(&self) -> Option<Arc<Keeper>> {
        // SAFETY: the isolate lives as long as `self`; the caller has no lock.
        unsafe { self.threads.forget() };
        self.threads.any()
    }

    pub(crate) fn guards(&self) -> &IsolateGuards {
        &self.guards.0
    }
}

impl Drop for UnenteredIsolate {
    fn drop(&mut self) {
        self.guards.0.before_dispose();
        let _ = self.forget_thread();
    }
}

/// Proof that this thread holds an isolate's lock; dereferences to the isolate.
pub struct IsolateLock<'a> {
    locker: ManuallyDrop<v8::Locker<'a>>,
    threads: &'a KeptThreads,
    next_follows: bool,
}

impl Drop for IsolateLock<'_> {
    fn drop(&mut self) {
        // SAFETY: the pointer is only given to V8's lock, while the isolate lives.
        let isolate = unsafe { self.locker.as_raw_isolate_ptr() };
        // SAFETY: it is dropped here only.
        unsafe { ManuallyDrop::drop(&mut self.locker) };
        // SAFETY: what is locked lives for longer than its lock, which was let go of; V8's binding gave it only to a thread
        // that had no other isolate entered.
        unsafe { self.threads.keep(isolate, self.next_follows) };
    }
}

impl Deref for IsolateLock<'_> {
    type Target = v8::Isolate;

    fn deref(&self) -> &v8::Isolate {
        &self.locker
    }
}

impl DerefMut for IsolateLock<'_> {
    fn deref_mut(&mut self) -> &mut v8::Isolate {
        &mut self.locker
    }
}
