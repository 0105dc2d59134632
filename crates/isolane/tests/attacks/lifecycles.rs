//! Scenarios of things that last or come back: bodies that nobody reads, memory, panics, churn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{
    Body, FetchClient, FetchError, FetchRequest, FetchResponse, HostFunction, IsolatePool, Limits,
    LogSink, Outbound, PoolOptions, Request, RunOptions, SharedIsolateHandle, SharedIsolateOptions,
    Start, WorkerDefinition,
};

use crate::memory::{self, Resident};
use crate::tenant::{Host, Mode, Tenant, handler, text};

const PATIENCE: Duration = Duration::from_secs(20);

fn limited(body: &str, cpu_ms: u64, wall_ms: u64) -> WorkerDefinition {
    let mut worker = handler(body);
    worker.limits = Some(Limits {
        cpu: Some(Duration::from_millis(cpu_ms)),
        wall: Some(Duration::from_millis(wall_ms)),
        heap_bytes: 64 << 20,
        buffer_bytes: Some(32 << 20),
        ..Limits::default()
    });
    worker
}

fn resident() -> usize {
    Resident::read().map_or(0, |resident| resident.now)
}

/// A body that nobody reads holds a bounded amount, and is ended by the wall limit.
pub(crate) fn unread_body(mode: Mode) {
    let host = Host::new(mode);
    let body = "const chunk = new Uint8Array(1 << 20); return new Response(new ReadableStream({ pull(c) { c.enqueue(chunk) } }))";
    let mut tenant = host.tenant("one", limited(body, 2000, 600));
    let mut warm = host.tenant("warm", limited("return new Response('ok')", 2000, 60_000));
    assert_eq!(text(warm.fetch("").expect("an answer")), "ok");
    let before = resident();
    let begin = Instant::now();
    let response = tenant.fetch("").expect("its head");
    while begin.elapsed() < Duration::from_millis(1500) {
        let grown = resident().saturating_sub(before);
        assert!(grown < 64 << 20, "{} MB are held", grown >> 20);
        std::thread::sleep(Duration::from_millis(20));
    }
    let error = block_on(response.body.into_bytes(1 << 30)).expect_err("it was ended");
    assert!(error.to_string().contains("ERR_WALL_LIMIT"), "{error}");
}

