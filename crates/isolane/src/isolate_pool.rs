//! The production mode: isolates are kept warm by worker id, the least recently used go first, and
//! requests run on lanes (see `pool/`) so that nobody ever waits inside V8's locker.

use std::sync::Arc;

use isolane_scheduler::next_id;

use crate::definition::WorkerDefinition;
use crate::error::Error;
use crate::platform;
use crate::pool::core::Pool;
use crate::pool::options::{PoolOptions, PoolStats};
use crate::process::Isolation;
#[cfg(unix)]
use crate::process::supervisor::Supervisor;
use crate::request::{Request, RunOptions, ScheduledEvent};
use crate::runtime::active_request::Responder;
use crate::runtime::events::Event;
use crate::settlement::{RunFuture, ScheduledFuture, WorkerFuture};
use crate::validation;

/// A pool of warm isolates; clones share it.
#[derive(Clone)]
pub struct IsolatePool(Backend);

/// Where the isolates are.
#[derive(Clone)]
enum Backend {
    InProcess(Arc<Pool>),
    #[cfg(unix)]
    Process(Arc<Supervisor>),
}

impl IsolatePool {
    /// A pool with its threads or its child process, and no isolate yet.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG` for a count of zero, and for isolation by process where there is none;
    /// `ERR_INTERNAL` where no thread can be made.
    pub fn new(mut options: PoolOptions) -> Result<Self, Error> {
        let counts = [
            ("maxIsolates", options.max_isolates),
            ("maxIsolatesPerWorker", options.max_isolates_per_worker),
            ("threads", options.threads),
            ("processMemoryMb", options.process_memory_bytes),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(Error::invalid_arg(*name, "at least 1", "0"));
        }
        match std::mem::take(&mut options.isolation) {
            Isolation::InProcess => Ok(Self(Backend::InProcess(Pool::new(options)?))),
            #[cfg(unix)]
            Isolation::Process(program) => {
                let supervisor = Supervisor::new(options, program)?;
                Ok(Self(Backend::Process(Arc::new(supervisor))))
            }
            #[cfg(not(unix))]
            Isolation::Process(_) => Err(Error::invalid_arg(
                "isolation",
                "'in-process' on this system",
                "'process'",
            )),
        }
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
        match &self.0 {
            Backend::InProcess(pool) => begin_deploy(pool, id, worker),
            #[cfg(unix)]
            Backend::Process(supervisor) => supervisor.begin_deploy(id, worker),
        }
    }

