//! A turn in a native of V8's that never looks whether it was told to stop: who waits is answered
//! without it, and its thread is replaced.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{
    Error, Limits, LogSink, Request, RunOptions, RuntimeHandle, RuntimeOptions,
    SharedIsolateHandle, SharedIsolateOptions, Worker, WorkerDefinition, WorkerFuture,
    WorkerOptions,
};

use crate::support::{handler, pool_with, run, small_limits, text};

/// Seconds of native code, in one call.
const STUCK: &str = "'a'.repeat(1 << 22).lastIndexOf('a'.repeat(1 << 11) + 'b');";
/// A second or so of it.
const STUCK_SHORTLY: &str = "'a'.repeat(1 << 21).lastIndexOf('a'.repeat(1 << 10) + 'b');";
/// Less than the native takes on the fastest machine.
const PROMPTLY: Duration = Duration::from_secs(3);

fn limits() -> Limits {
    Limits {
        cpu: Some(Duration::from_millis(100)),
        ..small_limits()
    }
}

fn request() -> Request {
    Request::get("http://worker.test/")
}

#[track_caller]
fn assert_ended<T>(begin: Instant, outcome: Result<T, Error>) {
    let error = outcome.err().expect("the limit ends it");
    assert_eq!(error.code(), "ERR_CPU_LIMIT", "{error}");
    let took = begin.elapsed();
    assert!(took < PROMPTLY, "answered after {took:?}");
}

#[test]
fn a_workers_request_is_answered_without_its_isolate() {
    let options = WorkerOptions {
        limits: limits(),
        ..WorkerOptions::default()
    };
    let worker = Worker::new(handler(STUCK), options).expect("a worker");
    let begin = Instant::now();
    assert_ended(
        begin,
        block_on(worker.fetch(request(), RunOptions::default())),
    );
}

#[test]
fn top_level_code_is_answered_for_too() {
    let options = WorkerOptions {
        limits: limits(),
        ..WorkerOptions::default()
    };
    let script = format!("{STUCK} export default {{ fetch: () => new Response('late') }}");
    let worker = Worker::new(script, options).expect("a worker");
    let begin = Instant::now();
    assert_ended(
        begin,
        block_on(worker.fetch(request(), RunOptions::default())),
    );
}

#[test]
fn a_runtime_goes_on_with_a_new_isolate() {
    let runtime = RuntimeHandle::new(RuntimeOptions {
        limits: limits(),
        ..RuntimeOptions::default()
    })
    .expect("a runtime");
    let begin = Instant::now();
    let stuck = runtime.evaluate(STUCK, None, RunOptions::default());
    assert_ended(begin, block_on(stuck));
    let next = runtime.evaluate("1 + 1", None, RunOptions::default());
    block_on(next).expect("a thread serves it");
    assert!(begin.elapsed() < PROMPTLY);
}

#[test]
fn the_other_requests_of_its_isolate_are_answered_with_it() {
    let isolate =
        SharedIsolateHandle::new(SharedIsolateOptions { limits: limits() }).expect("an isolate");
    let parked = handler("await new Promise((done) => setTimeout(done, 60_000))");
    let parked = block_on(isolate.create_context(parked, None)).expect("a context");
    let streaming = handler(
        "return new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1)) } }))",
    );
    let streaming = block_on(isolate.create_context(streaming, None)).expect("a context");
    let stuck = block_on(isolate.create_context(handler(STUCK), None)).expect("a context");

    let waits = parked.fetch(request(), RunOptions::default());
    let streams = block_on(streaming.fetch(request(), RunOptions::default())).expect("a head");
    let begin = Instant::now();
    assert_ended(
        begin,
        block_on(stuck.fetch(request(), RunOptions::default())),
    );
    assert_ended(begin, block_on(waits));
    let body = block_on(streams.body.into_bytes(16)).expect_err("the body fails");
    assert!(body.to_string().contains("ERR_CPU_LIMIT"), "{body}");

    let again = isolate.create_context(handler("return new Response('on')"), None);
    let again = block_on(again).expect("a context on a new thread");
    let answer = block_on(again.fetch(request(), RunOptions::default()));
    assert_eq!(text(answer.expect("an answer")), "on");
    assert!(begin.elapsed() < PROMPTLY);
}

