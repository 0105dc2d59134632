//! Short ways to run a worker and read its answer.

use std::time::Duration;

use futures_executor::block_on;
use isolane::{
    Error, IsolatePool, Limits, PoolOptions, Request, Response, RunOptions, WorkerDefinition,
};

/// Reads a response's body as text.
pub(crate) fn text(response: Response) -> String {
    let bytes = block_on(response.body.into_bytes(64 << 20)).expect("a readable body");
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A pool with small limits, so that tests of them are quick.
pub(crate) fn pool() -> IsolatePool {
    pool_with(|_| {})
}

pub(crate) fn pool_with(change: impl FnOnce(&mut PoolOptions)) -> IsolatePool {
    let mut options = PoolOptions {
        limits: small_limits(),
        ..PoolOptions::default()
    };
    change(&mut options);
    IsolatePool::new(options).expect("a pool")
}

pub(crate) fn small_limits() -> Limits {
    Limits {
        cpu: Some(Duration::from_millis(400)),
        wall: Some(Duration::from_secs(5)),
        heap_bytes: 32 << 20,
        buffer_bytes: Some(16 << 20),
        ..Limits::default()
    }
}

/// Deploys and runs a script in one go.
pub(crate) fn run(pool: &IsolatePool, id: &str, script: &str) -> Result<Response, Error> {
    let worker = WorkerDefinition::script(script).into();
    block_on(pool.execute(
        id,
        &worker,
        Request::get("http://worker.test/"),
        RunOptions::default(),
    ))
}

/// Wraps a fetch handler's body into a module.
pub(crate) fn handler(body: &str) -> String {
    format!("export default {{ async fetch(request, env, ctx) {{ {body} }} }}")
}
