//! Where isolates begin and end without a request that waits for it: a thread drops those that left the
//! pool, makes one ahead for the next worker that needs one, and looks for those that are to be collected
//! (`cooling.rs`). A drop takes a fifth of a millisecond,
//! making one several. Where the thread falls behind with drops, those who make isolates help, so that
//! what waits to be dropped stays bounded.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};

use crossbeam_queue::SegQueue;
use parking_lot::Mutex;

use crate::error::Error;
use crate::limits::Limits;
use crate::locker_managed_isolate::LockerManagedIsolate;
use crate::platform;
use crate::thread_priority;

use super::cooling;
use super::core::Pool;

/// How many isolates may wait for the reaper's thread.
const BACKLOG: usize = 4;

/// What the thread is asked to do.
enum Errand {
    /// Drop one isolate that has left.
    Drop,
    /// Make a spare one.
    Make(Limits),
    /// Look at a pool's isolates from time to time.
    Watch(Weak<Pool>),
}

/// Takes isolates to their end, and has one ready.
pub(crate) struct Reaper {
    leaving: Arc<SegQueue<LockerManagedIsolate>>,
    spare: Arc<Mutex<Spare>>,
    errands: Mutex<Sender<Errand>>,
}

/// The isolate that is made ahead.
#[derive(Default)]
enum Spare {
    #[default]
    None,
    Coming,
    Ready(Box<LockerManagedIsolate>),
    /// The pool is closed: none is wanted any more.
    Unwanted,
}

impl Reaper {
    pub(crate) fn start() -> Result<Self, Error> {
        let leaving = Arc::new(SegQueue::new());
        let spare = Arc::<Mutex<Spare>>::default();
        let (sender, errands) = mpsc::channel();
        let (queue, place) = (leaving.clone(), spare.clone());
        platform::spawn("isolane-reaper", move || {
            thread_priority::lower_most();
            let mut watched = None;
            while let Some(errand) = next_errand(&errands, &mut watched) {
                match errand {
                    Errand::Drop => drop::<Option<LockerManagedIsolate>>(queue.pop()),
                    Errand::Make(limits) => make(&place, limits),
                    Errand::Watch(pool) => watched = Some(pool),
                }
            }
            // Here, since whoever drops the pool may not enter isolates.
            let spare = std::mem::replace(&mut *place.lock(), Spare::Unwanted);
            drop(spare);
        })
        .map_err(|error| Error::internal(format!("the reaper's thread: {error}")))?;
        Ok(Self {
            leaving,
            spare,
            errands: Mutex::new(sender),
        })
    }

    /// Has an isolate dropped, soon.
    pub(crate) fn take(&self, isolate: LockerManagedIsolate) {
        self.leaving.push(isolate);
        // The receiver lives until the sender is gone.
        let _ = self.errands.lock().send(Errand::Drop);
    }

    /// Drops what the thread has not come to, on a thread that may enter isolates.
    pub(crate) fn help(&self) {
        while self.leaving.len() > BACKLOG {
            drop(self.leaving.pop());
        }
    }

    /// The isolate that was made ahead, where there is one that suits. On a thread that may enter isolates.
    pub(crate) fn spare(&self, limits: &Limits) -> Option<LockerManagedIsolate> {
        let ready = {
            let mut spare = self.spare.lock();
            match std::mem::take(&mut *spare) {
                Spare::Ready(isolate) => Some(*isolate),
                other => {
                    *spare = other;
                    None
                }
            }
        };
        // One that does not suit is in the way of one that would: workers with these limits come now.
        ready.filter(|isolate| isolate.suits(limits))
    }

    /// Has a pool's isolates looked at until none wants it any more.
    pub(super) fn watch(&self, pool: Weak<Pool>) {
        let _ = self.errands.lock().send(Errand::Watch(pool));
    }

    /// Has an isolate made ahead, unless there is one.
    pub(crate) fn make_spare(&self, limits: Limits) {
        let mut spare = self.spare.lock();
        if matches!(*spare, Spare::None) {
            *spare = Spare::Coming;
            let _ = self.errands.lock().send(Errand::Make(limits));
        }
    }

    /// Has no isolate made ahead any more, and drops the one that was. On a thread that may enter isolates.
    pub(crate) fn close(&self) {
        let spare = std::mem::replace(&mut *self.spare.lock(), Spare::Unwanted);
        drop(spare);
    }
}

/// The next errand; `None` when nobody can send any more. Looks at the watched pool meanwhile.
fn next_errand(errands: &Receiver<Errand>, watched: &mut Option<Weak<Pool>>) -> Option<Errand> {
    loop {
        let Some(pool) = watched else {
            return errands.recv().ok();
        };
        match errands.recv_timeout(cooling::LOOK_EVERY) {
            Ok(errand) => return Some(errand),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                if !cooling::look(pool) {
                    *watched = None;
                }
            }
        }
    }
}

fn make(place: &Mutex<Spare>, limits: Limits) {
    if matches!(*place.lock(), Spare::Unwanted) {
        return;
    }
    // Where none can be made, whoever needs one tries for itself and says why.
    let made = LockerManagedIsolate::unclaimed(limits)
        .map_or(Spare::None, |isolate| Spare::Ready(Box::new(isolate)));
    let mut spare = place.lock();
    let unneeded = match *spare {
        Spare::Unwanted => made,
        _ => std::mem::replace(&mut *spare, made),
    };
    drop(spare);
    drop(unneeded);
}
