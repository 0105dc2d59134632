//! The pool: warm isolates, eviction, fairness to many callers, and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_executor::block_on;
use isolane::{ErrorKind, Request, RunOptions, Start, WorkerDefinition};

use crate::support::{handler, pool, pool_with, run, text};

#[test]
fn answers_the_first_request_with_a_new_isolate_and_the_next_warm() {
    let pool = pool();
    let script = "let n = 0; export default { fetch: () => new Response(String(++n)) }";
    let first = run(&pool, "a", script).expect("an answer");
    assert_eq!(first.usage.start, Start::Isolate);
    assert_eq!(text(first), "1");
    let second = run(&pool, "a", script).expect("an answer");
    assert_eq!(second.usage.start, Start::Warm);
    assert_eq!(text(second), "2");
    let stats = pool.stats();
    assert_eq!((stats.hits, stats.misses, stats.total), (1, 1, 1));
}

#[test]
fn a_changed_script_replaces_the_worker() {
    let pool = pool();
    assert_eq!(
        text(run(&pool, "a", &handler("return new Response('old')")).unwrap()),
        "old"
    );
    assert_eq!(
        text(run(&pool, "a", &handler("return new Response('new')")).unwrap()),
        "new"
    );
}

#[test]
fn ten_thousand_requests_over_two_hundred_workers_share_fifty_isolates() {
    let pool = pool_with(|options| options.max_isolates = 50);
    let answered = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let (pool, answered) = (pool.clone(), answered.clone());
            std::thread::spawn(move || {
                for i in 0..1250_usize {
                    let worker = (i * 7 + caller * 31) % 200;
                    let script = handler(&format!("return new Response('w{worker}')"));
                    let response = run(&pool, &format!("w{worker}"), &script).expect("an answer");
                    assert_eq!(text(response), format!("w{worker}"));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().expect("no panic");
    }
    let stats = pool.stats();
    assert_eq!(answered.load(Ordering::Relaxed), 10_000);
    assert!(stats.evictions >= 150, "{stats:?}");
    assert!(stats.total <= 50, "{stats:?}");
    assert_eq!((stats.in_flight, stats.queued), (0, 0));
}

#[test]
fn aborts_in_the_middle_leave_the_others_alone() {
    let pool = pool_with(|options| options.max_isolates = 10);
    let callers: Vec<_> = (0..8)
        .map(|caller: usize| {
            let pool = pool.clone();
            std::thread::spawn(move || {
                for i in 0..300_usize {
                    let name = format!("w{}", (i + caller) % 20);
                    let worker: Arc<WorkerDefinition> = Arc::new(
                        handler(
                            "await new Promise((f) => setTimeout(f, 1)); return new Response('ok')",
                        )
                        .into(),
                    );
                    let request = Request::get("http://worker.test/");
                    let future = pool.execute(&name, &worker, request, RunOptions::default());
                    if i % 3 == 0 {
                        let abort = future.abort_handle();
                        abort.abort();
                        // The answer may have come before the abort.
                        if let Err(error) = block_on(future) {
                            assert!(matches!(error.kind(), ErrorKind::Aborted), "{error}");
                        }
                    } else if i % 3 == 1 {
                        drop(future);
                    } else {
                        assert_eq!(text(block_on(future).expect("an answer")), "ok");
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().expect("no panic");
    }
    block_on(pool.close()).expect("closed");
    assert_eq!(pool.stats().in_flight, 0);
}

#[test]
fn close_ends_what_still_runs_after_the_grace_time() {
    let pool = pool_with(|options| {
        options.grace = Duration::from_millis(20);
        options.limits.cpu = None;
        options.limits.wall = None;
    });
    let spinning: Arc<WorkerDefinition> = Arc::new(handler("for (;;);").into());
    let waiting: Arc<WorkerDefinition> = Arc::new(handler("await new Promise(() => {})").into());
    let request = || Request::get("http://worker.test/");
    let futures = [
        pool.execute("spinning", &spinning, request(), RunOptions::default()),
        pool.execute("waiting", &waiting, request(), RunOptions::default()),
    ];
    block_on(pool.close()).expect("closed");
    for future in futures {
        let error = block_on(future).expect_err("it was ended");
        assert_eq!(error.code(), "ERR_POOL_CLOSED", "{error}");
    }
    let refused = block_on(pool.execute("waiting", &waiting, request(), RunOptions::default()));
    assert_eq!(refused.expect_err("closed").code(), "ERR_POOL_CLOSED");
}

#[test]
fn a_condemned_isolate_takes_no_later_request() {
    let pool = pool();
    let script = "export default { fetch(r) { if (r.url.endsWith('eat')) { const a = []; for (;;) a.push(new Array(1000).fill({})) } return new Response('fine') } }";
    let worker: Arc<WorkerDefinition> = Arc::new(script.into());
    let send = |path: &str| {
        let request = Request::get(format!("http://worker.test/{path}"));
        pool.execute("a", &worker, request, RunOptions::default())
    };
    for _ in 0..20 {
        let error = block_on(send("eat")).expect_err("its heap is full");
        assert!(
            ["ERR_HEAP_LIMIT", "ERR_CPU_LIMIT"].contains(&error.code()),
            "{error}"
        );
        // At once, while the lane of the condemned isolate may still be there.
        assert_eq!(
            text(block_on(send("fine")).expect("a new isolate answers")),
            "fine"
        );
    }
    assert_eq!(pool.stats().condemned, 20);
}

#[test]
fn many_workers_in_one_place_take_turns() {
    let pool = pool_with(|options| (options.max_isolates, options.threads) = (1, 1));
    let callers: Vec<_> = (0..6)
        .map(|caller: usize| {
            let pool = pool.clone();
            std::thread::spawn(move || {
                for i in 0..40 {
                    let name = format!("w{}", (i + caller) % 4);
                    let body = format!("await null; return new Response('{name}')");
                    let response = run(&pool, &name, &handler(&body)).expect("an answer");
                    assert_eq!(text(response), name);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().expect("no panic");
    }
    let stats = pool.stats();
    assert_eq!((stats.in_flight, stats.queued, stats.total), (0, 0, 1));
}
