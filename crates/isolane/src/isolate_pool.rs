//! The production mode: isolates are kept warm by worker id, the least recently used go first, and
//! requests run on lanes (see `pool/`) so that nobody ever waits inside V8's locker.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread;
use std::time::{Duration, Instant};

use isolane_scheduler::{RequestId, next_id};
use parking_lot::{Condvar, Mutex};

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::locker_managed_isolate::IsolateRecipe;
use crate::platform;
use crate::pool::lane::{Item, Lane, LaneOwner};
use crate::pool::reaper::Reaper;
use crate::pool::registry::{Deployment, Registry, WaitingRequests};
use crate::pool::threads::Threads;
use crate::request::{LogSink, Request, RunOptions, ScheduledEvent, Start};
use crate::runtime::events::{Event, StartRequest};
use crate::runtime::modules;
use crate::runtime::realm_state::{Responder, Ticket};
use crate::settlement::{AbortTarget, RunFuture, ScheduledFuture, Settlement, WorkerFuture};
use crate::validation;

/// A worker whose queue lasts longer than this gets another isolate, if it may.
const WAIT_FOR_ANOTHER_ISOLATE: Duration = Duration::from_millis(1);

/// How a pool is set up.
#[derive(Clone)]
pub struct PoolOptions {
    /// How many isolates it keeps; the least recently used idle one makes room.
    pub max_isolates: usize,
    /// How many isolates one worker may have.
    pub max_isolates_per_worker: usize,
    /// How much memory idle isolates may keep, by their last measure. `None`: no limit.
    pub max_memory_bytes: Option<usize>,
    /// How many threads run guests.
    pub threads: usize,
    /// How many requests of one worker may wait; more are refused with `ERR_POOL_FULL`.
    pub max_queue: usize,
    /// Limits of workers that name none.
    pub limits: Limits,
    /// Where workers' consoles go.
    pub on_log: Option<LogSink>,
    /// How long [`IsolatePool::close`] lets requests go on.
    pub grace: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            max_isolates: 100,
            max_isolates_per_worker: cores,
            max_memory_bytes: None,
            threads: cores,
            max_queue: 10_000,
            limits: Limits::default(),
            on_log: None,
            grace: Duration::from_secs(5),
        }
    }
}

/// What a pool holds and has done.
#[derive(Clone, Debug, Default)]
pub struct PoolStats {
    /// Isolates that live.
    pub total: usize,
    /// Isolates that are idle and warm.
    pub cached: usize,
    /// How many isolates it may keep.
    pub capacity: usize,
    /// Requests that found their worker's isolate.
    pub hits: u64,
    /// Requests for which an isolate had to be made.
    pub misses: u64,
    /// Idle isolates that made room for others.
    pub evictions: u64,
    /// Isolates that a limit ended.
    pub condemned: u64,
    /// Requests that have not ended.
    pub in_flight: usize,
    /// Requests that wait for their first turn.
    pub queued: usize,
    /// The workers, in no particular order.
    pub workers: Vec<WorkerStats>,
}

/// One worker's part in a pool.
#[derive(Clone, Debug, Default)]
pub struct WorkerStats {
    /// The worker's id.
    pub id: String,
    /// Its isolates.
    pub isolates: usize,
    /// The requests it was given.
    pub requests: u64,
    /// Heap and buffers of its isolates when last measured.
    pub heap_used_bytes: usize,
}

/// A pool of warm isolates; clones share it.
#[derive(Clone)]
pub struct IsolatePool(Arc<Pool>);

struct Pool {
    me: Weak<Pool>,
    options: PoolOptions,
    registry: Registry,
    threads: Arc<Threads>,
    reaper: Reaper,
    /// All lanes that hold a place in the pool.
    lanes: Mutex<Vec<Arc<Lane>>>,
    /// Requests whose worker has no lane, because every place is taken by a busy one.
    waiting: Mutex<VecDeque<Waiting>>,
    places_wanted: AtomicUsize,
    in_flight: Arc<AtomicUsize>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
    condemned: AtomicU64,
    closed: AtomicBool,
    /// Signalled when a lane has become idle while the pool closes.
    quiet: (Mutex<()>, Condvar),
}

struct Waiting {
    deployment: Arc<Deployment>,
    start: Box<StartRequest>,
}

