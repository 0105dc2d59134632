//! One worker cannot starve the others: of the pool's threads, of its places, or by a turn that never
//! ends.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_executor::block_on;
use isolane::{
    BodyReader, IsolatePool, Limits, PoolOptions, Request, RunOptions, WorkerDefinition,
    WorkerFuture,
};

use crate::support::{handler, pool_with, run, text};

/// Longer than a test takes, as long as nothing waits for it.
const LONG: Duration = Duration::from_secs(5);
/// Seconds of V8's native code, which looks at nothing meanwhile.
const STUCK: &str = "'a'.repeat(1 << 22).lastIndexOf('a'.repeat(1 << 11) + 'b');";
/// Less than that takes on the fastest machine.
const PROMPTLY: Duration = Duration::from_secs(3);

fn begin(pool: &IsolatePool, id: &str, body: &str) -> WorkerFuture {
    begin_at(pool, id, body, "")
}

fn begin_at(pool: &IsolatePool, id: &str, body: &str, path: &str) -> WorkerFuture {
    let worker: Arc<WorkerDefinition> = Arc::new(handler(body).into());
    let request = Request::get(format!("http://worker.test/{path}"));
    pool.execute(id, &worker, request, RunOptions::default())
}

fn answer(pool: &IsolatePool, id: &str, body: &str) -> String {
    text(run(pool, id, &handler(body)).expect("an answer"))
}

/// Runs a worker until the pool knows that it is quick.
fn warm_up(pool: &IsolatePool, id: &str, body: &str) {
    for _ in 0..10 {
        answer(pool, id, body);
    }
}

/// A pool with one thread of each class, and what its guests log.
fn narrow_pool(change: impl FnOnce(&mut PoolOptions)) -> (IsolatePool, Receiver<()>) {
    let (logged, log) = channel();
    let pool = pool_with(|options| {
        options.threads = 1;
        options.limits.cpu = Some(LONG);
        options.limits.wall = None;
        options.on_log = Some(Arc::new(move |_| {
            // Nobody may listen any more.
            let _ = logged.send(());
        }));
        change(options);
    });
    (pool, log)
}

#[test]
fn a_quick_worker_is_answered_while_another_spins() {
    let (pool, log) = narrow_pool(|_| {});
    warm_up(&pool, "quick", "return new Response('hello')");
    let spin = "console.log('begun'); for (;;);";
    let noise: Vec<_> = (0..4).map(|_| begin(&pool, "noisy", spin)).collect();
    log.recv().expect("it begins");
    for _ in 0..50 {
        answer(&pool, "quick", "return new Response('hello')");
    }
    assert_eq!(pool.stats().in_flight, noise.len(), "they spin or wait");
}

#[test]
fn a_quick_worker_is_answered_while_one_that_was_quick_spins() {
    let (pool, log) = narrow_pool(|_| {});
    warm_up(&pool, "quick", "return new Response('hello')");
    let turning = "if (request.url.endsWith('spin')) { console.log('begun'); for (;;); } return new Response('')";
    warm_up(&pool, "turning", turning);
    let noise = begin_at(&pool, "turning", turning, "spin");
    log.recv().expect("it begins");
    for _ in 0..50 {
        answer(&pool, "quick", "return new Response('hello')");
    }
    assert_eq!(pool.stats().in_flight, 1, "it still spins");
    drop(noise);
}

#[test]
fn a_new_worker_has_its_turn_among_those_that_spin() {
    let pool = pool_with(|options| {
        options.threads = 1;
        options.max_isolates_per_worker = 1;
        options.limits.cpu = Some(Duration::from_millis(100));
    });
    let noise: Vec<_> = (0..20)
        .map(|_| begin(&pool, "noisy", "for (;;);"))
        .collect();
    assert_eq!(
        answer(&pool, "new", "return new Response('hello')"),
        "hello"
    );
    assert!(pool.stats().in_flight > 0, "others still wait for theirs");
    drop(noise);
}

