//! The modes, and a worker in one of them: the same few calls for all.

use std::fmt;
use std::sync::Arc;

use futures_executor::block_on;
use isolane::{
    Error, ErrorKind, ExecutionContextHandle, IsolatePool, Limits, PoolOptions, Request, Response,
    RunOptions, SharedIsolateHandle, SharedIsolateOptions, Worker, WorkerDefinition, WorkerOptions,
};

/// How workers are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A new isolate for each request.
    Worker,
    /// A context on a shared isolate.
    Context,
    /// A pool of warm isolates.
    Pool,
}

impl Mode {
    pub(crate) const ALL: [Self; 3] = [Self::Worker, Self::Context, Self::Pool];

    pub(crate) fn parse(name: &str) -> Self {
        let mode = Self::ALL.into_iter().find(|mode| mode.to_string() == name);
        mode.unwrap_or_else(|| panic!("unknown mode {name:?}"))
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Worker => "worker",
            Self::Context => "context",
            Self::Pool => "pool",
        })
    }
}

/// What the tenants of one process run on.
pub(crate) struct Host {
    mode: Mode,
    pool: Option<IsolatePool>,
}

impl Host {
    pub(crate) fn new(mode: Mode) -> Self {
        let options = PoolOptions {
            threads: 2,
            ..PoolOptions::default()
        };
        let pool = (mode == Mode::Pool).then(|| IsolatePool::new(options).expect("a pool"));
        Self { mode, pool }
    }

    /// A worker under an id of its own; nothing runs yet.
    pub(crate) fn tenant(&self, id: &str, definition: WorkerDefinition) -> Tenant {
        match (self.mode, &self.pool) {
            (Mode::Worker, _) => {
                Tenant::Worker(Worker::new(definition, WorkerOptions::default()).expect("a worker"))
            }
            (_, Some(pool)) => Tenant::Pooled {
                pool: pool.clone(),
                id: id.to_owned(),
                definition: Arc::new(definition),
            },
            (_, None) => Tenant::Context(Box::new(ContextTenant::new(definition))),
        }
    }
}

/// One tenant's worker.
pub(crate) enum Tenant {
    Worker(Worker),
    Context(Box<ContextTenant>),
    Pooled {
        pool: IsolatePool,
        id: String,
        definition: Arc<WorkerDefinition>,
    },
}

impl Tenant {
    /// Sends a request and waits for its head.
    pub(crate) fn fetch(&mut self, path: &str) -> Result<Response, Error> {
        let request = Request::get(format!("http://tenant.test/{path}"));
        match self {
            Self::Worker(worker) => block_on(worker.fetch(request, RunOptions::default())),
            Self::Context(tenant) => tenant.fetch(request),
            Self::Pooled {
                pool,
                id,
                definition,
            } => block_on(pool.execute(id, definition, request, RunOptions::default())),
        }
    }

    /// Lets go of what is kept for the tenant.
    pub(crate) fn release(self) {
        if let Self::Pooled { pool, id, .. } = self {
            pool.evict(&id);
        }
    }
}

/// A shared isolate with one context, which is made again where its isolate was condemned.
pub(crate) struct ContextTenant {
    context: Option<ExecutionContextHandle>,
    isolate: SharedIsolateHandle,
    definition: WorkerDefinition,
}

impl ContextTenant {
    fn new(definition: WorkerDefinition) -> Self {
        let limits = definition.limits.unwrap_or(Limits::default());
        let isolate = SharedIsolateHandle::new(SharedIsolateOptions { limits });
        Self {
            context: None,
            isolate: isolate.expect("a shared isolate"),
            definition,
        }
    }

    fn fetch(&mut self, request: Request) -> Result<Response, Error> {
        let context = match &self.context {
            Some(context) => context,
            None => {
                let made = self.isolate.create_context(self.definition.clone(), None);
                self.context.insert(block_on(made)?)
            }
        };
        let answer = block_on(context.fetch(request, RunOptions::default()));
        if let Err(error) = &answer
            && matches!(error.kind(), ErrorKind::Limit(_) | ErrorKind::Internal(_))
        {
            self.context = None;
        }
        answer
    }
}