impl IsolatePool {
    /// A pool with its threads, and no isolate yet.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG` for a count of zero, `ERR_INTERNAL` where no thread can be made.
    pub fn new(options: PoolOptions) -> Result<Self, Error> {
        let counts = [
            ("maxIsolates", options.max_isolates),
            ("maxIsolatesPerWorker", options.max_isolates_per_worker),
            ("threads", options.threads),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(Error::invalid_arg(*name, "at least 1", "0"));
        }
        let threads = Threads::start(options.threads)?;
        let reaper = Reaper::start()?;
        Ok(Self(Arc::new_cyclic(|me| Pool {
            me: me.clone(),
            options,
            registry: Registry::default(),
            threads,
            reaper,
            lanes: Mutex::default(),
            waiting: Mutex::default(),
            places_wanted: AtomicUsize::new(0),
            in_flight: Arc::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
            condemned: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            quiet: Default::default(),
        })))
    }

    /// Evaluates a worker's modules and deploys it under an id; an equal one that is there stays.
    ///
    /// A worker that replaces another takes the requests from then on; the old one finishes its own.
    /// One that does not load replaces nothing.
    ///
    /// # Errors
    ///
    /// Of the future: `ERR_INVALID_ARG`, `ERR_WORKER_SYNTAX`, `ERR_WORKER_EXCEPTION`, `ERR_POOL_CLOSED`.
    pub fn deploy(
        &self,
        id: &str,
        worker: WorkerDefinition,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let future = self.begin_deploy(id, worker);
        async move { future.await.map(drop) }
    }

    /// As [`IsolatePool::deploy`], as a future that can call back.
    pub fn begin_deploy(&self, id: &str, worker: WorkerDefinition) -> ScheduledFuture {
        let candidate = match self.0.candidate(id, Arc::new(worker)) {
            Ok(candidate) => candidate,
            Err(error) => return RunFuture::failed(error),
        };
        let (future, settlement) = RunFuture::new(next_id(), None);
        let pool = self.0.clone();
        let deployment = candidate.clone();
        let load = self.0.run(
            candidate,
            Event::Load,
            Responder::Scheduled,
            RunOptions::default(),
        );
        load.on_ready(move |loaded| {
            match &loaded {
                Ok(_) => pool.install(deployment),
                Err(_) if pool.is_live(&deployment) => {}
                Err(_) => pool.retire_all(&deployment),
            }
            settlement.settle(loaded);
        });
        future
    }

    /// Runs the `fetch` handler of a deployed worker.
    ///
    /// # Errors
    ///
    /// Of the future: `ERR_UNKNOWN_WORKER` and whatever ends the request.
    pub fn fetch(&self, id: &str, request: Request, options: RunOptions) -> WorkerFuture {
        match (self.0.known(id), validation::request(request)) {
            (Ok(deployment), Ok(request)) => {
                self.0
                    .run(deployment, Event::Fetch(request), Responder::Fetch, options)
            }
            (Err(error), _) | (_, Err(error)) => RunFuture::failed(error),
        }
    }

    /// Deploys the worker where it is new or changed, and runs its `fetch` handler.
    pub fn execute(
        &self,
        id: &str,
        worker: &Arc<WorkerDefinition>,
        request: Request,
        options: RunOptions,
    ) -> WorkerFuture {
        match (
            self.0.deployment_of(id, worker),
            validation::request(request),
        ) {
            (Ok(deployment), Ok(request)) => {
                self.0
                    .run(deployment, Event::Fetch(request), Responder::Fetch, options)
            }
            (Err(error), _) | (_, Err(error)) => RunFuture::failed(error),
        }
    }

    /// Runs the `scheduled` handler of a deployed worker.
    pub fn scheduled(
        &self,
        id: &str,
        event: ScheduledEvent,
        options: RunOptions,
    ) -> ScheduledFuture {
        match self.0.known(id) {
            Ok(deployment) => self.0.run(
                deployment,
                Event::Scheduled(event),
                Responder::Scheduled,
                options,
            ),
            Err(error) => RunFuture::failed(error),
        }
    }

    /// Forgets a worker; what it runs may end. False where there is none of that id.
    pub fn evict(&self, id: &str) -> bool {
        let Some(deployment) = self.0.registry.remove(id) else {
            return false;
        };
        self.0.retire_all(&deployment);
        true
    }

