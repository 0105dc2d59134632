//! A turn in a native of V8's that never looks whether it was told to stop: who waits is answered
//! without it, and its thread is replaced.

use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{
    Error, Limits, Request, RunOptions, RuntimeHandle, RuntimeOptions, SharedIsolateHandle,
    SharedIsolateOptions, Worker, WorkerOptions,
};

use crate::support::{handler, small_limits, text};

/// Seconds of native code, in one call.
const STUCK: &str = "'a'.repeat(1 << 22).lastIndexOf('a'.repeat(1 << 11) + 'b');";
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
        on_log: None,
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
        on_log: None,
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
