//! What each mode costs beside bare V8 doing the same, measured in one run.
//!
//! V8's read-only heap is one for a process, so bare V8 (with its own snapshot) is measured in a
//! child process of this program, in turns with ours.

use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{
    ExecutionContext, IsolatePool, PoolOptions, Request, RunOptions, SharedIsolate,
    SharedIsolateOptions, Worker, WorkerDefinition, WorkerOptions,
};

const HELLO: &str =
    "export default { fetch: (r) => new Response('hello ' + new URL(r.url).pathname) }";
const PLAIN: &str = "export default { fetch: (r) => new Response('hello') }";
/// Uses what many workers use of the web platform.
const MUCH: &str = "export default { async fetch(r) {
    const abort = new AbortController();
    const url = new URL(r.url);
    const headers = new Headers(r.headers);
    headers.set('path', url.pathname);
    console.log('request', { url: url.href, query: url.searchParams.get('q') });
    abort.signal.throwIfAborted();
    const body = new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('hello')); c.close(); } });
    return new Response(body, { headers });
} }";

fn main() {
    if std::env::args().nth(1).as_deref() == Some("bare") {
        return bare();
    }
    let program = std::env::current_exe().expect("this program's path");
    for _ in 0..2 {
        let status = Command::new(&program)
            .arg("bare")
            .status()
            .expect("a child process");
        assert!(status.success());
        ours();
    }
}

fn report(what: &str, mut samples: Vec<f64>) {
    samples.sort_by(f64::total_cmp);
    let at = |part: f64| samples[((samples.len() - 1) as f64 * part) as usize];
    println!(
        "{what:<46} mean {:>9.2}   p10 {:>9.2}   p50 {:>9.2}   p99 {:>9.2} µs",
        samples.iter().sum::<f64>() / samples.len() as f64,
        at(0.1),
        at(0.5),
        at(0.99)
    );
}

fn time(samples: usize, mut body: impl FnMut()) -> Vec<f64> {
    (0..samples)
        .map(|_| {
            let begin = Instant::now();
            body();
            begin.elapsed().as_secs_f64() * 1e6
        })
        .collect()
}

fn bare() {
    v8::V8::initialize_platform(v8::new_default_platform(1, false).make_shared());
    v8::V8::initialize();
    let begin = |isolate: &mut v8::OwnedIsolate| {
        v8::scope!(let scope, isolate);
        let context = v8::Context::new(scope, Default::default());
        let scope = &mut v8::ContextScope::new(scope, context);
        let code = v8::String::new(scope, "(u) => 'hello ' + u").expect("a string");
        let function = v8::Script::compile(scope, code, None).and_then(|script| script.run(scope));
        let function: v8::Local<v8::Function> = function
            .and_then(|value| value.try_into().ok())
            .expect("a function");
        let url = v8::String::new(scope, "/world").expect("a string").into();
        let receiver = v8::undefined(scope).into();
        function.call(scope, receiver, &[url]).expect("an answer");
        (
            v8::Global::new(scope, context),
            v8::Global::new(scope, function),
        )
    };
    report(
        "bare V8: isolate, context, script, first call",
        time(60, || {
            let mut isolate = v8::Isolate::new(Default::default());
            begin(&mut isolate);
        }),
    );
    let mut isolate = v8::Isolate::new(Default::default());
    report(
        "bare V8: context on a live isolate",
        time(2000, || {
            v8::scope!(let scope, &mut isolate);
            let _ = v8::Context::new(scope, Default::default());
        }),
    );
    let (context, function) = begin(&mut isolate);
    // SAFETY: nothing but globals is attached to the isolate.
    let shared = unsafe { isolate.try_into_shared() }.expect("no weak handles");
    report(
        "bare V8: lock and unlock",
        time(20_000, || drop(shared.lock())),
    );
    report(
        "bare V8: locked call with one string",
        time(20_000, || {
            let mut lock = shared.lock();
            let scope = pin!(v8::HandleScope::new(&mut *lock));
            let scope = &mut scope.init();
            let context = v8::Local::new(scope, &context);
            let scope = &mut v8::ContextScope::new(scope, context);
            let function = v8::Local::new(scope, &function);
            let url = v8::String::new(scope, "http://x/world")
                .expect("a string")
                .into();
            let receiver = v8::undefined(scope).into();
            let answer = function.call(scope, receiver, &[url]).expect("an answer");
            assert!(answer.to_rust_string_lossy(scope).len() > 5);
        }),
    );
}

