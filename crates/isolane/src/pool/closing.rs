//! The end of a pool: wait, answer what is left, stop the threads.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind};

use super::core::Pool;
use super::lane::Lane;

/// How long a pool waits for the turns that it has interrupted before it does so again.
const BETWEEN_INTERRUPTS: Duration = Duration::from_millis(10);

impl Pool {
    /// Waits for the requests, ends those that go on, and stops the threads.
    pub(crate) fn finish(&self) {
        let deadline = Instant::now() + self.options.grace;
        self.wait_until_quiet(deadline);
        // From here on nothing gets a lane: a request that a lane gives back would begin anew.
        self.ended.store(true, Ordering::SeqCst);
        let closed: Error = ErrorKind::PoolClosed.into();
        loop {
            self.refuse_waiting();
            // Every time anew: one may have been made since.
            let busy = |lane: &&Arc<Lane>| lane.load() > 0;
            let lanes: Vec<_> = self.lanes.lock().iter().filter(busy).cloned().collect();
            for lane in lanes {
                lane.fail_all(closed.clone());
                lane.interrupt();
            }
            self.wait_until_quiet(Instant::now() + BETWEEN_INTERRUPTS);
            if self.unfinished() == 0 {
                break;
            }
        }
        self.threads.stop();
        self.threads.join();
        self.reaper.close();
        for deployment in self.registry.all() {
            deployment.lanes.lock().clear();
            deployment.leaving.lock().clear();
        }
        for lane in std::mem::take(&mut *self.lanes.lock()) {
            drop(lane.take_isolate());
        }
    }

    /// Wakes whoever closes the pool, where somebody does.
    pub(super) fn note_quiet(&self) {
        if self.closed.load(Ordering::SeqCst) {
            let _guard = self.quiet.0.lock();
            self.quiet.1.notify_all();
        }
    }

    fn wait_until_quiet(&self, deadline: Instant) {
        let (lock, quiet) = &self.quiet;
        let mut guard = lock.lock();
        while self.unfinished() > 0 {
            if quiet.wait_until(&mut guard, deadline).timed_out() {
                return;
            }
        }
    }
}