    /// Runs the `fetch` handler of a deployed worker.
    ///
    /// # Errors
    ///
    /// Of the future: `ERR_UNKNOWN_WORKER` and whatever ends the request.
    pub fn fetch(&self, id: &str, request: Request, options: RunOptions) -> WorkerFuture {
        match &self.0 {
            Backend::InProcess(pool) => match with_request(pool.known(id), request) {
                Ok((deployment, event)) => pool.run(deployment, event, Responder::Fetch, options),
                Err(error) => RunFuture::failed(error),
            },
            #[cfg(unix)]
            Backend::Process(supervisor) => {
                let shared = &supervisor.shared;
                match with_request(shared.known(id), request) {
                    Ok((worker, event)) => shared.run(worker, event, Responder::Fetch, options),
                    Err(error) => RunFuture::failed(error),
                }
            }
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
        match &self.0 {
            Backend::InProcess(pool) => {
                match with_request(pool.deployment_of(id, worker), request) {
                    Ok((deployment, event)) => {
                        pool.run(deployment, event, Responder::Fetch, options)
                    }
                    Err(error) => RunFuture::failed(error),
                }
            }
            #[cfg(unix)]
            Backend::Process(supervisor) => {
                let shared = &supervisor.shared;
                match with_request(shared.deployed(id, worker), request) {
                    Ok((worker, event)) => shared.run(worker, event, Responder::Fetch, options),
                    Err(error) => RunFuture::failed(error),
                }
            }
        }
    }

    /// Runs the `scheduled` handler of a deployed worker.
    pub fn scheduled(
        &self,
        id: &str,
        event: ScheduledEvent,
        options: RunOptions,
    ) -> ScheduledFuture {
        match &self.0 {
            Backend::InProcess(pool) => match pool.known(id) {
                Ok(deployment) => {
                    let event = Event::Scheduled(event);
                    pool.run(deployment, event, Responder::Scheduled, options)
                }
                Err(error) => RunFuture::failed(error),
            },
            #[cfg(unix)]
            Backend::Process(supervisor) => match supervisor.shared.known(id) {
                Ok(worker) => {
                    let event = Event::Scheduled(event);
                    supervisor
                        .shared
                        .run(worker, event, Responder::Scheduled, options)
                }
                Err(error) => RunFuture::failed(error),
            },
        }
    }

    /// Forgets a worker; what it runs may end. False where there is none of that id.
    pub fn evict(&self, id: &str) -> bool {
        match &self.0 {
            Backend::InProcess(pool) => pool.forget(id),
            #[cfg(unix)]
            Backend::Process(supervisor) => supervisor.shared.evict(id),
        }
    }

    /// What the pool holds and has done.
    pub fn stats(&self) -> PoolStats {
        match &self.0 {
            Backend::InProcess(pool) => pool.stats(),
            #[cfg(unix)]
            Backend::Process(supervisor) => supervisor.shared.stats(),
        }
    }

    /// Refuses new requests, lets the others go on for the grace time, and then ends them with
    /// `ERR_POOL_CLOSED`. Ready when every thread has ended, and the child process; further calls too.
    pub fn close(&self) -> RunFuture<()> {
        let (future, settlement) = RunFuture::new(next_id(), None);
        let backend = self.0.clone();
        backend.begin_close();
        let finish = move || {
            backend.finish();
            settlement.settle(Ok(()));
        };
        let spawned = match &self.0 {
            // It drops isolates.
            Backend::InProcess(_) => platform::spawn("isolane-close", finish),
            #[cfg(unix)]
            Backend::Process(_) => std::thread::Builder::new()
                .name("isolane-close".to_owned())
                .spawn(finish),
        };
        match spawned {
            Ok(_) => future,
            Err(error) => RunFuture::failed(Error::internal(error.to_string())),
        }
    }
}

impl Backend {
    fn begin_close(&self) {
        match self {
            Self::InProcess(pool) => pool.begin_close(),
            #[cfg(unix)]
            Self::Process(supervisor) => supervisor.begin_close(),
        }
    }

    fn finish(&self) {
        match self {
            Self::InProcess(pool) => pool.finish(),
            #[cfg(unix)]
            Self::Process(supervisor) => supervisor.finish(),
        }
    }
}

/// A worker that was found, and the event of a request that can be used.
fn with_request<W>(worker: Result<W, Error>, request: Request) -> Result<(W, Event), Error> {
    let worker = worker?;
    Ok((worker, Event::Fetch(validation::request(request)?)))
}

fn begin_deploy(pool: &Arc<Pool>, id: &str, worker: WorkerDefinition) -> ScheduledFuture {
    let candidate = match pool.candidate(id, Arc::new(worker)) {
        Ok(candidate) => candidate,
        Err(error) => return RunFuture::failed(error),
    };
    let (future, settlement) = RunFuture::new(next_id(), None);
    let (pool, deployment) = (pool.clone(), candidate.clone());
    let options = RunOptions::default();
    let load = pool.run(candidate, Event::Load, Responder::Scheduled, options);
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

impl std::fmt::Debug for IsolatePool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (isolation, options) = match &self.0 {
            Backend::InProcess(pool) => ("in-process", pool.options()),
            #[cfg(unix)]
            Backend::Process(supervisor) => ("process", &supervisor.shared.host.options),
        };
        f.debug_struct("IsolatePool")
            .field("isolation", &isolation)
            .field("options.max_isolates", &options.max_isolates)
            .finish()
    }
}
