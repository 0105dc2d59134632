//! Where isolates begin and end without a request that waits for it: a thread drops those that left the
//! pool, makes some ahead for the next workers that need one, and looks for those that are to be collected
//! (`cooling.rs`). A drop takes a fifth of a millisecond, making one several. Where the thread falls behind
//! with drops, those who make isolates help, so that what waits to be dropped stays bounded.

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

/// How many isolates are made ahead once a worker has come while the only one was being made.
const MOST_SPARES: usize = 2;

/// What the thread is asked to do.
enum Errand {
    /// Drop one isolate that has left.
    Drop,
    /// Make one ahead.
    Make(Limits),
    /// Look at a pool's isolates from time to time.
    Watch(Weak<Pool>),
}

/// Takes isolates to their end, and has others ready.
pub(crate) struct Reaper {
    leaving: Arc<SegQueue<LockerManagedIsolate>>,
    spares: Arc<Mutex<Spares>>,
    errands: Mutex<Sender<Errand>>,
}

/// The isolates that are made ahead.
struct Spares {
    ready: Vec<LockerManagedIsolate>,
    coming: usize,
    /// How many there should be; none once the pool is closed.
    wanted: usize,
}

impl Default for Spares {
    fn default() -> Self {
        Self {
            ready: Vec::with_capacity(MOST_SPARES),
            coming: 0,
            wanted: 1,
        }
    }
}

impl Spares {
    /// None is wanted any more. Those that there are, to be dropped without a lock held.
    fn end(&mut self) -> Vec<LockerManagedIsolate> {
        self.wanted = 0;
        std::mem::take(&mut self.ready)
    }
}

impl Reaper {
    pub(crate) fn start() -> Result<Self, Error> {
        let leaving = Arc::new(SegQueue::new());
        let spares = Arc::<Mutex<Spares>>::default();
        let (sender, errands) = mpsc::channel();
        let (queue, place) = (leaving.clone(), spares.clone());
        platform::spawn("isolane-reaper", move || {
            thread_priority::lower_most();
            let mut watched = None;
            while let Some(errand) = next_errand(&errands, &mut watched) {
                match errand {
                    Errand::Drop => drop::<Option<LockerManagedIsolate>>(queue.pop()),
                    Errand::Make(limits) => {
                        // Memory that is to come back does not wait for this.
                        while let Some(left) = queue.pop() {
                            drop(left);
                        }
                        make(&place, limits);
                    }
                    Errand::Watch(pool) => watched = Some(pool),
                }
            }
            // Here, since whoever drops the pool may not enter isolates.
            let spares = place.lock().end();
            drop(spares);
        })
        .map_err(|error| Error::internal(format!("the reaper's thread: {error}")))?;
        Ok(Self {
            leaving,
            spares,
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

    /// An isolate that was made ahead, where there is one that suits. On a thread that may enter isolates.
    pub(crate) fn spare(&self, limits: &Limits) -> Option<LockerManagedIsolate> {
        let mut spares = self.spares.lock();
        let suiting = spares.ready.iter().position(|spare| spare.suits(limits));
        if let Some(at) = suiting {
            return Some(spares.ready.swap_remove(at));
        }
        if spares.coming > 0 && spares.wanted > 0 {
            spares.wanted = MOST_SPARES;
        }
        // Those that do not suit are in the way of one that would: workers with these limits come now.
        let unsuitable = std::mem::take(&mut spares.ready);
        drop(spares);
        drop(unsuitable);
        None
    }

    /// Has a pool's isolates looked at until none wants it any more.
    pub(super) fn watch(&self, pool: Weak<Pool>) {
        let _ = self.errands.lock().send(Errand::Watch(pool));
    }

    /// Has an isolate made ahead, unless there are enough.
    pub(crate) fn make_spare(&self, limits: Limits) {
        let mut spares = self.spares.lock();
        if spares.ready.len() + spares.coming < spares.wanted {
            spares.coming += 1;
            let _ = self.errands.lock().send(Errand::Make(limits));
        }
    }

    /// Has no isolate made ahead any more, and drops those that were. On a thread that may enter isolates.
    pub(crate) fn close(&self) {
        let spares = self.spares.lock().end();
        drop(spares);
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

fn make(place: &Mutex<Spares>, limits: Limits) {
    if place.lock().wanted == 0 {
        return;
    }
    // Where none can be made, whoever needs one tries for itself and says why.
    let made = LockerManagedIsolate::unclaimed(limits).ok();
    let mut spares = place.lock();
    spares.coming -= 1;
    if spares.wanted > 0 {
        spares.ready.extend(made);
        return;
    }
    drop(spares);
    drop(made);
}
