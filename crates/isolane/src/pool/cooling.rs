//! Gives back what isolates hold once nothing comes for them any more: a while after its last request each
//! is collected, once. The reaper's thread looks which ones are due; a patient thread collects.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::core::Pool;
use super::lane::Lane;

/// How long an isolate has had nothing to do before it is collected.
const COLD_AFTER: Duration = Duration::from_secs(1);
/// How often isolates are looked at while some are not cold yet.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Pool {
    /// A lane has become idle: sees to it that somebody looks at it later.
    pub(super) fn note_warm(&self) {
        if !self.cooling.load(Ordering::Relaxed) && !self.cooling.swap(true, Ordering::SeqCst) {
            self.reaper.watch(self.me.clone());
        }
    }

    /// Has those collected that have had nothing to do for long enough; says whether others are to be
    /// looked at again.
    fn cool(&self) -> bool {
        let now_ns = self.threads.now_ns();
        let lanes: Vec<Arc<Lane>> = self.lanes.lock().clone();
        let mut any_warm = false;
        for lane in lanes.iter().filter(|lane| lane.is_warm()) {
            if lane.load() == 0 && lane.has_rested_for(COLD_AFTER, now_ns) {
                lane.cool();
            } else {
                any_warm = true;
            }
        }
        any_warm
    }
}

/// Looks at a pool's isolates; says whether it wants to be looked at again.
pub(super) fn look(pool: &Weak<Pool>) -> bool {
    let Some(pool) = pool.upgrade() else {
        return false;
    };
    if pool.cool() {
        return true;
    }
    // Said first: a lane that becomes idle from here on asks anew.
    pool.cooling.store(false, Ordering::SeqCst);
    pool.cool() && !pool.cooling.swap(true, Ordering::SeqCst)
}
