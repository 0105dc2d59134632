//! Isolates that are made ahead, and those that nothing comes for any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{IsolatePool, Limits, Request, Response, RunOptions, WorkerDefinition};

use crate::support::{handler, pool, run, text};

fn answer(pool: &IsolatePool, id: &str, worker: &Arc<WorkerDefinition>) -> Response {
    let request = Request::get("http://worker.test/");
    block_on(pool.execute(id, worker, request, RunOptions::default())).expect("an answer")
}

/// Whoever comes while another one's isolate is still being prepared, or after, gets its own settings.
#[test]
fn an_isolate_made_ahead_takes_over_nothing_but_itself() {
    let pool = pool();
    for round in 0..8 {
        let codegen = round % 2 == 0;
        let body = "let code = 'no'; try { code = String(eval('1 + 1')) } catch {} \
            const age = Date.now() - performance.timeOrigin; \
            const own = Object.keys(globalThis).filter((key) => key === 'left').length; \
            globalThis.left = true; \
            return new Response([code, env.name, age < 1000, own].join())";
        let mut worker = WorkerDefinition::script(handler(body));
        worker.codegen = codegen;
        worker.env.0.push((
            "name".to_owned(),
            isolane::EnvValue::Json(format!("worker {round}").into()),
        ));
        let code = if codegen { "2" } else { "no" };
        assert_eq!(
            text(answer(&pool, &format!("worker {round}"), &Arc::new(worker))),
            format!("{code},worker {round},true,0")
        );
    }
    assert_eq!(pool.stats().total, 8);
}

#[test]
fn a_worker_with_limits_of_its_own_gets_an_isolate_with_those() {
    let pool = pool();
    for round in 0..4 {
        run(
            &pool,
            &format!("usual {round}"),
            &handler("return new Response('')"),
        )
        .expect("an answer");
        let mut worker =
            WorkerDefinition::script(handler("const a = []; for (;;) a.push({ a: a.length })"));
        worker.limits = Some(Limits {
            cpu: None,
            heap_bytes: 16 << 20,
            ..Limits::default()
        });
        let request = Request::get("http://worker.test/");
        let worker = Arc::new(worker);
        let begin = Instant::now();
        let ended = block_on(pool.execute("small", &worker, request, RunOptions::default()));
        let error = ended.expect_err("it never ends by itself");
        assert_eq!(error.code(), "ERR_HEAP_LIMIT");
        let used = error.usage().expect("it began").heap_used_bytes;
        assert!(used < 100 << 20, "{used} bytes after {:?}", begin.elapsed());
    }
}

#[test]
fn an_isolate_that_nothing_comes_for_is_collected() {
    const LEFT_BYTES: usize = 4 << 20;
    let pool = pool();
    // More garbage than stays without an end, less than is collected at once. The heap is looked at now and then.
    let body = "globalThis.n = (globalThis.n ?? 0) + 1; \
        if (n === 1) globalThis.kept = Array.from({ length: 3e5 }, (_, i) => ({ i })); \
        if (n === 50) kept = null; \
        return new Response(String(n))";
    let held = || pool.stats().workers[0].heap_used_bytes;
    let patience = Instant::now() + Duration::from_secs(20);
    for n in 1.. {
        let response = run(&pool, "a", &handler(body)).expect("an answer");
        assert_eq!(text(response), n.to_string());
        if n > 50 && held() > LEFT_BYTES {
            break;
        }
        assert!(Instant::now() < patience, "only {} bytes are left", held());
    }
    while held() > LEFT_BYTES {
        assert!(Instant::now() < patience, "{} bytes are held", held());
        std::thread::yield_now();
    }
    // It goes on as before.
    run(&pool, "a", &handler(body)).expect("an answer");
}
