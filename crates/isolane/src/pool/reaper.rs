//! Drops isolates that left the pool, on a thread of its own: a drop takes a fifth of a millisecond,
//! which no request should wait for.

use std::sync::mpsc::{self, Sender};

use parking_lot::Mutex;

use crate::error::Error;
use crate::locker_managed_isolate::LockerManagedIsolate;
use crate::platform;

/// Takes isolates to their end.
pub(crate) struct Reaper(Mutex<Option<Sender<LockerManagedIsolate>>>);

impl Reaper {
    pub(crate) fn start() -> Result<Self, Error> {
        let (sender, isolates) = mpsc::channel();
        platform::spawn("isolane-reaper", move || {
            for isolate in isolates {
                drop::<LockerManagedIsolate>(isolate);
            }
        })
        .map_err(|error| Error::internal(format!("the reaper's thread: {error}")))?;
        Ok(Self(Mutex::new(Some(sender))))
    }

    /// Has an isolate dropped, soon.
    pub(crate) fn take(&self, isolate: LockerManagedIsolate) {
        if let Some(sender) = &*self.0.lock() {
            // The receiver lives until the sender is gone.
            let _ = sender.send(isolate);
        }
    }
}
