//! What the handles of one pool share: its workers, lanes, threads and counters, and how a request
//! enters. Any thread may call; what runs guests is in the lanes.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use crossbeam_utils::CachePadded;
use isolane_scheduler::{RequestId, next_id};
use parking_lot::{Condvar, Mutex};

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::locker_managed_isolate::LockerManagedIsolate;
use crate::request::{RunOptions, Start};
use crate::runtime::active_request::Responder;
use crate::runtime::events::{Event, StartRequest, Starting};
use crate::runtime::modules;
use crate::runtime::ticket::{RequestObserver, Ticket};
use crate::settlement::{AbortTarget, Received, RunFuture, Settlement};

use super::forgetting::Forgetting;
use super::lane::{Lane, LaneOwner, Threads};
use super::options::{PoolOptions, PoolStats, WorkerStats};
use super::placement::Entry;
use super::reaper::Reaper;
use super::registry::{Deployment, Registry};
use super::threads;
use super::waiting::WaitingList;

pub(crate) struct Pool {
    pub(super) me: Weak<Pool>,
    pub(super) options: PoolOptions,
    pub(super) registry: Registry,
    pub(super) threads: Arc<Threads>,
    pub(super) reaper: Reaper,
    /// All lanes that hold a place in the pool.
    pub(super) lanes: Mutex<Vec<Arc<Lane>>>,
    pub(super) forgetting: Forgetting,
    /// Whether somebody looks for isolates to collect.
    pub(super) cooling: AtomicBool,
    pub(super) waiting: Mutex<WaitingList>,
    /// Requests in that list, or out of it for a moment to find them a place.
    pub(super) places_wanted: AtomicUsize,
    /// Workers in that list.
    pub(super) workers_waiting: Arc<AtomicUsize>,
    /// Lanes that leave their places for those.
    pub(super) places_promised: AtomicUsize,
    /// Lanes that are being taken out of the pool with requests to be given to others.
    pub(super) between_lanes: AtomicUsize,
    /// Apart, because callers write it for each request, and lanes' threads read what is beside it.
    pub(super) hits: CachePadded<AtomicU64>,
    pub(super) misses: AtomicU64,
    pub(super) evictions: AtomicU64,
    pub(super) condemned: AtomicU64,
    pub(super) closed: AtomicBool,
    /// Closed, and the grace time is over.
    pub(super) ended: AtomicBool,
    /// Signalled when a lane has become idle while the pool closes.
    pub(super) quiet: (Mutex<()>, Condvar),
}

/// A request as it enters the pool.
pub(crate) struct Launch {
    pub(crate) id: RequestId,
    pub(crate) event: Event,
    pub(crate) options: RunOptions,
    pub(crate) observer: Option<Arc<dyn RequestObserver>>,
}

impl Pool {
    pub(crate) fn new(options: PoolOptions) -> Result<Arc<Self>, Error> {
        let threads = threads::start(options.threads)?;
        let reaper = Reaper::start()?;
        let workers_waiting = Arc::<AtomicUsize>::default();
        Ok(Arc::new_cyclic(|me| Self {
            me: me.clone(),
            options,
            registry: Registry::default(),
            threads,
            reaper,
            lanes: Mutex::default(),
            forgetting: Forgetting::default(),
            cooling: AtomicBool::new(false),
            waiting: Mutex::new(WaitingList::new(workers_waiting.clone())),
            places_wanted: AtomicUsize::new(0),
            workers_waiting,
            places_promised: AtomicUsize::new(0),
            between_lanes: AtomicUsize::new(0),
            hits: CachePadded::default(),
            misses: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
            condemned: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            quiet: Default::default(),
        }))
    }

    pub(crate) fn options(&self) -> &PoolOptions {
        &self.options
    }

    /// Refuses new requests from now on.
    pub(crate) fn begin_close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Forgets a worker; false where there is none of that id.
    pub(crate) fn forget(&self, id: &str) -> bool {
        let Some(deployment) = self.registry.remove(id) else {
            return false;
        };
        self.retire_all(&deployment);
        true
    }