    /// What the pool holds and has done.
    pub fn stats(&self) -> PoolStats {
        self.0.stats()
    }

    /// Refuses new requests, lets the others go on for the grace time, and then ends them with
    /// `ERR_POOL_CLOSED`. Ready when every thread has ended; further calls too.
    pub fn close(&self) -> RunFuture<()> {
        let (future, settlement) = RunFuture::new(next_id(), None);
        self.0.closed.store(true, Ordering::SeqCst);
        let pool = self.0.clone();
        let spawned = platform::spawn("isolane-close", move || {
            pool.finish();
            settlement.settle(Ok(()));
        });
        match spawned {
            Ok(_) => future,
            Err(error) => RunFuture::failed(Error::internal(error.to_string())),
        }
    }
}

impl std::fmt::Debug for IsolatePool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IsolatePool")
            .field("options.max_isolates", &self.0.options.max_isolates)
            .finish()
    }
}

impl Pool {
    fn known(&self, id: &str) -> Result<Arc<Deployment>, Error> {
        self.check_open()?;
        self.registry
            .get(id)
            .ok_or_else(|| ErrorKind::UnknownWorker(id.to_owned()).into())
    }

    fn check_open(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::SeqCst) {
            Err(ErrorKind::PoolClosed.into())
        } else {
            Ok(())
        }
    }

    fn deployment_of(
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
        let (deployment, replaced) = self.registry.deploy(id, definition, || {
            self.new_deployment(id, definition.clone())
        });
        if let Some(replaced) = replaced {
            self.retire_all(&replaced);
        }
        Ok(deployment)
    }

    /// The present deployment where it is the same, or one that is not in the registry yet.
    fn candidate(
        &self,
        id: &str,
        definition: Arc<WorkerDefinition>,
    ) -> Result<Arc<Deployment>, Error> {
        self.check_open()?;
        check_id(id)?;
        modules::validate(&definition)?;
        let present = self.registry.get(id);
        Ok(
            match present.filter(|present| present.definition.is_same(&definition)) {
                Some(present) => present,
                None => self.new_deployment(id, definition),
            },
        )
    }

    fn is_live(&self, deployment: &Arc<Deployment>) -> bool {
        self.registry
            .get(&deployment.id)
            .is_some_and(|live| Arc::ptr_eq(&live, deployment))
    }

    fn install(&self, deployment: Arc<Deployment>) {
        let replaced = self.registry.install(deployment.clone());
        if let Some(replaced) = replaced.filter(|replaced| !Arc::ptr_eq(replaced, &deployment)) {
            self.retire_all(&replaced);
        }
    }

    fn new_deployment(&self, id: &str, definition: Arc<WorkerDefinition>) -> Arc<Deployment> {
        Arc::new(Deployment {
            id: Arc::from(id),
            definition,
            lanes: Mutex::default(),
            leaving: Mutex::default(),
            requests: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            pool: self.me.clone(),
        })
    }

    fn run<T>(
        &self,
        deployment: Arc<Deployment>,
        event: Event,
        responder: impl FnOnce(Settlement<T>) -> Responder,
        options: RunOptions,
    ) -> RunFuture<T> {
        let id = next_id();
        deployment.requests.fetch_add(1, Ordering::Relaxed);
        let target: Arc<dyn AbortTarget> = deployment.clone();
        let (future, settlement) = RunFuture::new(id, Some(target));
        let limits = deployment.definition.limits.unwrap_or(self.options.limits);
        let start = Box::new(StartRequest {
            id,
            event,
            responder: responder(settlement),
            limits: options.limits.unwrap_or(limits),
            on_log: options.on_log,
            start: Start::Warm,
            ticket: Some(Ticket::new(&self.in_flight)),
        });
        let quick = self.place(&deployment, start);
        future.expect_quick(quick)
    }

    /// Finds a lane for a request; says whether its answer is likely to come within microseconds.
    fn place(&self, deployment: &Arc<Deployment>, start: Box<StartRequest>) -> bool {
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
    fn try_lanes(
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
        self.hits.fetch_add(1, Ordering::Relaxed);
        let quick = lane.is_quick();
        lane.push(Item::Start(start));
        Ok(quick)
    }

    fn has_room(&self) -> bool {
        self.lanes.lock().len() < self.options.max_isolates
    }

    /// Makes a lane for the request, evicting an idle one where the pool is full; gives the request
    /// back where all are busy.
    fn place_on_new_lane(
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
        lane.push(Item::Start(start));
        None
    }

    fn new_lane(&self, deployment: &Arc<Deployment>) -> Arc<Lane> {
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

    fn take_place(&self, lane: &Arc<Lane>) -> bool {
        let mut lanes = self.lanes.lock();
        let free = lanes.len() < self.options.max_isolates;
        if free {
            lanes.push(lane.clone());
        }
        free
    }

    /// Evicts the idle lane that was used least recently; false where all are busy.
    fn evict_one(&self) -> bool {
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
    fn close_lane(&self, lane: &Arc<Lane>) -> bool {
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
    fn retire_all(&self, deployment: &Arc<Deployment>) {
        let lanes = std::mem::take(&mut *deployment.lanes.lock());
        deployment.leaving.lock().extend(lanes.iter().cloned());
        for lane in lanes {
            lane.stop_accepting();
            self.close_lane(&lane);
        }
    }

    /// Gives waiting requests to lanes, as far as there is room.
    fn serve_waiting(&self) {
        while self.places_wanted.load(Ordering::SeqCst) > 0 {
            let Some(Waiting { deployment, start }) = self.waiting.lock().pop_front() else {
                return;
            };
            self.places_wanted.fetch_sub(1, Ordering::SeqCst);
            deployment.waiting.fetch_sub(1, Ordering::Relaxed);
            let start = match self.try_lanes(&deployment, start) {
                Ok(_) => continue,
                Err(start) => start,
            };
            let Some(start) = self.place_on_new_lane(&deployment, start) else {
                continue;
            };
            deployment.waiting.fetch_add(1, Ordering::Relaxed);
            self.waiting
                .lock()
                .push_front(Waiting { deployment, start });
            self.places_wanted.fetch_add(1, Ordering::SeqCst);
            return;
        }
    }

    fn memory_bytes(&self) -> usize {
        self.lanes
            .lock()
            .iter()
            .map(|lane| lane.memory_bytes.load(Ordering::Relaxed))
            .sum()
    }

    fn stats(&self) -> PoolStats {
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
            in_flight: self.in_flight.load(Ordering::Relaxed),
            queued: deployments
                .iter()
                .map(|deployment| deployment.queued())
                .sum(),
            workers: deployments
                .iter()
                .map(|deployment| {
                    let lanes = deployment.lanes.lock();
                    let memory = |lane: &Arc<Lane>| lane.memory_bytes.load(Ordering::Relaxed);
                    WorkerStats {
                        id: deployment.id.to_string(),
                        isolates: lanes.len(),
                        requests: deployment.requests.load(Ordering::Relaxed),
                        heap_used_bytes: lanes.iter().map(memory).sum(),
                    }
                })
                .collect(),
        }
    }

    /// Waits for the requests, ends those that go on, and stops the threads.
    fn finish(&self) {
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
            lane.push(Item::Fail(closed.clone()));
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

fn check_id(id: &str) -> Result<(), Error> {
    if id.is_empty() {
        return Err(Error::invalid_arg("id", "a name", "an empty string"));
    }
    Ok(())
}

impl LaneOwner for Pool {
    fn retired(&self, lane: &Arc<Lane>) {
        self.condemned.fetch_add(1, Ordering::Relaxed);
        if let Some(deployment) = lane.deployment() {
            deployment
                .lanes
                .lock()
                .retain(|other| !Arc::ptr_eq(other, lane));
            deployment.leaving.lock().push(lane.clone());
        }
    }

    fn place_again(&self, deployment: &Arc<Deployment>, starts: Vec<StartRequest>) {
        for start in starts {
            self.place(deployment, Box::new(start));
        }
    }

    fn idle(&self, lane: &Arc<Lane>) {
        if !lane.is_accepting() {
            self.close_lane(lane);
        }
        if self.places_wanted.load(Ordering::SeqCst) > 0 {
            self.serve_waiting();
        }
        if let Some(limit) = self.options.max_memory_bytes {
            while self.memory_bytes() > limit && self.evict_one() {}
        }
        if self.closed.load(Ordering::SeqCst) {
            let _guard = self.quiet.0.lock();
            self.quiet.1.notify_all();
        }
    }
}

impl WaitingRequests for Pool {
    fn abort_waiting(&self, request: RequestId) {
        let mut waiting = self.waiting.lock();
        let Some(at) = waiting
            .iter()
            .position(|waiting| waiting.start.id == request)
        else {
            return;
        };
        let found = waiting.remove(at);
        drop(waiting);
        if let Some(Waiting { deployment, start }) = found {
            self.places_wanted.fetch_sub(1, Ordering::SeqCst);
            deployment.waiting.fetch_sub(1, Ordering::Relaxed);
            start.fail(ErrorKind::Aborted.into());
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Lanes hold the pool weakly: without it they only finish what they have.
        self.threads.stop();
        for lane in self.lanes.get_mut().drain(..) {
            lane.stop_accepting();
            if let Some(isolate) = lane.try_take_isolate() {
                self.reaper.take(isolate);
            }
        }
    }
}

static DEFAULT_POOL: OnceLock<IsolatePool> = OnceLock::new();

/// Configures the default pool; once, before its first use.
///
/// # Errors
///
/// `ERR_POOL_INITIALIZED` where the default pool exists already.
pub fn init_pool(options: PoolOptions) -> Result<(), Error> {
    let already = || Error::from(ErrorKind::PoolInitialized);
    if DEFAULT_POOL.get().is_some() {
        return Err(already());
    }
    DEFAULT_POOL
        .set(IsolatePool::new(options)?)
        .map_err(|_| already())
}

/// The default pool, made with default options where [`init_pool`] was not called.
///
/// # Errors
///
/// `ERR_INTERNAL` where the system cannot make its threads.
pub fn default_pool() -> Result<IsolatePool, Error> {
    if let Some(pool) = DEFAULT_POOL.get() {
        return Ok(pool.clone());
    }
    let pool = IsolatePool::new(PoolOptions::default())?;
    Ok(DEFAULT_POOL.get_or_init(|| pool).clone())
}

/// Runs a request on the default pool. The first call for an id deploys its worker; a changed
/// definition redeploys it.
///
/// # Examples
///
/// ```
/// # futures_executor::block_on(async {
/// let script = "export default { fetch: (r) => new Response('hello ' + new URL(r.url).pathname) }";
/// let response = isolane::execute_pooled("a", script, "http://x/world").await?;
/// assert_eq!(response.status, 200);
/// # Ok::<(), isolane::Error>(())
/// # }).unwrap();
/// ```
///
/// # Cancel safety
///
/// Dropping the future ends the guest's work for the request.
///
/// # Errors
///
/// Of the future: every code of [`Error::code`] that a request can end with.
pub fn execute_pooled(
    worker_id: &str,
    worker: impl Into<Deployable>,
    request: impl Into<Request>,
) -> WorkerFuture {
    match default_pool() {
        Ok(pool) => pool.execute(
            worker_id,
            &worker.into().0,
            request.into(),
            RunOptions::default(),
        ),
        Err(error) => RunFuture::failed(error),
    }
}

/// What the default pool holds and has done; all zero before its first use.
pub fn get_pool_stats() -> PoolStats {
    DEFAULT_POOL
        .get()
        .map(IsolatePool::stats)
        .unwrap_or_default()
}

/// A definition for [`execute_pooled`]: a script, a definition, or a shared definition. A shared one
/// is recognised by its address, which spares comparing sources on every call.
pub struct Deployable(Arc<WorkerDefinition>);

impl From<&str> for Deployable {
    fn from(script: &str) -> Self {
        Self(Arc::new(script.into()))
    }
}

impl From<String> for Deployable {
    fn from(script: String) -> Self {
        Self(Arc::new(script.into()))
    }
}

impl From<WorkerDefinition> for Deployable {
    fn from(definition: WorkerDefinition) -> Self {
        Self(Arc::new(definition))
    }
}

impl From<&Arc<WorkerDefinition>> for Deployable {
    fn from(definition: &Arc<WorkerDefinition>) -> Self {
        Self(definition.clone())
    }
}

impl From<Arc<WorkerDefinition>> for Deployable {
    fn from(definition: Arc<WorkerDefinition>) -> Self {
        Self(definition)
    }
}
