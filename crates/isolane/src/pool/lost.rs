//! Lanes whose thread does not come back from a turn. The watchdog has answered who waited for the
//! isolate; here the lane leaves the pool, what it had not begun goes elsewhere, and another thread
//! takes the lost one's place. Called on the watchdog's thread, and on the lost one if it returns.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::Error;
use crate::limits::rescue::ThreadUser;

use super::core::Pool;
use super::lane::{Lane, LaneOwner as _};
use super::registry::Deployment;

impl ThreadUser for Lane {
    fn given_up(self: Arc<Self>, _error: &Error) {
        if let Some(owner) = self.owner.upgrade() {
            owner.lost(&self);
        }
    }
}

impl Pool {
    /// Takes a lane out of the pool whose thread may never come back. Its worker may have as many
    /// isolates less until it does: it keeps a thread busy, and the isolate's memory.
    pub(super) fn lose(&self, lane: &Arc<Lane>) {
        if lane.is_lost.swap(true, Ordering::AcqRel) {
            return;
        }
        // What it had not begun is in no lane for a moment.
        self.between_lanes.fetch_add(1, Ordering::AcqRel);
        self.condemned.fetch_add(1, Ordering::Relaxed);
        lane.stop_accepting();
        let deployment = lane.deployment();
        if let Some(deployment) = &deployment {
            deployment.lost.fetch_add(1, Ordering::Relaxed);
            let is_other = |other: &Arc<Lane>| !Arc::ptr_eq(other, lane);
            deployment.lanes.lock().retain(is_other);
        }
        self.leave_pool(lane);
        // Only now may the thread find that the lane is lost: it takes back what was counted here.
        let (left, will_return) = lane.abandon();
        if let Some(thread) = lane.queue.thread().filter(|_| will_return) {
            // Without another thread the rest of the pool goes on with those that there are.
            let _ = self.threads.replace(thread);
        } else {
            // It came back a moment ago.
            if let Some(isolate) = lane.try_take_isolate() {
                self.reaper.take(isolate);
            }
            self.find(lane);
        }
        if let Some(deployment) = deployment {
            self.place_again(&deployment, left);
        }
        self.between_lanes.fetch_sub(1, Ordering::AcqRel);
        self.serve_waiting();
        self.note_quiet();
    }

    /// The thread of a lost lane came back, and its isolate is gone.
    pub(super) fn find(&self, lane: &Arc<Lane>) {
        if let Some(deployment) = lane.deployment() {
            deployment.lost.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether a worker may have no isolate any more, before a thread of those comes back.
    pub(super) fn has_lost_all(&self, deployment: &Deployment) -> bool {
        deployment.lost.load(Ordering::Relaxed) >= self.options.max_isolates_per_worker
    }
}
