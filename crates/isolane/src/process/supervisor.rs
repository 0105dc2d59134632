//! The parent's side of a pool whose isolates are in a child process: what its handles call, and the
//! thread that starts a child, reads what it says, and starts the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use isolane_scheduler::{RequestId, next_id};
use parking_lot::{Condvar, Mutex, RwLock};

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind};
use crate::pool::core::check_id;
use crate::pool::options::{PoolOptions, PoolStats, WorkerStats};
use crate::request::RunOptions;
use crate::runtime::active_request::Responder;
use crate::runtime::events::Event;
use crate::runtime::modules;
use crate::settlement::{AbortTarget, Received, RunFuture, ScheduledFuture, Settlement};

use super::death::Death;
use super::generation::{Generation, Job};
use super::guard;
use super::host::Host;
use super::program::ChildProgram;
use super::protocol::{Counters, ToChild, WorkerKey};
use super::workers::{Deployed, WorkerOwner};

/// How long the second child in a row that served nothing is waited with; doubled for each further.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What the handles of a pool share with its supervisor's thread.
pub(crate) struct Shared {
    pub(crate) host: Arc<Host>,
    program: ChildProgram,
    /// The child that takes requests, started or about to be.
    current: RwLock<Arc<Generation>>,
    closed: AtomicBool,
    stopping: (Mutex<bool>, Condvar),
    respawns: AtomicU64,
    /// What the children before the current one had counted.
    before: Mutex<Counters>,
}

