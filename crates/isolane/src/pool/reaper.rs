//! Drops isolates that left the pool, on a thread of its own: a drop takes a fifth of a millisecond,
//! which no request should wait for. Where that thread falls behind, those who make isolates help, so
//! that what waits to be dropped stays bounded.

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};

use crossbeam_queue::SegQueue;
use parking_lot::Mutex;

use crate::error::Error;
use crate::locker_managed_isolate::LockerManagedIsolate;
use crate::platform;

use super::threads;

/// How many isolates may wait for the reaper's thread.
const BACKLOG: usize = 4;

/// Takes isolates to their end.
pub(crate) struct Reaper {
    leaving: Arc<SegQueue<LockerManagedIsolate>>,
    /// One message for each isolate that has left.
    signal: Mutex<Sender<()>>,
}

impl Reaper {
    pub(crate) fn start() -> Result<Self, Error> {
        let leaving = Arc::new(SegQueue::new());
        let (sender, signals) = mpsc::channel();
        let queue = leaving.clone();
        platform::spawn("isolane-reaper", move || {
            threads::lower_priority();
            for () in signals {
                drop::<Option<LockerManagedIsolate>>(queue.pop());
            }
        })
        .map_err(|error| Error::internal(format!("the reaper's thread: {error}")))?;
        Ok(Self {
            leaving,
            signal: Mutex::new(sender),
        })
    }

    /// Has an isolate dropped, soon.
    pub(crate) fn take(&self, isolate: LockerManagedIsolate) {
        self.leaving.push(isolate);
        // The receiver lives until the sender is gone.
        let _ = self.signal.lock().send(());
    }

    /// Drops what the thread has not come to, on a thread that may enter isolates.
    pub(crate) fn help(&self) {
        while self.leaving.len() > BACKLOG {
            drop(self.leaving.pop());
        }
    }
}
