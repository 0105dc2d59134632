//! Which lane a request goes to, when a worker gets another isolate, and which isolate makes room.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use isolane_lanes::Pushed;
use isolane_scheduler::next_id;

use crate::definition::ContextPolicy;
use crate::error::ErrorKind;
use crate::locker_managed_isolate::{IsolateRecipe, LockerManagedIsolate};
use crate::runtime::events::StartRequest;
use crate::settlement::Expected;

use super::core::Pool;
use super::lane::{Lane, LaneOwner, Place};
use super::reaper::Reaper;
use super::registry::Deployment;

/// A worker whose queue lasts longer than this gets another isolate, if it may.
const WAIT_FOR_ANOTHER_ISOLATE: Duration = Duration::from_millis(1);

/// A request waits this long for a lane whose turns are all short, rather than go to another.
const WAIT_FOR_A_STEADY_LANE: Duration = Duration::from_micros(250);

/// A worker whose requests find no context ahead so often gets another isolate, if it may.
const MISSED_FOR_ANOTHER_ISOLATE: usize = 32;

/// Whether a request may be refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// It comes from outside.
    New,
    /// It was let in before.
    Again,
}

impl Pool {
    /// Finds a lane for a request; says how soon its answer is likely to come.
    pub(super) fn place(
        &self,
        deployment: &Arc<Deployment>,
        start: StartRequest,
        entry: Entry,
    ) -> Expected {
        if self.ended.load(Ordering::SeqCst) {
            start.fail(ErrorKind::PoolClosed.into());
            return Expected::Late;
        }
        let start = match self.try_lanes(deployment, start, entry) {
            Ok(expected) => return expected,
            Err(start) => start,
        };
        if self.has_lost_all(deployment) {
            start.fail(ErrorKind::PoolFull.into());
            return Expected::Late;
        }
        // Those that wait come first.
        let start = if self.places_wanted.load(Ordering::SeqCst) > 0 {
            start
        } else if let Some(start) = self.place_on_new_lane(deployment, start) {
            start
        } else {
            return Expected::Late;
        };
        let waiting = deployment.waiting.load(Ordering::Relaxed);
        if entry == Entry::New && waiting >= self.options.max_queue {
            start.fail(ErrorKind::PoolFull.into());
            return Expected::Late;
        }
        self.wait_for_place(deployment, start);
        Expected::Late
    }

    /// Gives the request to the worker's least loaded lane, or back where another isolate is due.
    pub(super) fn try_lanes(
        &self,
        deployment: &Arc<Deployment>,
        start: StartRequest,
        entry: Entry,
    ) -> Result<Expected, StartRequest> {
        let lanes = deployment.lanes.lock();
        let (lane, is_another_due) = match deployment.definition.context {
            ContextPolicy::Fresh => self.lane_for_fresh(deployment, &lanes),
            ContextPolicy::Reuse => (self.lane_for_reuse(&lanes), false),
        };
        let Some(lane) = lane else {
            return Err(start);
        };
        let isolates = lanes.len() + deployment.lost.load(Ordering::Relaxed);
        let has_room = || isolates < self.options.max_isolates_per_worker && self.has_room();
        if is_another_due && has_room() {
            deployment.contexts_missed.store(0, Ordering::Relaxed);
            return Err(start);
        }
        // First of all: what another thread writes too is better written at once than looked at before.
        let queued = lane.counts().announce();
        if queued > 0 {
            let total: usize = lanes.iter().map(|lane| lane.queued()).sum();
            if entry == Entry::New && total > self.options.max_queue {
                lane.counts().withdraw(1);
                start.fail(ErrorKind::PoolFull.into());
                return Ok(Expected::Late);
            }
            let slow = lane.expected_wait(queued, self.threads.now_ns()) > WAIT_FOR_ANOTHER_ISOLATE;
            if slow && has_room() {
                lane.counts().withdraw(1);
                return Err(start);
            }
        }
        // To spin on the processor of the thread that answers would keep it from answering.
        let is_worth_waiting = lane.is_quick(queued) && !self.threads.shares_processor(lane);
        let pushed = lane.begin(start)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Ok(match pushed {
            _ if !is_worth_waiting => Expected::Late,
            Pushed::ForThreadWoken => Expected::AfterWake,
            Pushed::ForThreadAwake => Expected::Soon,
        })
    }

