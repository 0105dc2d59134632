//! What was stopped before a turn of it began: aborted requests, and closed groups of turns.
//!
//! The watchdog ends turns that run. A request that is aborted, or an owner that is closed, a moment
//! before its turn is armed would be missed there, and spin until a limit ends it. So whoever stops
//! something notes it here first, and each turn looks here after it was armed: one of the two sees
//! the other. Any thread may call.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use isolane_scheduler::{RequestId, next_id};
use parking_lot::Mutex;

use crate::limits::watchdog::{self, Fired};

/// The ids, each with how many have yet to learn of it.
static STOPPED: OnceLock<Mutex<HashMap<u64, usize>>> = OnceLock::new();

/// How many are noted, so that a turn looks no further while there are none.
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn change(body: impl FnOnce(&mut HashMap<u64, usize>)) {
    let mut stopped = STOPPED.get_or_init(Mutex::default).lock();
    body(&mut stopped);
    COUNT.store(stopped.len(), Ordering::SeqCst);
}

/// Forgets an id: what it names has ended, or knows by itself.
fn forget(id: u64) {
    if COUNT.load(Ordering::SeqCst) > 0 {
        change(|stopped| {
            stopped.remove(&id);
        });
    }
}

/// Why a turn that was just armed must not begin, if so.
pub(crate) fn stopped(group: u64, request: RequestId) -> Option<Fired> {
    if COUNT.load(Ordering::SeqCst) == 0 {
        return None;
    }
    let stopped = STOPPED.get_or_init(Mutex::default).lock();
    if stopped.contains_key(&group) {
        Some(Fired::Closed)
    } else if stopped.contains_key(&request) {
        Some(Fired::Aborted)
    } else {
        None
    }
}

/// Ends the turn of `request` that runs, and lets no other begin until the abort has arrived wherever
/// it is sent: at `places`.
pub(crate) fn abort(request: RequestId, places: usize) {
    let mut stopped = STOPPED.get_or_init(Mutex::default).lock();
    if places > 0 {
        stopped.insert(request, places);
    }
    COUNT.store(stopped.len(), Ordering::SeqCst);
    // Still under the lock: the request's last turn, before which the id is forgotten, is not to end so.
    watchdog::abort_running(request);
}

/// The abort has arrived at one of its places.
pub(crate) fn abort_arrived(request: RequestId) {
    if COUNT.load(Ordering::SeqCst) == 0 {
        return;
    }
    change(|stopped| {
        if let Some(places) = stopped.get_mut(&request) {
            *places -= 1;
            if *places == 0 {
                stopped.remove(&request);
            }
        }
    });
}

/// The abort has arrived where the request is: what is left of it may run.
pub(crate) fn abort_found(request: RequestId) {
    forget(request);
}

/// Turns that end together, because what they belong to is closed.
#[derive(Debug)]
pub(crate) struct Group(u64);

impl Group {
    pub(crate) fn new() -> Self {
        Self(next_id())
    }

    /// How turns name it.
    pub(crate) fn id(&self) -> u64 {
        self.0
    }

    /// Ends its turns that run, and lets no other begin.
    pub(crate) fn close(&self) {
        change(|stopped| {
            stopped.insert(self.0, 1);
        });
        watchdog::close_group(self.0);
    }
}

impl Default for Group {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        forget(self.0);
    }
}
