//! The end of a pool: wait, answer what is left, stop the threads.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind};

use super::core::{Pool, Waiting};
use super::lane::Lane;

impl Pool {
    /// Waits for the requests, ends those that go on, and stops the threads.
    pub(crate) fn finish(&self) {
        let deadline = Instant::now() + self.options.grace;
        self.wait_until_quiet(deadline);
        let closed: Error = ErrorKind::PoolClosed.into();
        for Waiting { start, .. } in self.waiting.lock().drain(..) {
            start.fail(closed.clone());
        }
        let busy = |lane: &&Arc<Lane>| lane.load() > 0;
        let lanes: Vec<_> = self.lanes.lock().iter().filter(busy).cloned().collect();
        for lane in &lanes {
            lane.interrupt();
            lane.fail_all(closed.clone());
        }
        // Every turn that still runs has been interrupted, so this does not last.
        while self.in_flight.load(Ordering::Acquire) > 0 {
            self.wait_until_quiet(Instant::now() + Duration::from_millis(10));
            for lane in &lanes {
                lane.interrupt();
            }
        }
        self.threads.stop();
        self.threads.join();
        for deployment in self.registry.all() {
            deployment.lanes.lock().clear();
            deployment.leaving.lock().clear();
        }
        for lane in std::mem::take(&mut *self.lanes.lock()) {
            drop(lane.take_isolate());
        }
    }

    fn wait_until_quiet(&self, deadline: Instant) {
        let (lock, quiet) = &self.quiet;
        let mut guard = lock.lock();
        while self.in_flight.load(Ordering::Acquire) > 0 {
            if quiet.wait_until(&mut guard, deadline).timed_out() {
                return;
            }
        }
    }
}