/// A pool's handles' end of it; dropping it ends the child once no request is in flight.
pub(crate) struct Supervisor {
    pub(crate) shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Supervisor {
    /// Starts to start a child.
    ///
    /// # Errors
    ///
    /// `ERR_INTERNAL` where the system cannot make the thread.
    pub(crate) fn new(options: PoolOptions, program: ChildProgram) -> Result<Self, Error> {
        let host = Arc::new(Host::new(options));
        let shared = Arc::new(Shared {
            current: RwLock::new(Generation::new(&host)),
            host,
            program,
            closed: AtomicBool::new(false),
            stopping: Default::default(),
            respawns: AtomicU64::new(0),
            before: Mutex::default(),
        });
        guard::watch(&shared);
        let supervised = shared.clone();
        let thread = thread::Builder::new()
            .name("isolane-supervisor".to_owned())
            .spawn(move || supervised.supervise())
            .map_err(|error| Error::internal(format!("the supervisor's thread: {error}")))?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// As [`IsolatePool::begin_deploy`](crate::IsolatePool::begin_deploy).
    pub(crate) fn begin_deploy(&self, id: &str, definition: WorkerDefinition) -> ScheduledFuture {
        let worker = match self.shared.candidate(id, Arc::new(definition)) {
            Ok(worker) => worker,
            Err(error) => return RunFuture::failed(error),
        };
        let (future, settlement) = RunFuture::new(next_id(), None);
        let shared = self.shared.clone();
        let options = RunOptions::default();
        let load = shared.run(worker.clone(), Event::Load, Responder::Scheduled, options);
        load.on_ready(move |loaded| {
            match &loaded {
                Ok(_) => shared.install(&worker),
                Err(_) if shared.host.workers.is_live(&worker) => {}
                Err(_) => shared.retire(&worker),
            }
            settlement.settle(loaded);
        });
        future
    }

    /// Refuses new requests from now on.
    pub(crate) fn begin_close(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
    }

    /// Waits for the requests, ends those that go on, and the child.
    pub(crate) fn finish(&self) {
        let deadline = Instant::now() + self.shared.host.options.grace;
        self.shared.host.wait_until_quiet(Some(deadline));
        self.shared.stop();
        // Held while it waits, so that a second caller waits too.
        let mut thread = self.thread.lock();
        if let Some(thread) = thread.take() {
            // A panic there was a bug of ours that has ended the requests by dropping them.
            let _ = thread.join();
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.begin_close();
        if self.shared.host.in_flight() == 0 {
            return self.shared.stop();
        }
        // The answers are still awaited, as with isolates in this process.
        let shared = self.shared.clone();
        let waiting = move || {
            shared.host.wait_until_quiet(None);
            shared.stop();
        };
        let waiting = thread::Builder::new()
            .name("isolane-close".to_owned())
            .spawn(waiting);
        if waiting.is_err() {
            self.shared.stop();
        }
    }
}

impl Shared {
    pub(crate) fn current(&self) -> Arc<Generation> {
        self.current.read().clone()
    }

    fn check_open(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::SeqCst) {
            Err(ErrorKind::PoolClosed.into())
        } else {
            Ok(())
        }
    }

    pub(crate) fn known(&self, id: &str) -> Result<Arc<Deployed>, Error> {
        self.check_open()?;
        let unknown = || ErrorKind::UnknownWorker(id.to_owned()).into();
        self.host.workers.get(id).ok_or_else(unknown)
    }

    /// The live worker of that definition, deployed where there is none.
    pub(crate) fn deployed(
        self: &Arc<Self>,
        id: &str,
        definition: &Arc<WorkerDefinition>,
    ) -> Result<Arc<Deployed>, Error> {
        self.check_open()?;
        if let Some(present) = self.host.workers.same(id, definition) {
            return Ok(present);
        }
        let worker = self.new_worker(id, definition.clone())?;
        let (worker, replaced) = self.host.workers.deploy(worker);
        if let Some(replaced) = replaced {
            self.retire(&replaced);
        }
        Ok(worker)
    }

    /// The live worker where it is the same, or one that is not live yet.
    pub(crate) fn candidate(
        self: &Arc<Self>,
        id: &str,
        definition: Arc<WorkerDefinition>,
    ) -> Result<Arc<Deployed>, Error> {
        self.check_open()?;
        match self.host.workers.same(id, &definition) {
            Some(present) => Ok(present),
            None => self.new_worker(id, definition),
        }
    }

    fn new_worker(
        self: &Arc<Self>,
        id: &str,
        definition: Arc<WorkerDefinition>,
    ) -> Result<Arc<Deployed>, Error> {
        check_id(id)?;
        modules::validate(&definition)?;
        let me = Arc::downgrade(self);
        Deployed::new(id, definition, me)
    }

    /// Makes a worker live that has proved to load.
    pub(crate) fn install(&self, worker: &Arc<Deployed>) {
        let replaced = self.host.workers.install(worker);
        let key = worker.key;
        self.current().tell(key, &ToChild::Install { key });
        if let Some(replaced) = replaced {
            self.retire(&replaced);
        }
    }

    /// Has the child give up a worker that is not live; what it runs may end.
    pub(crate) fn retire(&self, worker: &Deployed) {
        let key = worker.key;
        self.current().tell(key, &ToChild::Retire { key });
    }

    /// Forgets a live worker; false where there is none of that id.
    pub(crate) fn evict(&self, id: &str) -> bool {
        let removed = self.host.workers.remove(id);
        if let Some(worker) = &removed {
            self.retire(worker);
        }
        removed.is_some()
    }

    /// Sends a request to the child.
    pub(crate) fn run<T: Received>(
        self: &Arc<Self>,
        worker: Arc<Deployed>,
        event: Event,
        responder: impl FnOnce(Settlement<T>) -> Responder,
        options: RunOptions,
    ) -> RunFuture<T> {
        worker.requests.fetch_add(1, Ordering::Relaxed);
        // The child counts those that it has; these are the ones that it did not take in.
        if worker.unsent.load(Ordering::Relaxed) > self.host.options.max_queue {
            return RunFuture::failed(ErrorKind::PoolFull.into());
        }
        let request = next_id();
        let target: Arc<dyn AbortTarget> = self.clone();
        let (future, settlement) = RunFuture::new(request, Some(target));
        let mut job = Box::new(Job {
            request,
            worker,
            event,
            responder: responder(settlement),
            options,
        });
        let mut generation = self.current();
        while let Err(back) = generation.start(job) {
            job = back;
            // That child has ended, and by then the next generation was in place.
            let next = self.current();
            if Arc::ptr_eq(&generation, &next) {
                job.responder.fail(ErrorKind::PoolClosed.into());
                break;
            }
            generation = next;
        }
        future
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let current = self.current();
        let before = *self.before.lock();
        let tick = current.tick.lock();
        let now = tick.counters;
        let worker = |(id, requests): (Arc<str>, u64)| {
            let counters = tick.workers.iter().find(|worker| *worker.id == *id);
            WorkerStats {
                id: id.to_string(),
                isolates: counters.map_or(0, |worker| worker.isolates as usize),
                requests,
                heap_used_bytes: counters.map_or(0, |worker| {
                    usize::try_from(worker.heap_used_bytes).unwrap_or(usize::MAX)
                }),
            }
        };
        PoolStats {
            total: now.total as usize,
            cached: now.cached as usize,
            capacity: self.host.options.max_isolates,
            hits: before.hits.saturating_add(now.hits),
            misses: before.misses.saturating_add(now.misses),
            evictions: before.evictions.saturating_add(now.evictions),
            condemned: before.condemned.saturating_add(now.condemned),
            in_flight: self.host.in_flight(),
            queued: now.queued as usize,
            workers: self.host.workers.counts().into_iter().map(worker).collect(),
            respawns: self.respawns.load(Ordering::Relaxed),
        }
    }

    /// Ends the child for good.
    fn stop(&self) {
        self.closed.store(true, Ordering::SeqCst);
        *self.stopping.0.lock() = true;
        self.stopping.1.notify_all();
        self.current().kill(Death::Closed);
        // The guard looks once more, and finds the pool gone.
        self.host.busy.notify_one();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.0.lock()
    }

    /// The supervisor's thread. It starts the children, which end with it.
    fn supervise(self: Arc<Self>) {
        let mut in_vain = 0;
        loop {
            let generation = self.current();
            if self.is_stopping() {
                generation.end(&Death::Closed);
                return;
            }
            let death = match self.program.spawn() {
                Ok(spawned) => generation.serve(spawned),
                Err(error) => Death::NotStarted(error.to_string()),
            };
            in_vain = if generation.served.load(Ordering::Relaxed) {
                0
            } else {
                in_vain + 1
            };
            if !self.is_stopping() {
                // In place before the old one ends, so that what comes then has where to go.
                *self.current.write() = Generation::new(&self.host);
                self.respawns.fetch_add(1, Ordering::Relaxed);
            }
            self.add_up(&generation);
            generation.end(&death);
            if in_vain > 1 {
                self.pause(in_vain - 2);
            }
        }
    }

    fn add_up(&self, ended: &Generation) {
        let last = std::mem::take(&mut *ended.tick.lock()).counters;
        let mut before = self.before.lock();
        before.hits = before.hits.saturating_add(last.hits);
        before.misses = before.misses.saturating_add(last.misses);
        before.evictions = before.evictions.saturating_add(last.evictions);
        before.condemned = before.condemned.saturating_add(last.condemned);
    }

    /// Waits before the next child is started, unless the pool is to end.
    fn pause(&self, doublings: u32) {
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings.min(16));
        let until = Instant::now() + pause.min(LONGEST_PAUSE);
        let mut stopping = self.stopping.0.lock();
        while !*stopping {
            if self.stopping.1.wait_until(&mut stopping, until).timed_out() {
                return;
            }
        }
    }
}

impl AbortTarget for Shared {
    fn abort(self: Arc<Self>, request: RequestId) {
        // One of an earlier child has ended with it.
        self.current().abort(request);
    }
}

impl WorkerOwner for Shared {
    fn forget(&self, key: WorkerKey) {
        self.current().tell(key, &ToChild::Forget { key });
    }
}
