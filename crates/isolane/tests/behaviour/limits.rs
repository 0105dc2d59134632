//! Each limit ends its request with its code, in every mode; others go on.

use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{
    Error, ExecutionContext, Request, Response, RunOptions, SharedIsolate, SharedIsolateOptions,
    Worker, WorkerOptions,
};

use crate::support::{handler, pool, run, small_limits, text};

/// Runs a handler's body in each mode.
fn in_every_mode(body: &str, check: impl Fn(&str, Result<Response, Error>)) {
    let script = handler(body);
    let request = || Request::get("http://worker.test/");
    let options = WorkerOptions {
        limits: small_limits(),
        ..WorkerOptions::default()
    };
    let worker = Worker::new(script.as_str(), options).expect("a worker");
    check(
        "Worker",
        block_on(worker.fetch(request(), RunOptions::default())),
    );

    let shared = script.clone();
    let thread = isolane::platform::spawn("context", move || {
        let isolate = SharedIsolate::new(SharedIsolateOptions {
            limits: small_limits(),
        })?;
        let mut context = ExecutionContext::new(&isolate, shared)?;
        block_on(context.fetch(request(), RunOptions::default()))
    });
    check(
        "ExecutionContext",
        thread.expect("a thread").join().expect("no panic"),
    );

    let pool = pool();
    check("IsolatePool", run(&pool, "a", &script));
    let harmless = run(&pool, "b", &handler("return new Response('fine')"));
    assert_eq!(text(harmless.expect("others go on")), "fine");
}

fn ends_with(code: &str, body: &str) {
    in_every_mode(body, |mode, outcome| {
        let error = outcome
            .err()
            .unwrap_or_else(|| panic!("{mode}: {code} was expected: {body}"));
        assert_eq!(error.code(), code, "{mode}: {body}: {error}");
    });
}

