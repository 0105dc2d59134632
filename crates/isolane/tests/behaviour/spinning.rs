//! Callers who spin for an answer that is likely to come within microseconds.

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::future::{FutureExt, join, join_all};
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

#[test]
fn who_asks_one_request_after_the_other_lets_other_tasks_of_its_thread_go_on() {
    const REQUESTS: usize = 20_000;
    let (pool, worker) = (pool(), Arc::<WorkerDefinition>::new(script().into()));
    let (is_done, turns) = (Cell::new(false), Cell::new(0));
    let asking = async {
        for _ in 0..REQUESTS {
            let request = Request::get("http://worker.test/");
            let answer = pool.execute("a", &worker, request, RunOptions::default());
            answer.await.expect("an answer");
        }
        is_done.set(true);
    };
    let other = poll_fn(|cx| {
        turns.set(turns.get() + 1);
        cx.waker().wake_by_ref();
        if is_done.get() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    block_on(join(asking, other));
    assert!(turns.get() > REQUESTS / 1000, "{} turns", turns.get());
}

#[test]
fn tasks_of_one_thread_all_go_on() {
    const TASKS: usize = 16;
    const REQUESTS: usize = 500;
    let (pool, worker) = (pool(), Arc::<WorkerDefinition>::new(script().into()));
    let tasks = (0..TASKS).map(|task| {
        let (pool, worker) = (&pool, &worker);
        async move {
            for round in 0..REQUESTS {
                // Some answers are late, so that the thread has others to go on with.
                let path = if round % 50 == task { "wait" } else { "" };
                let request = Request::get(format!("http://worker.test/{path}"));
                let id = format!("worker {}", task % 4);
                let answer = pool.execute(&id, worker, request, RunOptions::default());
                if path.is_empty() {
                    answer.await.expect("an answer");
                } else {
                    assert!(answer.now_or_never().is_none());
                }
            }
        }
    });
    block_on(join_all(tasks));
}