/// `waitUntil` that never ends is cut, and then nothing of the request is in flight.
pub(crate) fn wait_until(mode: Mode) {
    let host = Host::new(mode);
    let body = "ctx.waitUntil(new Promise(() => {})); return new Response('ok')";
    let mut tenant = host.tenant("one", limited(body, 1000, 300));
    for _ in 0..5 {
        assert_eq!(text(tenant.fetch("").expect("an answer")), "ok");
    }
    let until = Instant::now() + PATIENCE;
    let in_flight = || match &tenant {
        Tenant::Worker(worker) => worker.in_flight(),
        Tenant::Pooled { pool, .. } => pool.stats().in_flight,
        Tenant::Context(_) => 0,
    };
    while in_flight() > 0 {
        assert!(Instant::now() < until, "{} are in flight", in_flight());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(text(tenant.fetch("").expect("an answer")), "ok");
}

/// Contexts that come and go on one isolate, each with 100 KB of its own.
pub(crate) fn disposed_contexts(_: Mode) {
    let options = SharedIsolateOptions {
        limits: Limits {
            heap_bytes: 64 << 20,
            ..Limits::default()
        },
    };
    let isolate = SharedIsolateHandle::new(options).expect("a shared isolate");
    let worker = limited(
        "globalThis.kept = new Array(12800).fill(1.5); return new Response('ok')",
        1000,
        60_000,
    );
    let spend = |contexts: usize| {
        for _ in 0..contexts {
            let context = block_on(isolate.create_context(worker.clone(), None));
            let context = context.expect("the heap has room again");
            let request = Request::get("http://tenant.test/");
            let answer = block_on(context.fetch(request, RunOptions::default()));
            assert_eq!(text(answer.expect("an answer")), "ok");
        }
    };
    spend(600);
    let halfway = resident();
    spend(1200);
    let end = resident();
    assert!(
        end < halfway + (48 << 20),
        "{} MB, then {} MB",
        halfway >> 20,
        end >> 20
    );
}

/// A request body of 200 MB for an isolate of 64 MB is an error, or ends by a limit.
pub(crate) fn huge_request_body(mode: Mode) {
    let host = Host::new(mode);
    for body in [
        "await request.text(); return new Response('read')",
        "await request.arrayBuffer(); return new Response('read')",
        "return new Response('not read')",
    ] {
        let mut tenant = host.tenant(body, limited(body, 5000, 60_000));
        for make in [
            || Body::Text("x".repeat(200 << 20)),
            || Body::Bytes(vec![7; 200 << 20].into()),
        ] {
            let request = Request {
                method: "POST".to_owned(),
                body: make(),
                ..Request::get("http://tenant.test/")
            };
            let answer = tenant.begin(request).and_then(block_on);
            if let Err(error) = answer {
                let expected = [
                    "ERR_HEAP_LIMIT",
                    "ERR_BUFFER_LIMIT",
                    "ERR_WORKER_EXCEPTION",
                    "ERR_CPU_LIMIT",
                ];
                assert!(expected.contains(&error.code()), "{error}");
                // A condemned isolate takes its context along.
                tenant.release();
                tenant = host.tenant(body, limited(body, 5000, 60_000));
            }
        }
    }
}

/// A worker that fills most of its heap and stays there is answered, or gets a new isolate.
pub(crate) fn near_the_heap_limit(mode: Mode) {
    let host = Host::new(mode);
    let body = "globalThis.kept ??= (() => { const all = []; for (let i = 0; i < 54; i++) all.push(new Array(1 << 17).fill(i + 0.5)); return all })(); const young = []; for (let i = 0; i < 1000; i++) young.push({ i }); return new Response('ok')";
    let mut tenant = host.tenant("one", limited(body, 5000, 60_000));
    let requests = if mode == Mode::Worker { 10 } else { 200 };
    let begin = Instant::now();
    for _ in 0..requests {
        match tenant.fetch("").map(text) {
            Ok(answer) => assert_eq!(answer, "ok"),
            Err(error) => assert_eq!(error.code(), "ERR_HEAP_LIMIT"),
        }
    }
    assert!(
        begin.elapsed() < Duration::from_secs(60),
        "{:?}",
        begin.elapsed()
    );
}

struct Panicking;

impl FetchClient for Panicking {
    fn fetch(
        &self,
        _: FetchRequest,
    ) -> futures_util::future::BoxFuture<'static, Result<FetchResponse, FetchError>> {
        panic!("a client of the host's")
    }
}

/// A panic in what the host gave ends the request, and nothing else.
pub(crate) fn panics(mode: Mode) {
    // The hook would print, and what is looked at here is what happens next.
    std::panic::set_hook(Box::new(|_| {}));
    let host = Host::new(mode);
    let function = HostFunction::json(|_| panic!("a function of the host's"));
    let later = HostFunction::json(|_| Box::pin(async { panic!("a future of the host's") }));
    let mut at_once = limited("await env.f(); return new Response('ok')", 1000, 2000);
    at_once.env = at_once.env.with("f", function);
    let mut in_future = limited("await env.f(); return new Response('ok')", 1000, 2000);
    in_future.env = in_future.env.with("f", later);
    let mut fetching = limited(
        "await fetch('http://a/'); return new Response('ok')",
        1000,
        2000,
    );
    fetching.outbound = Outbound::Client(Arc::new(Panicking));
    let mut fine = host.tenant("fine", limited("return new Response('fine')", 1000, 60_000));
    for (id, worker) in [
        ("at once", at_once),
        ("in future", in_future),
        ("fetching", fetching),
    ] {
        for _ in 0..3 {
            let mut tenant = host.tenant(id, worker.clone());
            let error = tenant.fetch("").expect_err("it panicked");
            let expected = ["ERR_INTERNAL", "ERR_WORKER_EXCEPTION", "ERR_WALL_LIMIT"];
            assert!(expected.contains(&error.code()), "{id}: {error}");
            assert_eq!(text(fine.fetch("").expect("others go on")), "fine");
        }
    }
    if mode == Mode::Pool {
        let on_log: LogSink = Arc::new(|_| panic!("a sink of the host's"));
        let options = PoolOptions {
            on_log: Some(on_log),
            ..PoolOptions::default()
        };
        let pool = IsolatePool::new(options).expect("a pool");
        let worker = Arc::new(limited(
            "console.log('x'); return new Response('ok')",
            1000,
            2000,
        ));
        for _ in 0..3 {
            let request = Request::get("http://tenant.test/");
            let answer = block_on(pool.execute("log", &worker, request, RunOptions::default()));
            assert_eq!(answer.expect_err("it panicked").code(), "ERR_INTERNAL");
        }
    }
}