#[test]
fn a_loop_ends_by_its_cpu_limit() {
    let begin = Instant::now();
    ends_with("ERR_CPU_LIMIT", "for (;;);");
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn catch_and_finally_cannot_hold_a_termination() {
    ends_with(
        "ERR_CPU_LIMIT",
        "for (;;) { try { for (;;); } catch {} finally { for (;;); } }",
    );
}

#[test]
fn microtasks_without_end_are_charged() {
    ends_with(
        "ERR_CPU_LIMIT",
        "const f = () => { Promise.resolve().then(f) }; f(); await new Promise(() => {});",
    );
}

#[test]
fn a_regular_expression_that_backtracks_is_ended() {
    ends_with(
        "ERR_CPU_LIMIT",
        "return new Response(/^(a+)+$/.test('a'.repeat(40) + 'b'))",
    );
}

#[test]
fn reading_what_was_thrown_is_charged_too() {
    ends_with("ERR_CPU_LIMIT", "throw { get message() { for (;;); } }");
    ends_with(
        "ERR_CPU_LIMIT",
        "return { get status() { for (;;); }, then(f) { for (;;); } }",
    );
}

#[test]
fn turns_add_up_to_the_cpu_limit() {
    ends_with(
        "ERR_CPU_LIMIT",
        "for (;;) { const end = Date.now() + 20; while (Date.now() < end); await new Promise((f) => setTimeout(f, 1)); }",
    );
}

#[test]
fn sleeping_is_not_charged() {
    in_every_mode(
        "await new Promise((f) => setTimeout(f, 400)); return new Response('slept')",
        |mode, outcome| {
            let response = outcome.unwrap_or_else(|error| panic!("{mode}: {error}"));
            assert!(response.usage.cpu < Duration::from_millis(100), "{mode}");
            assert_eq!(text(response), "slept");
        },
    );
}

#[test]
fn a_parked_guest_is_woken_at_its_wall_limit() {
    let script = handler("await new Promise(() => {})");
    let mut limits = small_limits();
    limits.wall = Some(Duration::from_millis(150));
    let options = WorkerOptions {
        limits,
        ..WorkerOptions::default()
    };
    let worker = Worker::new(script.as_str(), options).expect("a worker");
    let begin = Instant::now();
    let outcome =
        block_on(worker.fetch(Request::get("http://worker.test/"), RunOptions::default()));
    assert_eq!(
        outcome.expect_err("nothing answers").code(),
        "ERR_WALL_LIMIT"
    );
    assert!(begin.elapsed() >= Duration::from_millis(150));

    let pool = pool();
    let worker = std::sync::Arc::new(script.into());
    let run = RunOptions {
        limits: Some(limits),
        ..RunOptions::default()
    };
    let outcome = block_on(pool.execute("a", &worker, Request::get("http://worker.test/"), run));
    assert_eq!(
        outcome.expect_err("nothing answers").code(),
        "ERR_WALL_LIMIT"
    );
}

#[test]
fn a_heap_that_grows_without_end_is_condemned_and_answered() {
    ends_with(
        "ERR_HEAP_LIMIT",
        "const a = []; for (;;) a.push({ x: a.length });",
    );
}

#[test]
fn array_buffers_have_a_limit_of_their_own() {
    ends_with(
        "ERR_BUFFER_LIMIT",
        "const a = []; for (;;) a.push(new ArrayBuffer(1 << 20));",
    );
    in_every_mode(
        "try { new ArrayBuffer(1 << 30) } catch (e) { new ArrayBuffer(1 << 20); return new Response(e.name) }",
        |mode, outcome| {
            assert_eq!(
                text(outcome.unwrap_or_else(|error| panic!("{mode}: {error}"))),
                "RangeError"
            );
        },
    );
}

#[test]
fn a_response_longer_than_allowed_is_ended() {
    let mut limits = small_limits();
    limits.response_bytes = Some(1000);
    let options = WorkerOptions {
        limits,
        ..WorkerOptions::default()
    };
    let request = || Request::get("http://worker.test/");
    let whole = Worker::new(
        handler("return new Response('x'.repeat(1001))"),
        options.clone(),
    );
    let outcome = block_on(
        whole
            .expect("a worker")
            .fetch(request(), RunOptions::default()),
    );
    assert_eq!(
        outcome.expect_err("it is too long").code(),
        "ERR_RESPONSE_LIMIT"
    );

    let streamed = handler(
        "return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(400)) } }))",
    );
    let streamed = Worker::new(streamed, options).expect("a worker");
    let response = block_on(streamed.fetch(request(), RunOptions::default())).expect("its head");
    let error = block_on(response.body.into_bytes(1 << 20)).expect_err("it is too long");
    assert!(error.to_string().contains("ERR_RESPONSE_LIMIT"), "{error}");
}

#[test]
fn more_subrequests_than_allowed_are_refused() {
    let mut limits = small_limits();
    limits.subrequests = Some(3);
    let body = "const names = []; for (let i = 0; i < 5; i++) { try { await fetch('http://127.0.0.1:1/') } catch (e) { names.push(e.message) } } return new Response(names.join('|'))";
    let worker = Worker::new(
        handler(body),
        WorkerOptions {
            limits,
            ..WorkerOptions::default()
        },
    );
    let request = Request::get("http://worker.test/");
    let response = block_on(
        worker
            .expect("a worker")
            .fetch(request, RunOptions::default()),
    );
    let answer = text(response.expect("an answer"));
    assert_eq!(
        answer.matches("Too many subrequests").count(),
        2,
        "{answer}"
    );
}

#[test]
fn a_loop_at_the_top_level_ends_by_its_cpu_limit() {
    let request = || Request::get("http://worker.test/");
    let options = WorkerOptions {
        limits: small_limits(),
        ..WorkerOptions::default()
    };
    for script in [
        "for (;;); export default {}",
        "for (;;);",
        "const again = () => void Promise.resolve().then(again); again(); export default {}",
        "const again = () => void Promise.resolve().then(again); again();",
    ] {
        let worker = Worker::new(script, options.clone()).expect("a worker");
        let outcome = block_on(worker.fetch(request(), RunOptions::default()));
        assert_eq!(
            outcome.expect_err("it never ends").code(),
            "ERR_CPU_LIMIT",
            "{script}"
        );
        let error = run(&pool(), "a", script).expect_err("it never ends");
        assert_eq!(error.code(), "ERR_CPU_LIMIT", "{script}");
    }
}

#[test]
fn a_streamed_body_ends_with_the_limit_that_ended_its_request() {
    let mut limits = small_limits();
    limits.wall = Some(Duration::from_millis(150));
    let body =
        "return new Response(new ReadableStream({ pull() { return new Promise(() => {}) } }))";
    let worker = Worker::new(
        handler(body),
        WorkerOptions {
            limits,
            ..WorkerOptions::default()
        },
    );
    let request = Request::get("http://worker.test/");
    let response = block_on(
        worker
            .expect("a worker")
            .fetch(request, RunOptions::default()),
    );
    let body = response.expect("the head comes at once").body;
    let error = block_on(body.into_bytes(1 << 20)).expect_err("the body never ends");
    assert!(error.to_string().contains("ERR_WALL_LIMIT"), "{error}");
}

#[test]
fn close_interrupts_what_runs() {
    let mut limits = small_limits();
    (limits.cpu, limits.wall) = (None, None);
    let (begun, wait_for_begin) = std::sync::mpsc::channel();
    let on_log: isolane::LogSink = std::sync::Arc::new(move |_| begun.send(()).expect("awaited"));

    let options = WorkerOptions {
        limits,
        on_log: Some(on_log.clone()),
        ..WorkerOptions::default()
    };
    let worker = Worker::new(handler("console.log('begun'); for (;;);"), options);
    let worker = worker.expect("a worker");
    let future = worker.fetch(Request::get("http://worker.test/"), RunOptions::default());
    wait_for_begin.recv().expect("the guest begins");
    worker.close();
    assert_eq!(
        block_on(future).expect_err("it was closed").code(),
        "ERR_CLOSED"
    );

    let options = isolane::RuntimeOptions {
        limits,
        on_log: Some(on_log),
        ..isolane::RuntimeOptions::default()
    };
    let runtime = isolane::RuntimeHandle::new(options).expect("a runtime");
    let source = "console.log('begun'); for (;;);";
    let spinning = runtime.evaluate(source, None, RunOptions::default());
    wait_for_begin.recv().expect("the guest begins");
    block_on(runtime.close()).expect("closed");
    assert_eq!(
        block_on(spinning).expect_err("it was closed").code(),
        "ERR_CLOSED"
    );
}