    /// The lane for a request that may meet what others have left: the least loaded one.
    ///
    /// Requests that are over in microseconds wait less behind each other than threads would for
    /// processors, so they keep to one lane while they can.
    fn lane_for_reuse<'l>(&self, lanes: &'l [Arc<Lane>]) -> Option<&'l Arc<Lane>> {
        if let [only] = lanes {
            return only.is_accepting().then_some(only);
        }
        let now_ns = self.threads.now_ns();
        let steady = accepting(lanes).find(|lane| {
            lane.is_steady() && lane.expected_wait(lane.queued(), now_ns) < WAIT_FOR_A_STEADY_LANE
        });
        steady.or_else(|| accepting(lanes).min_by_key(|lane| lane.load()))
    }

    /// The lane for a request that has a context of its own: one where that is there, or the one that began
    /// first to make it. Says whether there should be another isolate: one context can be made while
    /// another serves.
    fn lane_for_fresh<'l>(
        &self,
        deployment: &Deployment,
        lanes: &'l [Arc<Lane>],
    ) -> (Option<&'l Arc<Lane>>, bool) {
        let missed = &deployment.contexts_missed;
        let before = missed.load(Ordering::Relaxed);
        if let Some(ready) = accepting(lanes).find(|lane| lane.has_context_ahead()) {
            missed.store(before.saturating_sub(1), Ordering::Relaxed);
            return (Some(ready), false);
        }
        let after = (before + 1).min(MISSED_FOR_ANOTHER_ISOLATE);
        missed.store(after, Ordering::Relaxed);
        let first =
            |lane: &&Arc<Lane>| (lane.load(), lane.progress.last_used.load(Ordering::Relaxed));
        let lane = accepting(lanes).min_by_key(first);
        (lane, before >= MISSED_FOR_ANOTHER_ISOLATE)
    }

    fn has_room(&self) -> bool {
        self.lanes.lock().len() < self.options.max_isolates
    }

    /// Makes a lane for the request, evicting an idle one where the pool is full; gives the request
    /// back where all are busy.
    pub(super) fn place_on_new_lane(
        &self,
        deployment: &Arc<Deployment>,
        start: StartRequest,
    ) -> Option<StartRequest> {
        let lane = self.new_lane(deployment);
        while !self.take_place(&lane) {
            if !self.evict_one(Reaper::take_displaced_later) {
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
        let place = Place {
            owner,
            threads: self.threads.clone(),
            workers_waiting: self.workers_waiting.clone(),
        };
        Lane::new(deployment, recipe, place)
    }

    pub(super) fn take_place(&self, lane: &Arc<Lane>) -> bool {
        let mut lanes = self.lanes.lock();
        let free = lanes.len() < self.options.max_isolates;
        if free {
            lanes.push(lane.clone());
        }
        free
    }

    /// Evicts the idle lane that was used least recently and gives the reaper its isolate, to `dispose` of; false
    /// where all are busy.
    pub(super) fn evict_one(&self, dispose: fn(&Reaper, LockerManagedIsolate)) -> bool {
        let mut missed: Vec<Arc<Lane>> = Vec::new();
        loop {
            let is_missed = |lane: &Arc<Lane>| missed.iter().any(|other| Arc::ptr_eq(other, lane));
            let oldest = {
                let lanes = self.lanes.lock();
                let idle = lanes.iter().filter(|lane| lane.load() == 0);
                idle.filter(|lane| !is_missed(lane))
                    .min_by_key(|lane| lane.progress.last_used.load(Ordering::Relaxed))
                    .cloned()
            };
            let Some(oldest) = oldest else { return false };
            if self.take_out(&oldest, dispose) {
                self.evictions.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            // A request came for it first.
            missed.push(oldest);
        }
    }

    /// Takes an idle lane out of the pool and has its isolate dropped; false where a request came first.
    pub(super) fn close_lane(&self, lane: &Arc<Lane>) -> bool {
        self.take_out(lane, Reaper::take)
    }

    fn take_out(&self, lane: &Arc<Lane>, dispose: fn(&Reaper, LockerManagedIsolate)) -> bool {
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
            self.leave_pool(lane);
            if let Some(isolate) = lane.take_isolate() {
                dispose(&self.reaper, isolate);
            }
        }
        retired
    }

    /// A lane that takes no more requests is to be found no more by those that come.
    pub(super) fn leave_deployment(&self, lane: &Arc<Lane>) {
        if let Some(deployment) = lane.deployment() {
            let is_other = |other: &Arc<Lane>| !Arc::ptr_eq(other, lane);
            deployment.lanes.lock().retain(is_other);
            let mut leaving = deployment.leaving.lock();
            leaving.retain(is_other);
            leaving.push(lane.clone());
        }
    }

    /// A lane's place is free.
    pub(super) fn leave_pool(&self, lane: &Arc<Lane>) {
        if let Some(deployment) = lane.deployment() {
            deployment
                .leaving
                .lock()
                .retain(|other| !Arc::ptr_eq(other, lane));
        }
        self.lanes.lock().retain(|other| !Arc::ptr_eq(other, lane));
        if lane.has_given_way() {
            self.places_promised.fetch_sub(1, Ordering::SeqCst);
        }
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
}

fn accepting(lanes: &[Arc<Lane>]) -> impl Iterator<Item = &Arc<Lane>> {
    lanes.iter().filter(|lane| lane.is_accepting())
}
