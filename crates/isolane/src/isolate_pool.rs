//! The production mode: isolates are kept warm by worker id, the least recently used go first, and
//! requests run on lanes (see `pool/`) so that nobody ever waits inside V8's locker.

use std::sync::Arc;

use isolane_scheduler::next_id;

use crate::definition::WorkerDefinition;
use crate::error::Error;
use crate::platform;
use crate::pool::core::Pool;
use crate::pool::options::{PoolOptions, PoolStats};
use crate::request::{Request, RunOptions, ScheduledEvent};
use crate::runtime::events::Event;
use crate::runtime::realm_state::Responder;
use crate::settlement::{RunFuture, ScheduledFuture, WorkerFuture};
use crate::validation;

/// A pool of warm isolates; clones share it.
#[derive(Clone)]
pub struct IsolatePool(Arc<Pool>);

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
        Ok(Self(Pool::new(options)?))
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
        self.0.forget(id)
    }

    /// What the pool holds and has done.
    pub fn stats(&self) -> PoolStats {
        self.0.stats()
    }

    /// Refuses new requests, lets the others go on for the grace time, and then ends them with
    /// `ERR_POOL_CLOSED`. Ready when every thread has ended; further calls too.
    pub fn close(&self) -> RunFuture<()> {
        let (future, settlement) = RunFuture::new(next_id(), None);
        self.0.begin_close();
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
            .field("options.max_isolates", &self.0.options().max_isolates)
            .finish()
    }
}