#[test]
fn with_every_place_taken_by_one_worker_another_gets_its_turn() {
    let pool = pool_with(|options| options.max_isolates = 1);
    let stop = AtomicBool::new(false);
    let most = 20_000;
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                // So many of them that the lane always has more to do.
                while !stop.load(Ordering::Relaxed) && answered.load(Ordering::Relaxed) < most {
                    let body =
                        "await new Promise((f) => setTimeout(f, 1)); return new Response('a')";
                    assert_eq!(answer(&pool, "busy", body), "a");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..5 {
            assert_eq!(answer(&pool, "other", "return new Response('b')"), "b");
        }
        stop.store(true, Ordering::Relaxed);
    });
    let answered = answered.load(Ordering::Relaxed);
    assert!(answered < most, "it only came after all {answered}");
}

#[test]
fn what_waits_for_a_place_is_served_worker_by_worker() {
    let pool = pool_with(|options| (options.max_isolates, options.threads) = (1, 1));
    let holder = begin(
        &pool,
        "holder",
        "await new Promise((f) => setTimeout(f, 60_000))",
    );
    let order = Arc::<Mutex<Vec<&str>>>::default();
    for id in ["a", "a", "a", "b", "c"] {
        let order = order.clone();
        let response = begin(&pool, id, "return new Response('')");
        response.on_ready(move |response| {
            if response.is_ok() {
                order.lock().expect("no panic").push(id);
            }
        });
    }
    holder.abort_handle().abort();
    block_on(holder).expect_err("it was aborted");
    block_on(pool.close()).expect("closed");
    assert_eq!(*order.lock().expect("no panic"), ["a", "b", "c", "a", "a"]);
}

#[test]
fn a_thread_that_does_not_come_back_is_replaced() {
    let (pool, log) = narrow_pool(|options| options.limits.cpu = Some(Duration::from_millis(100)));
    let sticking = format!(
        "if (request.url.endsWith('stick')) {{ console.log('begun'); {STUCK} }} return new Response('on')"
    );
    let start = Instant::now();
    let stuck = begin_at(&pool, "stuck", &sticking, "stick");
    log.recv().expect("it begins");
    let behind = begin(&pool, "stuck", &sticking);
    let error = block_on(stuck).expect_err("the limit ends it");
    assert_eq!(error.code(), "ERR_CPU_LIMIT", "{error}");
    assert_eq!(text(block_on(behind).expect("an answer")), "on");
    assert_eq!(answer(&pool, "other", "return new Response('on')"), "on");
    assert_eq!(pool.stats().condemned, 1);
    block_on(pool.close()).expect("closed without the lost thread");
    let took = start.elapsed();
    assert!(took < PROMPTLY, "{took:?}");
}

#[test]
fn close_does_not_wait_for_a_thread_that_does_not_come_back() {
    let (pool, log) = narrow_pool(|options| {
        options.limits.cpu = None;
        options.grace = Duration::from_millis(10);
    });
    let stuck = begin(&pool, "stuck", &format!("console.log('begun'); {STUCK}"));
    log.recv().expect("it begins");
    let start = Instant::now();
    block_on(pool.close()).expect("closed");
    let error = block_on(stuck).expect_err("the pool is closed");
    assert_eq!(error.code(), "ERR_POOL_CLOSED", "{error}");
    let took = start.elapsed();
    assert!(took < PROMPTLY, "{took:?}");
}

#[test]
fn requests_are_answered_beside_one_whose_body_keeps_arriving() {
    let (pool, log) = narrow_pool(|options| options.max_isolates_per_worker = 1);
    let body = "if (request.body) { console.log('begun'); for await (const chunk of request.body); } \
        return new Response('hello')";
    let worker: Arc<WorkerDefinition> = Arc::new(handler(body).into());
    // All of it is there: the guest never has to wait.
    const CHUNKS: usize = 500_000;
    let (writer, reader) = BodyReader::channel(CHUNKS);
    for _ in 0..CHUNKS {
        writer
            .try_send(Bytes::from_static(&[1]))
            .expect("it has room");
    }
    drop(writer);
    let request = Request {
        method: "POST".to_owned(),
        body: reader.into(),
        ..Request::get("http://worker.test/")
    };
    let options = RunOptions {
        limits: Some(Limits {
            cpu: None,
            wall: None,
            ..Limits::default()
        }),
        ..RunOptions::default()
    };
    let upload = pool.execute("reading", &worker, request, options);
    log.recv().expect("it begins");
    for _ in 0..20 {
        assert_eq!(answer(&pool, "reading", body), "hello");
    }
    assert_eq!(pool.stats().total, 1);
    assert_eq!(pool.stats().in_flight, 1, "it still reads");
    drop(upload);
}
