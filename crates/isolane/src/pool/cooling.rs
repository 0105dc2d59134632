//! Gives back what isolates hold once nothing comes for them any more: a while after its last request each
//! is collected, once, where there is something to collect. The reaper's thread looks which ones are due, and
//! collects them one after the other when it has nothing else to do: no request waits for another isolate's.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::core::Pool;
use super::lane::Lane;

/// How long an isolate has had nothing to do before it is collected.
const COLD_AFTER: Duration = Duration::from_secs(1);
/// How often isolates are looked at while some are not cold yet.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The pool whose isolates are looked at.
pub(super) struct Watch {
    pool: Weak<Pool>,
    looked: Instant,
    /// Those that were due at the last look, and were not collected yet.
    due: Vec<Weak<Lane>>,
}

impl Watch {
    pub(super) fn new(pool: Weak<Pool>) -> Self {
        Self {
            pool,
            looked: Instant::now(),
            due: Vec::new(),
        }
    }

    /// When there is something to do.
    pub(super) fn time_left(&self) -> Duration {
        if self.due.is_empty() {
            LOOK_EVERY.saturating_sub(self.looked.elapsed())
        } else {
            Duration::ZERO
        }
    }

    /// Collects one isolate, or looks which ones are due, where it is time for that; says whether there will be
    /// more to do.
    pub(super) fn go_on(&mut self) -> bool {
        let Some(pool) = self.pool.upgrade() else {
            return false;
        };
        if let Some(lane) = self.due.pop() {
            if let Some(lane) = lane.upgrade()
                && is_due(&lane, pool.threads.now_ns())
            {
                lane.cool();
            }
            return true;
        }
        if self.looked.elapsed() < LOOK_EVERY {
            return true;
        }
        self.looked = Instant::now();
        if self.look(&pool) {
            return true;
        }
        // Said first: a lane that becomes idle from here on asks anew.
        pool.cooling.store(false, Ordering::SeqCst);
        self.look(&pool) && !pool.cooling.swap(true, Ordering::SeqCst)
    }

    /// Looks at all isolates; says whether any is to be collected, now or later.
    fn look(&mut self, pool: &Pool) -> bool {
        let now_ns = pool.threads.now_ns();
        let lanes = pool.lanes.lock();
        let mut any_warm = false;
        for lane in lanes.iter().filter(|lane| lane.is_warm()) {
            any_warm = true;
            if is_due(lane, now_ns) {
                self.due.push(Arc::downgrade(lane));
            }
        }
        any_warm
    }
}

fn is_due(lane: &Lane, now_ns: u64) -> bool {
    lane.is_warm() && lane.load() == 0 && lane.has_rested_for(COLD_AFTER, now_ns)
}

impl Pool {
    /// A lane has become idle: sees to it that somebody looks at it later.
    pub(super) fn note_warm(&self) {
        if !self.cooling.load(Ordering::Relaxed) && !self.cooling.swap(true, Ordering::SeqCst) {
            self.reaper.watch(self.me.clone());
        }
    }
}
