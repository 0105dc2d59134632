//! Lanes whose thread does not come back from a turn. The watchdog has answered who waited for the
//! isolate; here the lane leaves the pool, what it had not begun goes elsewhere, and another thread
//! takes the lost one's place. Called on the watchdog's thread, and on the lost one if it returns.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::Error;
use crate::limits::rescue::ThreadUser;

use super::core::Pool;
use super::lane::{Item, Lane};

impl ThreadUser for Lane {
    fn given_up(self: Arc<Self>, _error: &Error) {
        self.stop_accepting();
        let left = self.queue.abandon();
        if let Some(owner) = self.owner.upgrade() {
            owner.lost(&self);
        }
        if let Some(thread) = self.queue.thread() {
            // Without another thread the rest of the pool goes on with those that there are.
            let _ = self.threads.replace(thread);
        }
        let starts = left.into_iter().filter_map(|item| match item {
            Item::Start(start) => {
                self.queued.fetch_sub(1, Ordering::Relaxed);
                Some(*start)
            }
            Item::Abort(..) | Item::Fail(_) => None,
        });
        self.place_again(starts.collect());
    }
}

impl Pool {
    /// Takes a lane out of the pool whose thread may never come back. Its worker may have as many
    /// isolates less until it does: it keeps a thread busy, and the isolate's memory.
    pub(super) fn lose(&self, lane: &Arc<Lane>) {
        let running = lane.running.load(Ordering::Relaxed);
        lane.lost_requests.store(running, Ordering::Relaxed);
        self.lost_requests.fetch_add(running, Ordering::AcqRel);
        self.condemned.fetch_add(1, Ordering::Relaxed);
        if let Some(deployment) = lane.deployment() {
            deployment.lost.fetch_add(1, Ordering::Relaxed);
            for lanes in [&deployment.lanes, &deployment.leaving] {
                lanes.lock().retain(|other| !Arc::ptr_eq(other, lane));
            }
        }
        self.lanes.lock().retain(|other| !Arc::ptr_eq(other, lane));
        if let Some(isolate) = lane.try_take_isolate() {
            // Its thread came back a moment ago.
            self.reaper.take(isolate);
        }
        self.serve_waiting();
        self.note_quiet();
    }

    /// The thread of a lost lane came back, and its isolate is gone.
    pub(super) fn find(&self, lane: &Arc<Lane>) {
        let running = lane.lost_requests.swap(0, Ordering::Relaxed);
        self.lost_requests.fetch_sub(running, Ordering::AcqRel);
        if let Some(deployment) = lane.deployment() {
            deployment.lost.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Requests that have not ended, without those on lost lanes.
    pub(super) fn unfinished(&self) -> usize {
        let lost = self.lost_requests.load(Ordering::Acquire);
        self.in_flight.load(Ordering::Acquire).saturating_sub(lost)
    }
}