    pub(crate) fn known(&self, id: &str) -> Result<Arc<Deployment>, Error> {
        self.check_open()?;
        self.registry
            .get(id)
            .ok_or_else(|| ErrorKind::UnknownWorker(id.to_owned()).into())
    }

    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::SeqCst) {
            Err(ErrorKind::PoolClosed.into())
        } else {
            Ok(())
        }
    }

    pub(crate) fn deployment_of(
        &self,
        id: &str,
        definition: &Arc<WorkerDefinition>,
    ) -> Result<Arc<Deployment>, Error> {
        self.check_open()?;
        if let Some(present) = self.registry.get(id)
            && Arc::ptr_eq(&present.definition, definition)
        {
            return Ok(present);
        }
        check_id(id)?;
        modules::validate(definition)?;
        self.forget_unused();
        let present = self.registry.get(id);
        let (deployment, replaced) = self.registry.deploy(id, definition, || {
            self.note_brought(definition);
            self.new_deployment(id, definition.clone(), true, present.as_ref())
        });
        if let Some(replaced) = replaced {
            self.retire_all(&replaced);
        }
        Ok(deployment)
    }

    /// The present deployment where it is the same, or one that is not in the registry yet.
    pub(crate) fn candidate(
        &self,
        id: &str,
        definition: Arc<WorkerDefinition>,
    ) -> Result<Arc<Deployment>, Error> {
        self.check_open()?;
        check_id(id)?;
        modules::validate(&definition)?;
        Ok(match self.registry.get(id) {
            Some(present) if present.definition.is_same(&definition) => present,
            present => self.new_deployment(id, definition, false, present.as_ref()),
        })
    }

    pub(crate) fn is_live(&self, deployment: &Arc<Deployment>) -> bool {
        self.registry
            .get(&deployment.id)
            .is_some_and(|live| Arc::ptr_eq(&live, deployment))
    }

    pub(crate) fn install(&self, deployment: Arc<Deployment>) {
        let replaced = self.registry.install(deployment.clone());
        if let Some(replaced) = replaced.filter(|replaced| !Arc::ptr_eq(replaced, &deployment)) {
            self.retire_all(&replaced);
        }
    }

    /// A deployment without lanes; what is remembered of its predecessor's conduct goes on.
    pub(crate) fn new_deployment(
        &self,
        id: &str,
        definition: Arc<WorkerDefinition>,
        by_request: bool,
        predecessor: Option<&Arc<Deployment>>,
    ) -> Arc<Deployment> {
        Arc::new(Deployment {
            id: Arc::from(id),
            definition,
            lanes: Mutex::default(),
            leaving: Mutex::default(),
            requests: AtomicU64::new(0),
            by_request,
            used_at: AtomicU64::new(self.forgetting.age()),
            waiting: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
            contexts_missed: AtomicUsize::new(0),
            conduct: predecessor
                .map(|predecessor| predecessor.conduct.clone())
                .unwrap_or_default(),
            pool: self.me.clone(),
        })
    }

    pub(crate) fn run<T: Received>(
        &self,
        deployment: Arc<Deployment>,
        event: Event,
        responder: impl FnOnce(Settlement<T>) -> Responder,
        options: RunOptions,
    ) -> RunFuture<T> {
        let launch = Launch {
            id: next_id(),
            event,
            options,
            observer: None,
        };
        self.launch(deployment, responder, launch)
    }

    /// As [`Pool::run`], for a request that has an id.
    pub(crate) fn launch<T: Received>(
        &self,
        deployment: Arc<Deployment>,
        responder: impl FnOnce(Settlement<T>) -> Responder,
        launch: Launch,
    ) -> RunFuture<T> {
        let Launch {
            id,
            event,
            options,
            observer,
        } = launch;
        deployment.requests.fetch_add(1, Ordering::Relaxed);
        self.forgetting.note_use(&deployment);
        let target: Arc<dyn AbortTarget> = deployment.clone();
        let (future, settlement) = RunFuture::new(id, Some(target));
        let starting = Starting {
            id,
            responder: responder(settlement),
            limits: options.limits.map(Box::new),
            on_log: options.on_log,
            start: Start::Warm,
            ticket: Ticket::new(observer),
        };
        let start = StartRequest::new(starting, event.into());
        let expected = self.place(&deployment, start, Entry::New);
        future.expect(expected)
    }

    /// Requests that have not ended: they wait for a place or are on a lane. Those on lanes whose thread was given up
    /// are not among them.
    ///
    /// Summed up where it is asked, because one count would be written for each request by two threads in turn.
    pub(super) fn unfinished(&self) -> usize {
        // In the order in which requests go on, so that none is missed.
        let without_lane =
            self.places_wanted.load(Ordering::SeqCst) + self.between_lanes.load(Ordering::Acquire);
        let lanes = self.lanes.lock();
        without_lane + lanes.iter().map(|lane| lane.unfinished()).sum::<usize>()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.lanes
            .lock()
            .iter()
            .map(|lane| lane.progress.memory_bytes.load(Ordering::Relaxed))
            .sum()
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let (total, cached) = {
            let lanes = self.lanes.lock();
            (
                lanes.len(),
                lanes.iter().filter(|lane| lane.load() == 0).count(),
            )
        };
        let deployments = self.registry.all();
        PoolStats {
            total,
            cached,
            capacity: self.options.max_isolates,
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
            condemned: self.condemned.load(Ordering::Relaxed),
            in_flight: self.unfinished(),
            queued: deployments
                .iter()
                .map(|deployment| deployment.queued())
                .sum(),
            workers: deployments
                .iter()
                .map(|deployment| {
                    let lanes = deployment.lanes.lock();
                    let memory =
                        |lane: &Arc<Lane>| lane.progress.memory_bytes.load(Ordering::Relaxed);
                    WorkerStats {
                        id: deployment.id.to_string(),
                        isolates: lanes.len(),
                        requests: deployment.requests.load(Ordering::Relaxed),
                        heap_used_bytes: lanes.iter().map(memory).sum(),
                    }
                })
                .collect(),
            respawns: 0,
        }
    }
}