fn request() -> Request {
    Request::get("http://x/world")
}

fn ours() {
    let pool = IsolatePool::new(PoolOptions::default()).expect("a pool");
    for (name, script) in [("hello with URL", HELLO), ("plain hello", PLAIN)] {
        let worker: Arc<WorkerDefinition> = Arc::new(script.into());
        let run = || {
            block_on(pool.execute(name, &worker, request(), RunOptions::default()))
                .expect("an answer");
        };
        for _ in 0..2000 {
            run();
        }
        report(&format!("execute_pooled, warm, {name}"), time(50_000, run));
    }
    let fresh: Arc<WorkerDefinition> = Arc::new(WorkerDefinition {
        context: isolane::ContextPolicy::Fresh,
        ..WorkerDefinition::script(PLAIN)
    });
    report(
        "execute_pooled, context: fresh, sustained",
        time(5000, || {
            block_on(pool.execute("fresh", &fresh, request(), RunOptions::default()))
                .expect("an answer");
        }),
    );
    block_on(pool.close()).expect("closed");
    report(
        "a new worker, its isolate made ahead",
        new_workers(PLAIN, WORKERS),
    );
    report(
        "the same in a full pool, another one goes",
        new_workers(PLAIN, WORKERS / 10),
    );
    report(
        "one that uses much, its isolate made ahead",
        new_workers(MUCH, WORKERS),
    );
    std::thread::sleep(Duration::from_millis(100));
    let contexts = isolane::platform::spawn("contexts", || {
        let isolate = SharedIsolate::new(SharedIsolateOptions::default()).expect("an isolate");
        report(
            "a bare context with every web API",
            time(2000, || isolane::bench_support::new_context(&isolate)),
        );
        report(
            "ExecutionContext::new with a module",
            time(1000, || {
                drop(ExecutionContext::new(&isolate, PLAIN).expect("a context"))
            }),
        );
        let answer = || {
            let mut context = ExecutionContext::new(&isolate, PLAIN).expect("a context");
            block_on(context.fetch(request(), RunOptions::default())).expect("an answer");
        };
        report(
            "ExecutionContext::new and its first response",
            time(1000, answer),
        );
        let samples = (0..1000).flat_map(|_| {
            isolate.prepare();
            time(1, answer)
        });
        report("the same, the context made ahead", samples.collect());
    });
    contexts.expect("a thread").join().expect("no panic");
    let worker = || Worker::new(PLAIN, WorkerOptions::default()).expect("a worker");
    let answer = |worker: &Worker| {
        block_on(worker.fetch(request(), RunOptions::default())).expect("an answer");
    };
    report(
        "Worker: a new isolate to its first response",
        time(100, || answer(&worker())),
    );
    let followed = worker();
    report(
        "Worker: requests one after the other",
        time(500, || answer(&followed)),
    );
    let samples = (0..200).flat_map(|_| {
        std::thread::sleep(Duration::from_millis(10));
        time(1, || answer(&followed))
    });
    report(
        "Worker: an isolate made ahead to its first response",
        samples.collect(),
    );
}

/// How many new workers come.
const WORKERS: usize = 200;

/// How long workers that nobody has seen take to answer, where there is time to make the next isolate.
fn new_workers(script: &str, max_isolates: usize) -> Vec<f64> {
    let pool = IsolatePool::new(PoolOptions {
        max_isolates,
        ..PoolOptions::default()
    });
    let pool = pool.expect("a pool");
    let samples = (0..WORKERS).flat_map(|number| {
        let script = format!("{script} // {number}");
        let worker = Arc::new(WorkerDefinition::script(script));
        std::thread::sleep(Duration::from_millis(10));
        time(1, || {
            let id = number.to_string();
            block_on(pool.execute(&id, &worker, request(), RunOptions::default()))
                .expect("an answer");
        })
    });
    let samples = samples.collect();
    block_on(pool.close()).expect("closed");
    samples
}
