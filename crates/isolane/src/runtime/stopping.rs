//! Groups of turns that end together, because what they belong to is closed. Any thread may call.
//!
//! The watchdog ends turns that run. One that begins a moment later would be missed there, and go on
//! until a limit ends it. So a group that closes is noted here first, and each turn looks here after
//! it was armed: one of the two sees the other.

use std::collections::HashSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use isolane_scheduler::next_id;
use parking_lot::Mutex;

use crate::limits::watchdog;

static CLOSED: OnceLock<Mutex<HashSet<u64>>> = OnceLock::new();

/// How many are closed, so that a turn looks no further while there are none.
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn change(body: impl FnOnce(&mut HashSet<u64>)) {
    let mut closed = CLOSED.get_or_init(Mutex::default).lock();
    body(&mut closed);
    COUNT.store(closed.len(), Ordering::SeqCst);
}

/// Whether no turn of the group may begin.
pub(crate) fn is_closed(group: u64) -> bool {
    COUNT.load(Ordering::SeqCst) > 0 && CLOSED.get_or_init(Mutex::default).lock().contains(&group)
}

/// Turns that end together.
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
        change(|closed| {
            closed.insert(self.0);
        });
        watchdog::close_group(self.0);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if is_closed(self.0) {
            change(|closed| {
                closed.remove(&self.0);
            });
        }
    }
}
