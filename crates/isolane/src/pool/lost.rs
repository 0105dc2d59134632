//! A lane whose thread does not come back from a turn: the pool goes on without both. Called on the
//! watchdog's thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use isolane_lanes::Lane as _;

use crate::error::Error;
use crate::limits::rescue::ThreadUser;

use super::core::Pool;
use super::lane::{Lane, LaneOwner as _};

impl ThreadUser for Lane {
    /// Who waited for the isolate has been answered. What has not begun goes to other lanes.
    fn given_up(self: Arc<Self>, _error: &Error) {
        if let Some(owner) = self.owner.upgrade() {
            owner.lost(&self);
        }
    }
}

impl Pool {
    /// Takes a lane out of the pool that a thread still runs, and puts another thread in the place of
    /// that one. Isolate and lane go when the thread comes back.
    pub(super) fn give_up(&self, lane: &Arc<Lane>) {
        let Some(thread) = lane.queue().thread() else {
            return;
        };
        self.condemned.fetch_add(1, Ordering::Relaxed);
        self.lost.fetch_add(1, Ordering::Relaxed);
        lane.stop_accepting();
        self.leave_deployment(lane);
        let left = lane.abandon();
        self.leave_pool(lane);
        // Where no thread can be made, the others run what is queued for it.
        let _ = self.threads.replace(thread);
        if let Some(deployment) = lane.deployment() {
            self.place_again(&deployment, left);
        }
        self.idle(lane);
    }
}
