//! Gives back what isolates hold once nothing comes for them any more: a while after its last request each
//! is collected, once, where there is something to collect. The reaper's thread looks which ones are due, and
//! collects them one after the other when it has nothing else to do: no request waits for another isolate's. It writes
//! down code in the same way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::locker_managed_isolate::LockerManagedIsolate;

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
                && lane.is_due(pool.threads.now_ns())
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
            if lane.is_due(now_ns) {
                self.due.push(Arc::downgrade(lane));
            }
        }
        any_warm
    }
}

impl Lane {
    fn is_warm(&self) -> bool {
        self.warm.load(Ordering::Relaxed)
    }

    fn is_due(&self, now_ns: u64) -> bool {
        let rested_ns = now_ns.saturating_sub(self.progress.last_used.load(Ordering::Relaxed));
        self.is_warm() && self.load() == 0 && u128::from(rested_ns) >= COLD_AFTER.as_nanos()
    }

    /// Collects the isolate on the calling thread, which may enter isolates, unless the lane has something to do.
    fn cool(self: &Arc<Self>) {
        self.aside(|isolate| {
            self.warm.store(false, Ordering::Relaxed);
            isolate.lock().cool();
        });
    }

    /// Has what V8 compiled for the worker written down, on the calling thread, which may enter isolates. Where the
    /// lane has something to do that is left for when it rests, or its isolate goes.
    pub(super) fn keep_code(self: &Arc<Self>) {
        if self.load() == 0 {
            self.aside(|isolate| isolate.lock().keep_code());
        }
    }

    /// Does something to the isolate, if there is one, in place of the lane's thread.
    fn aside(self: &Arc<Self>, work: impl FnOnce(&mut LockerManagedIsolate)) {
        isolane_lanes::Lane::run_aside(self, || {
            let mut core = self.core.lock();
            let Some(isolate) = &mut core.isolate else {
                return;
            };
            if catch_unwind(AssertUnwindSafe(|| work(isolate))).is_err() {
                isolate.condemn(&Error::internal("work on an isolate at rest panicked"));
            }
            self.progress
                .memory_bytes
                .store(isolate.memory_bytes(), Ordering::Relaxed);
            let health = isolate.health();
            drop(core);
            self.note_health(health);
        });
    }
}

impl Pool {
    /// A lane has become idle: sees to it that somebody looks at it later.
    pub(super) fn note_warm(&self) {
        if !self.cooling.load(Ordering::Relaxed) && !self.cooling.swap(true, Ordering::SeqCst) {
            self.reaper.watch(self.me.clone());
        }
    }
}
