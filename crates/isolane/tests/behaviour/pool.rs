//! The pool: warm isolates, eviction, fairness to many callers, and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_executor::block_on;
use isolane::{
    ContextPolicy, ErrorKind, IsolatePool, ModuleSource, Request, RunOptions, Start,
    WorkerDefinition,
};

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

/// A worker with most kinds of code, some of which is compiled at its first call.
const VARIED: &str = r#"
import { twice } from './twice.js';
class Counter { #n = 1; static made = 0; constructor() { Counter.made++; } next() { return this.#n++; } get n() { return this.#n; } }
function* squares(end) { for (let i = 1; i <= end; i++) yield i * i; }
const later = async (value) => { await null; return value; };
let calls = 0;
export default {
  async fetch(request, env, ctx) {
    const counter = new Counter();
    counter.next();
    const { pathname } = new URL(request.url);
    const parts = [...squares(3), counter.n, Counter.made, await later(twice(4)), `${pathname}`.replace(/\//g, '-'), ++calls];
    try { null.x } catch (error) { parts.push(error.name) }
    return new Response(parts.join());
  },
};"#;

#[test]
fn a_worker_answers_alike_from_its_source_and_from_kept_code() {
    let twice = "export const twice = (n) => [n, n].reduce((a, b) => a + b);";
    let modules = [("worker.js", VARIED), ("twice.js", twice)];
    let worker = Arc::new(WorkerDefinition::modules(modules.map(|(name, source)| {
        (name.to_owned(), ModuleSource::Text(source.to_owned()))
    })));
    let answers = [(); 4].map(|()| {
        let pool = pool();
        let get = || {
            let request = Request::get("http://worker.test/a/b");
            block_on(pool.execute("varied", &worker, request, RunOptions::default()))
        };
        let answers = [get(), get()].map(|response| text(response.expect("an answer")));
        // The isolate goes, and with it its code is kept: from the second time on.
        block_on(pool.close()).expect("closed");
        answers
    });
    let expected = [
        "1,4,9,2,1,8,-a-b,1,TypeError",
        "1,4,9,2,2,8,-a-b,2,TypeError",
    ];
    assert_eq!(answers, [(); 4].map(|()| expected.map(str::to_owned)));
}

/// Set in the process that a test has to itself, where memory is only its own.
const ALONE: &str = "ISOLANE_TEST_ALONE";

#[test]
fn ten_thousand_requests_over_two_hundred_workers_share_fifty_isolates_in_flat_memory() {
    if std::env::var_os(ALONE).is_some() {
        return share_fifty_isolates();
    }
    let name =
        "pool::ten_thousand_requests_over_two_hundred_workers_share_fifty_isolates_in_flat_memory";
    let program = std::env::current_exe().expect("this test's path");
    let status = std::process::Command::new(program)
        .args([name, "--exact", "--nocapture"])
        .env(ALONE, "1")
        .status();
    assert!(status.expect("a child process").success());
}

fn share_fifty_isolates() {
    let pool = pool_with(|options| options.max_isolates = 50);
    send_over_two_hundred_workers(&pool, 625);
    let halfway = resident_bytes();
    send_over_two_hundred_workers(&pool, 625);
    let end = resident_bytes();
    let stats = pool.stats();
    assert!(stats.evictions >= 150, "{stats:?}");
    assert!(stats.total <= 50, "{stats:?}");
    assert_eq!((stats.in_flight, stats.queued), (0, 0));
    assert!(
        end < halfway + (32 << 20),
        "{halfway} bytes halfway, {end} at the end"
    );
}

/// Eight callers, each of which sends `requests` and reads every answer.
fn send_over_two_hundred_workers(pool: &IsolatePool, requests: usize) {
    let answered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let answered = &answered;
            scope.spawn(move || {
                for i in 0..requests {
                    let worker = format!("w{}", (i * 7 + caller * 31) % 200);
                    let script = handler(&format!("return new Response('{worker}')"));
                    let response = run(pool, &worker, &script).expect("an answer");
                    assert_eq!(text(response), worker);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(answered.load(Ordering::Relaxed), requests * 8);
}

/// What the process keeps in memory; 0 where the system does not tell in this way.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    resident.unwrap_or(0) * 4096
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

#[test]
fn workers_that_requests_brought_are_forgotten_when_their_sources_are_too_much() {
    const MEBIBYTES: usize = 8;
    let pool = pool_with(|options| {
        options.max_isolates = 1;
        options.limits = isolane::Limits::default();
        options.limits.cpu = None;
    });
    let comment = "x".repeat(MEBIBYTES << 20);
    let brought = 60;
    for n in 0..brought {
        let script = handler(&format!("return new Response('{n}') /* {comment} */"));
        let response = run(&pool, &format!("brought-{n}"), &script).expect("an answer");
        assert_eq!(text(response), n.to_string());
    }
    let kept = pool.stats().workers.len() * MEBIBYTES;
    assert!(kept <= 256 + 64, "{kept} MiB of sources are kept");
    assert!(kept >= 128, "{kept} MiB of sources are kept");
    // What was forgotten is brought again by the next request.
    let again = run(&pool, "brought-0", &handler("return new Response('again')"));
    assert_eq!(text(again.expect("an answer")), "again");
}

#[test]
fn workers_that_were_deployed_are_not_forgotten() {
    let pool = pool_with(|options| options.max_isolates = 1);
    let worker = isolane::WorkerDefinition::script(handler("return new Response('deployed')"));
    block_on(pool.deploy("deployed", worker)).expect("deployed");
    let comment = "x".repeat(30 << 20);
    for n in 0..12 {
        let script = handler(&format!("return new Response('{n}') /* {comment} */"));
        let limits = isolane::Limits {
            cpu: None,
            ..isolane::Limits::default()
        };
        let mut worker = isolane::WorkerDefinition::script(script);
        worker.limits = Some(limits);
        let request = isolane::Request::get("http://worker.test/");
        let answer = pool.execute(
            &format!("b{n}"),
            &worker.into(),
            request,
            Default::default(),
        );
        block_on(answer).expect("an answer");
    }
    let request = isolane::Request::get("http://worker.test/");
    let answer = block_on(pool.fetch("deployed", request, Default::default()));
    assert_eq!(text(answer.expect("an answer")), "deployed");
}

#[test]
fn a_fresh_context_is_made_ahead_and_serves_one_request() {
    let pool = pool_with(|options| options.threads = 1);
    let mut worker = WorkerDefinition::script(
        "const loaded = Date.now(); let served = 0; \
         export default { fetch: () => Response.json([Date.now() - loaded, ++served]) }",
    );
    worker.context = ContextPolicy::Fresh;
    let worker = Arc::new(worker);
    let was_made_ahead = (0..100).any(|_| {
        // The context cannot have been there for that long if this request had it made.
        std::thread::sleep(Duration::from_millis(20));
        let answer = text(
            block_on(pool.execute(
                "fresh",
                &worker,
                Request::get("http://worker.test/"),
                RunOptions::default(),
            ))
            .expect("an answer"),
        );
        let (age_ms, served) = answer
            .trim_matches(['[', ']'])
            .split_once(',')
            .expect("a pair");
        assert_eq!(served, "1");
        age_ms.parse::<u32>().expect("a number") >= 15
    });
    assert!(was_made_ahead);
}

#[test]
fn a_worker_that_uses_contexts_faster_than_they_are_made_gets_another_isolate() {
    let pool = pool_with(|options| {
        options.threads = 2;
        options.max_isolates_per_worker = 2;
    });
    let worker = Arc::new(WorkerDefinition {
        context: ContextPolicy::Fresh,
        ..WorkerDefinition::script("export default { fetch: () => new Response('fresh') }")
    });
    let has_two = (0..10_000).any(|_| {
        let request = Request::get("http://worker.test/");
        let answer = block_on(pool.execute("fresh", &worker, request, RunOptions::default()));
        assert_eq!(text(answer.expect("an answer")), "fresh");
        pool.stats().workers[0].isolates == 2
    });
    assert!(has_two);
}