pub(crate) fn check_id(id: &str) -> Result<(), Error> {
    if id.is_empty() {
        return Err(Error::invalid_arg("id", "a name", "an empty string"));
    }
    Ok(())
}

impl LaneOwner for Pool {
    fn retired(&self, lane: &Arc<Lane>) {
        self.condemned.fetch_add(1, Ordering::Relaxed);
        self.leave_deployment(lane);
    }

    fn make_way(&self, lane: &Arc<Lane>) {
        self.yield_place(lane);
    }

    fn spare_isolate(&self, limits: &Limits) -> Option<LockerManagedIsolate> {
        self.reaper.help();
        self.reaper.spare(limits)
    }

    fn has_begun(&self, limits: &Limits) {
        self.reaper.take_displaced();
        // Where one worker has come, another may, even if one has to go for it.
        self.reaper.make_spare(*limits);
    }

    fn keep_code(&self, lane: &Arc<Lane>) {
        self.reaper.keep_code(lane);
    }

    fn place_again(&self, deployment: &Arc<Deployment>, starts: Vec<StartRequest>) {
        for start in starts {
            self.place(deployment, start, Entry::Again);
        }
    }

    fn idle(&self, lane: &Arc<Lane>) {
        if !lane.is_accepting() {
            self.close_lane(lane);
        }
        self.note_warm();
        if self.places_wanted.load(Ordering::SeqCst) > 0 {
            self.serve_waiting();
        }
        if let Some(limit) = self.options.max_memory_bytes {
            while self.memory_bytes() > limit && self.evict_one(Reaper::take) {}
        }
        self.note_quiet();
    }

    fn lost(&self, lane: &Arc<Lane>) {
        self.lose(lane);
    }

    fn found(&self, lane: &Arc<Lane>) {
        self.find(lane);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Lanes hold the pool weakly: nobody is left to take what they would still have to say.
        self.threads.stop();
        for lane in self.lanes.get_mut().drain(..) {
            lane.stop_accepting();
            lane.interrupt();
            if let Some(isolate) = lane.try_take_isolate() {
                self.reaper.take(isolate);
            }
        }
        self.reaper.take_displaced();
    }
}