#[test]
fn nobody_is_told_of_an_abort_that_was_anothers() {
    let isolate = SharedIsolateHandle::new(SharedIsolateOptions::default()).expect("an isolate");
    let script = format!(
        "if (request.url.endsWith('stuck')) {{ console.log('begun'); {STUCK} }} await new Promise(() => {{}})"
    );
    let (say, begun) = std::sync::mpsc::channel();
    let on_log: LogSink = Arc::new(move |_| say.send(()).expect("the test waits"));
    let context = isolate.create_context(handler(&script), Some(on_log));
    let context = block_on(context).expect("a context");
    let options = || RunOptions {
        limits: Some(Limits {
            cpu: None,
            ..Limits::default()
        }),
        ..RunOptions::default()
    };
    let begin = Instant::now();
    let waits = context.fetch(request(), options());
    let stuck = context.fetch(Request::get("http://worker.test/stuck"), options());
    begun.recv().expect("it begins");
    // Before the native is called the turn would end as it should: nothing tells from inside of it.
    let in_the_native = Instant::now() + Duration::from_millis(100);
    while Instant::now() < in_the_native {
        std::thread::yield_now();
    }
    stuck.abort_handle().abort();
    let code = |answer: WorkerFuture| block_on(answer).expect_err("it is ended").code();
    assert_eq!(code(stuck), "ERR_ABORTED");
    assert_eq!(code(waits), "ERR_WALL_LIMIT");
    assert!(begin.elapsed() < PROMPTLY);
}

#[test]
fn a_pool_replaces_the_thread_and_serves_all_other_workers() {
    let pool = pool_with(|options| {
        options.limits = limits();
        options.threads = 1;
        options.max_isolates_per_worker = 1;
    });
    let stuck = Arc::new(WorkerDefinition::script(handler(STUCK)));
    let begin = Instant::now();
    let first = pool.execute("stuck", &stuck, request(), RunOptions::default());
    let other = run(&pool, "other", &handler("return new Response('fine')"));
    assert_eq!(text(other.expect("an answer")), "fine");
    assert_ended(begin, block_on(first));
    // The isolate that it may have is still there.
    let next = block_on(pool.execute("stuck", &stuck, request(), RunOptions::default()));
    assert_eq!(next.expect_err("nothing ran").code(), "ERR_POOL_FULL");
    let stats = pool.stats();
    assert_eq!((stats.in_flight, stats.condemned), (0, 1), "{stats:?}");
    block_on(pool.close()).expect("closed");
    assert!(begin.elapsed() < PROMPTLY);
}

#[test]
fn a_worker_gets_its_isolates_back_when_the_thread_returns() {
    let pool = pool_with(|options| {
        options.limits = limits();
        options.max_isolates_per_worker = 1;
    });
    let script = handler(&format!(
        "if (request.url.endsWith('stuck')) {{ {STUCK_SHORTLY} }} return new Response('back')"
    ));
    let worker = Arc::new(WorkerDefinition::script(script));
    let stuck = Request::get("http://worker.test/stuck");
    let first = block_on(pool.execute("w", &worker, stuck, RunOptions::default()));
    assert_eq!(first.expect_err("it is ended").code(), "ERR_CPU_LIMIT");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let next = pool.execute("w", &worker, request(), RunOptions::default());
        match block_on(next) {
            Ok(response) => break assert_eq!(text(response), "back"),
            Err(error) => assert_eq!(error.code(), "ERR_POOL_FULL", "{error}"),
        }
        assert!(Instant::now() < deadline, "the thread never came back");
        std::thread::yield_now();
    }
}