/// Isolates, contexts, limits, aborts and errors by the hundred leave no memory and no threads behind.
pub(crate) fn churn(mode: Mode) {
    let host = Host::new(mode);
    let spend = |rounds: usize| {
        for round in 0..rounds {
            let bodies = [
                ("return new Response('ok')", "ok"),
                ("throw new Error('x')", "ERR_WORKER_EXCEPTION"),
                ("for (;;);", "ERR_CPU_LIMIT"),
                (
                    "return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)) } }))",
                    "ok",
                ),
                ("await new Promise(() => {})", "ERR_WALL_LIMIT"),
            ];
            for (body, expected) in bodies {
                let mut tenant = host.tenant(&format!("{}", round % 3), limited(body, 5, 10));
                match tenant.fetch("") {
                    // Its body is never read.
                    Ok(response) => {
                        assert!(response.usage.start != Start::Warm || expected == "ok")
                    }
                    // A loaded machine may use up the one before the other.
                    Err(error) if error.code().ends_with("_LIMIT") => {}
                    Err(error) => assert_eq!(error.code(), expected),
                }
                tenant.release();
            }
        }
    };
    spend(20);
    let threads = threads();
    let before = resident();
    spend(80);
    if let Err(bytes) = memory::await_at_most(before + (24 << 20), PATIENCE) {
        panic!("{} MB before, {} MB after", before >> 20, bytes >> 20);
    }
    let until = Instant::now() + PATIENCE;
    while self::threads() > threads + 4 {
        assert!(
            Instant::now() < until,
            "{} threads, then {}",
            threads,
            self::threads()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A tenant that stays has what a limit took from it given to the system, without anybody who asks malloc for it.
pub(crate) fn limited_buffers(mode: Mode) {
    const MAY_STAY: usize = 12 << 20;
    let fill = "const kept = []; for (;;) kept.push(new Uint8Array(1 << 16).fill(1));";
    let host = Host::new(mode);
    let mut other = host.tenant("other", handler("return new Response('ok')"));
    assert_eq!(text(other.fetch("").expect("an answer")), "ok");
    let before = resident();
    // A busy machine takes long to find that much memory.
    let mut tenant = host.tenant("tenant", limited(fill, 10_000, 20_000));
    let error = tenant.fetch("").expect_err("no answer");
    assert_eq!(error.code(), "ERR_BUFFER_LIMIT");
    let peak = Resident::read().map_or(usize::MAX, |resident| resident.peak);
    assert!(peak > before + 2 * MAY_STAY, "it took too little");
    if let Err(bytes) = memory::await_at_most_in_all(before + MAY_STAY, PATIENCE) {
        panic!("{} MB stay", (bytes - before) >> 20);
    }
}

/// Tenants that have gone leave their memory to the system, without anybody who asks malloc for it.
pub(crate) fn tenants_that_go(mode: Mode) {
    const TENANTS: usize = 60;
    const MAY_STAY: usize = 16 << 20;
    let host = Host::new(mode);
    let bring = |count: usize| {
        let body = "await new Promise((done) => setTimeout(done, 400)); return new Response('ok')";
        let mut tenants: Vec<_> = (0..count)
            .map(|n| host.tenant(&n.to_string(), handler(body)))
            .collect();
        let begun: Vec<_> = tenants
            .iter_mut()
            .map(|tenant| tenant.begin(Request::get("http://tenant.test/")))
            .collect();
        // All have isolates before the first one is done.
        for future in begun {
            let answer = block_on(future.expect("it begins"));
            assert_eq!(text(answer.expect("an answer")), "ok");
        }
        tenants
    };
    for tenant in bring(2) {
        tenant.release();
    }
    let before = resident();
    let tenants = bring(TENANTS);
    let grown = resident().saturating_sub(before);
    for tenant in tenants {
        tenant.release();
    }
    if let Err(bytes) = memory::await_at_most_in_all(before + MAY_STAY, PATIENCE) {
        panic!("{} of {} MB stay", (bytes - before) >> 20, grown >> 20);
    }
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}
