//! What isolates, contexts and requests cost. Bare V8 has another startup snapshot, which may not be
//! in the same process; `cargo run --release --example costs` measures it beside ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use futures_executor::block_on;
use isolane::{
    ContextPolicy, ExecutionContext, IsolatePool, Limits, PoolOptions, Request, RunOptions,
    SharedIsolate, SharedIsolateOptions, UnenteredIsolate, Worker, WorkerDefinition, WorkerOptions,
    bench_support, platform,
};

const HELLO: &str =
    "export default { fetch: (r) => new Response('hello ' + new URL(r.url).pathname) }";

fn request() -> Request {
    Request::get("http://worker.test/world")
}

fn run(pool: &IsolatePool, id: &str, worker: &Arc<WorkerDefinition>) {
    block_on(pool.execute(id, worker, request(), RunOptions::default())).expect("an answer");
}

fn isolates(c: &mut Criterion) {
    let mut group = c.benchmark_group("isolate");
    group.sample_size(50);
    group.bench_function("new", |b| {
        b.iter_with_large_drop(|| UnenteredIsolate::new(&Limits::default()).expect("an isolate"));
    });
    let isolate = UnenteredIsolate::new(&Limits::default()).expect("an isolate");
    group.bench_function("lock_and_unlock", |b| b.iter(|| drop(isolate.lock())));
    let worker = Worker::new(HELLO, WorkerOptions::default()).expect("a worker");
    group.bench_function("worker_first_response", |b| {
        b.iter(|| block_on(worker.fetch(request(), RunOptions::default())).expect("an answer"));
    });
    group.finish();
}

fn contexts(c: &mut Criterion) {
    let mut group = c.benchmark_group("context");
    let isolate = SharedIsolate::new(SharedIsolateOptions::default()).expect("an isolate");
    group.bench_function("with_every_web_api", |b| {
        b.iter(|| bench_support::new_context(&isolate))
    });
    group.bench_function("first_response", |b| {
        b.iter(|| {
            let mut context = ExecutionContext::new(&isolate, HELLO).expect("a context");
            block_on(context.fetch(request(), RunOptions::default())).expect("an answer")
        });
    });
    let mut context = ExecutionContext::new(&isolate, HELLO).expect("a context");
    group.bench_function("warm_response_on_its_thread", |b| {
        b.iter(|| block_on(context.fetch(request(), RunOptions::default())).expect("an answer"));
    });
    group.finish();
}

fn warm_requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("execute_pooled");
    let pool = IsolatePool::new(PoolOptions::default()).expect("a pool");
    let warm: Arc<WorkerDefinition> = Arc::new(HELLO.into());
    group.bench_function("warm", |b| b.iter(|| run(&pool, "warm", &warm)));
    let fresh = WorkerDefinition {
        context: ContextPolicy::Fresh,
        ..WorkerDefinition::script(HELLO)
    };
    let fresh = Arc::new(fresh);
    group.bench_function("fresh_context", |b| b.iter(|| run(&pool, "fresh", &fresh)));
    group.finish();
    block_on(pool.close()).expect("closed");
}

fn threads(c: &mut Criterion) {
    for workers in [1, 8] {
        let mut group = c.benchmark_group(format!("threads_on_{workers}_workers"));
        group.throughput(Throughput::Elements(1));
        for threads in [1, 2, 4, 8] {
            let pool = IsolatePool::new(PoolOptions::default()).expect("a pool");
            let worker: Arc<WorkerDefinition> = Arc::new(HELLO.into());
            group.bench_function(BenchmarkId::from_parameter(threads), |b| {
                b.iter_custom(|requests| share(&pool, &worker, workers, threads, requests));
            });
            block_on(pool.close()).expect("closed");
        }
        group.finish();
    }
}

/// The time that `threads` callers take for `requests` between them.
fn share(
    pool: &IsolatePool,
    worker: &Arc<WorkerDefinition>,
    workers: usize,
    threads: usize,
    requests: u64,
) -> Duration {
    let left = AtomicUsize::new(requests as usize);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for index in 0..threads {
            let left = &left;
            scope.spawn(move || {
                let name = format!("w{}", index % workers);
                let next = || {
                    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                };
                while next().is_ok() {
                    run(pool, &name, worker);
                }
            });
        }
    });
    begin.elapsed()
}

fn eviction(c: &mut Criterion) {
    let mut group = c.benchmark_group("eviction");
    group.sample_size(30);
    let options = PoolOptions {
        max_isolates: 4,
        ..PoolOptions::default()
    };
    let pool = IsolatePool::new(options).expect("a pool");
    let worker: Arc<WorkerDefinition> = Arc::new(HELLO.into());
    let mut turn = 0_usize;
    group.bench_function("lru_over_8_workers_in_4_isolates", |b| {
        b.iter(|| {
            turn += 1;
            run(&pool, &format!("w{}", turn % 8), &worker);
        });
    });
    group.finish();
    assert!(pool.stats().evictions > 0);
    block_on(pool.close()).expect("closed");
}

fn main() {
    // Isolates are entered on threads that descend from V8's own.
    let thread = platform::spawn("benches", || {
        let mut criterion = Criterion::default().configure_from_args();
        isolates(&mut criterion);
        contexts(&mut criterion);
        warm_requests(&mut criterion);
        threads(&mut criterion);
        eviction(&mut criterion);
        criterion.final_summary();
    });
    thread.expect("a thread").join().expect("no panic");
}
