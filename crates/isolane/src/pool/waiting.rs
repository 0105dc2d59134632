//! Requests whose worker has no lane, because every place in the pool is taken by a busy one. They
//! are served worker by worker in turn, and lanes of other workers give way for them. Any thread may
//! call; the list has a lock of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use isolane_scheduler::RequestId;

use crate::error::ErrorKind;
use crate::runtime::events::StartRequest;

use super::core::Pool;
use super::lane::Lane;
use super::placement::Entry;
use super::registry::{Deployment, WaitingRequests};

/// How long a lane keeps its place, once it has run, while others wait for one: making its isolate
/// took a millisecond or more.
pub(super) const TENURE: Duration = Duration::from_millis(20);

/// A request without a lane.
pub(super) struct Waiting {
    pub(super) deployment: Arc<Deployment>,
    pub(super) start: StartRequest,
}

/// Requests that wait, by worker; the worker whose turn it is comes first.
#[derive(Default)]
pub(super) struct WaitingList {
    turns: VecDeque<(Arc<Deployment>, VecDeque<StartRequest>)>,
    /// How many workers wait: lanes look at it after each batch.
    workers: Arc<AtomicUsize>,
}

impl WaitingList {
    pub(super) fn new(workers: Arc<AtomicUsize>) -> Self {
        Self {
            turns: VecDeque::new(),
            workers,
        }
    }

    fn of(&mut self, deployment: &Arc<Deployment>) -> Option<&mut VecDeque<StartRequest>> {
        let same = |(other, _): &&mut (Arc<Deployment>, _)| Arc::ptr_eq(other, deployment);
        self.turns.iter_mut().find(same).map(|(_, starts)| starts)
    }

    fn push(&mut self, Waiting { deployment, start }: Waiting) {
        match self.of(&deployment) {
            Some(starts) => starts.push_back(start),
            None => self.turns.push_back((deployment, [start].into())),
        }
        self.count();
    }

    /// Puts back what was taken out last: it is that worker's turn still.
    fn put_back(&mut self, Waiting { deployment, start }: Waiting) {
        let starts = match self
            .turns
            .iter()
            .position(|(other, _)| Arc::ptr_eq(other, &deployment))
            .and_then(|at| self.turns.remove(at))
        {
            Some((_, mut starts)) => {
                starts.push_front(start);
                starts
            }
            None => [start].into(),
        };
        self.turns.push_front((deployment, starts));
        self.count();
    }

    /// Takes the next request out; its worker's others wait until all other workers had their turn.
    fn pop(&mut self) -> Option<Waiting> {
        let (deployment, mut starts) = self.turns.pop_front()?;
        let start = starts.pop_front()?;
        if !starts.is_empty() {
            self.turns.push_back((deployment.clone(), starts));
        }
        self.count();
        Some(Waiting { deployment, start })
    }

    fn remove(&mut self, request: RequestId) -> Option<Waiting> {
        let at =
            |starts: &VecDeque<StartRequest>| starts.iter().position(|start| start.id == request);
        let worker = self
            .turns
            .iter()
            .position(|(_, starts)| at(starts).is_some())?;
        let (deployment, starts) = self.turns.get_mut(worker)?;
        let start = at(starts).and_then(|at| starts.remove(at))?;
        let deployment = deployment.clone();
        if starts.is_empty() {
            self.turns.remove(worker);
        }
        self.count();
        Some(Waiting { deployment, start })
    }

    fn count(&self) {
        self.workers.store(self.turns.len(), Ordering::SeqCst);
    }
}

impl Pool {
    /// Has a request wait for a place, and serves those that wait as far as there is room.
    pub(super) fn wait_for_place(&self, deployment: &Arc<Deployment>, start: StartRequest) {
        deployment.waiting.fetch_add(1, Ordering::Relaxed);
        self.waiting.lock().push(Waiting {
            deployment: deployment.clone(),
            start,
        });
        self.places_wanted.fetch_add(1, Ordering::SeqCst);
        // A lane may have become idle between the look and the push.
        self.serve_waiting();
    }

    /// Gives waiting requests to lanes, as far as there is room.
    pub(super) fn serve_waiting(&self) {
        while self.places_wanted.load(Ordering::SeqCst) > 0 {
            let Some(Waiting { deployment, start }) = self.waiting.lock().pop() else {
                return;
            };
            if self.has_lost_all(&deployment) {
                self.no_longer_waits(&deployment);
                start.fail(ErrorKind::PoolFull.into());
                continue;
            }
            let start = match self.try_lanes(&deployment, start, Entry::Again) {
                Ok(_) => None,
                Err(start) => self.place_on_new_lane(&deployment, start),
            };
            let Some(start) = start else {
                // Only now: a lane that becomes idle meanwhile is to look at the queue.
                self.no_longer_waits(&deployment);
                continue;
            };
            self.waiting.lock().put_back(Waiting { deployment, start });
            // One that did so while the request was out of the queue has missed it.
            if !self.lanes.lock().iter().any(|lane| lane.is_idle()) {
                return;
            }
        }
    }

    /// A request that waited does so no more.
    fn no_longer_waits(&self, deployment: &Deployment) {
        self.places_wanted.fetch_sub(1, Ordering::SeqCst);
        deployment.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Answers all that wait: the pool closes.
    pub(super) fn refuse_waiting(&self) {
        loop {
            let Some(Waiting { deployment, start }) = self.waiting.lock().pop() else {
                return;
            };
            self.no_longer_waits(&deployment);
            start.fail(ErrorKind::PoolClosed.into());
        }
    }

    /// A busy lane leaves its place, where workers wait for one and not as many lanes leave already.
    /// What it has begun ends there; what waits in it waits with the others.
    pub(super) fn yield_place(&self, lane: &Arc<Lane>) {
        let wanted = self.workers_waiting.load(Ordering::SeqCst);
        let promised = |promised: usize| (promised < wanted).then_some(promised + 1);
        let is_wanted = self
            .places_promised
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, promised)
            .is_ok();
        if !is_wanted {
            return;
        }
        if lane.give_way() {
            self.leave_deployment(lane);
        } else {
            self.places_promised.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl WaitingRequests for Pool {
    fn abort_waiting(&self, request: RequestId) {
        let found = self.waiting.lock().remove(request);
        if let Some(Waiting { deployment, start }) = found {
            self.no_longer_waits(&deployment);
            start.fail(ErrorKind::Aborted.into());
        }
    }
}
