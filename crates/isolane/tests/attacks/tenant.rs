//! The modes, and a worker in one of them: the same few calls for all.

use std::fmt;
use std::sync::Arc;

use futures_executor::block_on;
use isolane::{
    ChildProgram, Error, ErrorKind, ExecutionContextHandle, IsolatePool, Isolation, PoolOptions,
    Request, Response, RunOptions, SharedIsolateHandle, SharedIsolateOptions, Worker,
    WorkerDefinition, WorkerFuture, WorkerOptions,
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
    /// A pool whose isolates live in a child process.
    Process,
}

impl Mode {
    pub(crate) const ALL: [Self; 4] = [Self::Worker, Self::Context, Self::Pool, Self::Process];

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
            Self::Process => "process",
        })
    }
}

/// A fetch handler's body as a worker.
pub(crate) fn handler(body: &str) -> WorkerDefinition {
    WorkerDefinition::script(format!(
        "export default {{ async fetch(request, env, ctx) {{ {body} }} }}"
    ))
}

/// A response's body as text.
pub(crate) fn text(response: Response) -> String {
    let bytes = block_on(response.body.into_bytes(256 << 20)).expect("a readable body");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What the tenants of one process run on.
pub(crate) struct Host {
    mode: Mode,
    pool: Option<IsolatePool>,
}

impl Host {
    pub(crate) fn new(mode: Mode) -> Self {
        let isolation = match mode {
            Mode::Process => {
                Isolation::Process(ChildProgram::current_exe().expect("this program's path"))
            }
            _ => Isolation::InProcess,
        };
        let options = PoolOptions {
            threads: 2,
            isolation,
            ..PoolOptions::default()
        };
        let pooled = matches!(mode, Mode::Pool | Mode::Process);
        let pool = pooled.then(|| IsolatePool::new(options).expect("a pool"));
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
        let future = self.begin(Request::get(format!("http://tenant.test/{path}")))?;
        let answer = block_on(future);
        if let Self::Context(tenant) = self {
            tenant.note(&answer);
        }
        answer
    }

    /// Sends a request; in the mode that has contexts, waits for the context first.
    pub(crate) fn begin(&mut self, request: Request) -> Result<WorkerFuture, Error> {
        let options = RunOptions::default();
        match self {
            Self::Worker(worker) => Ok(worker.fetch(request, options)),
            Self::Context(tenant) => Ok(tenant.context()?.fetch(request, options)),
            Self::Pooled {
                pool,
                id,
                definition,
            } => Ok(pool.execute(id, definition, request, options)),
        }
    }

    /// Closes what the tenant runs on.
    pub(crate) fn close(&self) {
        match self {
            Self::Worker(worker) => worker.close(),
            Self::Context(tenant) => block_on(tenant.isolate.close()).expect("closed"),
            Self::Pooled { pool, .. } => block_on(pool.close()).expect("closed"),
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
        let limits = definition.limits.unwrap_or_default();
        let isolate = SharedIsolateHandle::new(SharedIsolateOptions { limits });
        Self {
            context: None,
            isolate: isolate.expect("a shared isolate"),
            definition,
        }
    }

    fn context(&mut self) -> Result<&ExecutionContextHandle, Error> {
        if self.context.is_none() {
            let made = self.isolate.create_context(self.definition.clone(), None);
            self.context = Some(block_on(made)?);
        }
        Ok(self.context.as_ref().expect("it was just made"))
    }

    /// A context that a limit has ended is made anew.
    fn note(&mut self, answer: &Result<Response, Error>) {
        let ended =
            |error: &Error| matches!(error.kind(), ErrorKind::Limit(_) | ErrorKind::Internal(_));
        if answer.as_ref().is_err_and(ended) {
            self.context = None;
        }
    }
}
