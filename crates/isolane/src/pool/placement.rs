//! Which lane a request goes to, when a worker gets another isolate, and which isolate makes room.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use isolane_scheduler::next_id;

use crate::error::ErrorKind;
use crate::locker_managed_isolate::IsolateRecipe;
use crate::runtime::events::StartRequest;

use super::core::{Pool, Waiting};
use super::lane::{Lane, LaneOwner};
use super::registry::Deployment;

/// A worker whose queue lasts longer than this gets another isolate, if it may.
const WAIT_FOR_ANOTHER_ISOLATE: Duration = Duration::from_millis(1);

impl Pool {
    /// Finds a lane for a request; says whether its answer is likely to come within microseconds.
    pub(super) fn place(&self, deployment: &Arc<Deployment>, start: Box<StartRequest>) -> bool {
        if self.ended.load(Ordering::SeqCst) {
            start.fail(ErrorKind::PoolClosed.into());
            return false;
        }
        let start = match self.try_lanes(deployment, start) {
            Ok(quick) => return quick,
            Err(start) => start,
        };
        let Some(start) = self.place_on_new_lane(deployment, start) else {
            return false;
        };
        if deployment.waiting.load(Ordering::Relaxed) >= self.options.max_queue {
            start.fail(ErrorKind::PoolFull.into());
            return false;
        }
        deployment.waiting.fetch_add(1, Ordering::Relaxed);
        self.waiting.lock().push_back(Waiting {
            deployment: deployment.clone(),
            start,
        });
        self.places_wanted.fetch_add(1, Ordering::SeqCst);
        // A lane may have become idle between the look and the push.
        self.serve_waiting();
        false
    }

    /// Gives the request to the worker's least loaded lane, or back where another isolate is due.
    pub(super) fn try_lanes(
        &self,
        deployment: &Arc<Deployment>,
        start: Box<StartRequest>,
    ) -> Result<bool, Box<StartRequest>> {
        let lanes = deployment.lanes.lock();
        let Some(lane) = lanes
            .iter()
            .filter(|lane| lane.is_accepting())
            .min_by_key(|lane| lane.load())
        else {
            return Err(start);
        };
        let queued = lane.queued();
        if queued > 0 {
            let total: usize = lanes.iter().map(|lane| lane.queued()).sum();
            if total >= self.options.max_queue {
                start.fail(ErrorKind::PoolFull.into());
                return Ok(false);
            }
            let slow = lane.expected_wait(self.threads.now_ns()) > WAIT_FOR_ANOTHER_ISOLATE;
            if slow && lanes.len() < self.options.max_isolates_per_worker && self.has_room() {
                return Err(start);
            }
        }
        let quick = lane.is_quick();
        lane.begin(start)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Ok(quick)
    }

    pub(super) fn has_room(&self) -> bool {
        self.lanes.lock().len() < self.options.max_isolates
    }

    /// Makes a lane for the request, evicting an idle one where the pool is full; gives the request
    /// back where all are busy.
    pub(super) fn place_on_new_lane(
        &self,
        deployment: &Arc<Deployment>,
        start: Box<StartRequest>,
    ) -> Option<Box<StartRequest>> {
        let lane = self.new_lane(deployment);
        while !self.take_place(&lane) {
            if !self.evict_one() {
                return Some(start);
            }
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let mut lanes = deployment.lanes.lock();
        lanes.push(lane.clone());
        lane.begin_first(start);
        None
    }

    pub(super) fn new_lane(&self, deployment: &Arc<Deployment>) -> Arc<Lane> {
        let recipe = IsolateRecipe {
            definition: deployment.definition.clone(),
            limits: deployment.definition.limits.unwrap_or(self.options.limits),
            worker_id: deployment.id.clone(),
            on_log: self.options.on_log.clone(),
            group: next_id(),
        };
        let owner: Weak<dyn LaneOwner> = self.me.clone();
        Lane::new(deployment, recipe, owner, self.threads.clone())
    }

    pub(super) fn take_place(&self, lane: &Arc<Lane>) -> bool {
        let mut lanes = self.lanes.lock();
        let free = lanes.len() < self.options.max_isolates;
        if free {
            lanes.push(lane.clone());
        }
        free
    }

    /// Evicts the idle lane that was used least recently; false where all are busy.
    pub(super) fn evict_one(&self) -> bool {
        let mut candidates: Vec<_> = self
            .lanes
            .lock()
            .iter()
            .filter(|lane| lane.load() == 0)
            .cloned()
            .collect();
        candidates.sort_by_key(|lane| lane.last_used.load(Ordering::Relaxed));
        let evicted = candidates.into_iter().find(|lane| self.close_lane(lane));
        if evicted.is_some() {
            self.evictions.fetch_add(1, Ordering::Relaxed);
        }
        evicted.is_some()
    }

    /// Takes an idle lane out of the pool; false where a request came first.
    pub(super) fn close_lane(&self, lane: &Arc<Lane>) -> bool {
        let deployment = lane.deployment();
        let retired = match &deployment {
            // Requests are pushed under this lock, so none can slip in.
            Some(deployment) => {
                let mut lanes = deployment.lanes.lock();
                let retired = lane.try_retire();
                if retired {
                    lanes.retain(|other| !Arc::ptr_eq(other, lane));
                }
                retired
            }
            None => lane.try_retire(),
        };
        if retired {
            if let Some(deployment) = deployment {
                deployment
                    .leaving
                    .lock()
                    .retain(|other| !Arc::ptr_eq(other, lane));
            }
            self.lanes.lock().retain(|other| !Arc::ptr_eq(other, lane));
            if let Some(isolate) = lane.take_isolate() {
                self.reaper.take(isolate);
            }
        }
        retired
    }

    /// No lane of the deployment takes another request; each goes when it is idle.
    pub(crate) fn retire_all(&self, deployment: &Arc<Deployment>) {
        let lanes = std::mem::take(&mut *deployment.lanes.lock());
        deployment.leaving.lock().extend(lanes.iter().cloned());
        for lane in lanes {
            lane.stop_accepting();
            self.close_lane(&lane);
        }
    }

    /// Gives waiting requests to lanes, as far as there is room.
    pub(super) fn serve_waiting(&self) {
        while self.places_wanted.load(Ordering::SeqCst) > 0 {
            let Some(Waiting { deployment, start }) = self.waiting.lock().pop_front() else {
                return;
            };
            let start = match self.try_lanes(&deployment, start) {
                Ok(_) => None,
                Err(start) => self.place_on_new_lane(&deployment, start),
            };
            let Some(start) = start else {
                // Only now: a lane that becomes idle meanwhile is to look at the queue.
                self.places_wanted.fetch_sub(1, Ordering::SeqCst);
                deployment.waiting.fetch_sub(1, Ordering::Relaxed);
                continue;
            };
            self.waiting
                .lock()
                .push_front(Waiting { deployment, start });
            // One that did so while the request was out of the queue has missed it.
            if !self.lanes.lock().iter().any(|lane| lane.is_idle()) {
                return;
            }
        }
    }
}
