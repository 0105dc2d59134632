//! The process's default pool, and the one call that most programs need.

use std::sync::{Arc, OnceLock};

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind};
use crate::isolate_pool::IsolatePool;
use crate::pool::options::{PoolOptions, PoolStats};
use crate::request::{Request, RunOptions};
use crate::settlement::{RunFuture, WorkerFuture};

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
