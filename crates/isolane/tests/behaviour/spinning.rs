//! Callers who spin for an answer that is likely to come within microseconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{
    Request, RunOptions, SharedIsolateHandle, SharedIsolateOptions, WorkerDefinition, WorkerFuture,
};

use crate::support::{handler, pool};

/// Far longer than all of a test takes where nobody spins in vain.
const LONG: Duration = Duration::from_secs(60);

/// Asks again and again, in turns, for what comes at once, which has the next caller spin, and for what does not.
fn stops_where_the_request_waits(send: impl Fn(Request) -> WorkerFuture) {
    let begin = Instant::now();
    for _ in 0..200 {
        let mut quick = send(Request::get("http://worker.test/"));
        if quick.wait_briefly(LONG).is_none() {
            block_on(quick).expect("an answer");
        }
        let mut waiting = send(Request::get("http://worker.test/wait"));
        assert!(waiting.wait_briefly(LONG).is_none());
        drop(waiting);
    }
    assert!(begin.elapsed() < LONG, "it took {:?}", begin.elapsed());
}

fn script() -> String {
    handler(
        "if (request.url.endsWith('wait')) await scheduler.wait(120_000); return new Response('ok')",
    )
}

#[test]
fn who_asks_a_pool_stops_when_the_request_waits() {
    let (pool, worker) = (pool(), Arc::<WorkerDefinition>::new(script().into()));
    stops_where_the_request_waits(|request| {
        pool.execute("a", &worker, request, RunOptions::default())
    });
}

#[test]
fn who_asks_a_context_stops_when_the_request_waits() {
    let isolate = SharedIsolateHandle::new(SharedIsolateOptions::default()).expect("an isolate");
    let context = block_on(isolate.create_context(script(), None)).expect("a context");
    stops_where_the_request_waits(|request| context.fetch(request, RunOptions::default()));
}
