//! Scenarios of things that happen at the same time: charges, terminations, aborts, deploys, closing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{
    Error, IsolatePool, Limits, PoolOptions, Request, RunOptions, WorkerDefinition, WorkerFuture,
};

use crate::tenant::{Host, Mode, Tenant, handler, text};

/// What guests are found at when something happens to them.
const BUSY: [&str; 8] = [
    "for (;;);",
    "await new Promise(() => {})",
    "await new Promise((f) => setTimeout(f, 2)); return new Response('ok')",
    "return new Response('ok')",
    "for (;;) await null;",
    "return new Response(new ReadableStream({ async pull(c) { await new Promise((f) => setTimeout(f, 1)); c.enqueue(new Uint8Array(9)) } }))",
    "ctx.waitUntil(new Promise(() => {})); return new Response('ok')",
    "setInterval(() => {}, 1); request.signal.addEventListener('abort', () => { for (;;); }); await new Promise(() => {})",
];

fn limits(cpu_ms: u64, wall_ms: u64) -> Limits {
    Limits {
        cpu: Some(Duration::from_millis(cpu_ms)),
        wall: Some(Duration::from_millis(wall_ms)),
        heap_bytes: 64 << 20,
        ..Limits::default()
    }
}

fn limited(body: &str, limits: Limits) -> WorkerDefinition {
    let mut worker = handler(body);
    worker.limits = Some(limits);
    worker
}

fn get() -> Request {
    Request::get("http://tenant.test/")
}

fn code(answer: &Result<isolane::Response, Error>) -> &'static str {
    answer.as_ref().err().map_or("ok", Error::code)
}

fn one_isolate(threads: usize) -> IsolatePool {
    let options = PoolOptions {
        threads,
        max_isolates_per_worker: 1,
        ..PoolOptions::default()
    };
    IsolatePool::new(options).expect("a pool")
}

/// Twelve requests of 20 ms each interleave on one isolate; none is charged for another.
pub(crate) fn interleaved(mode: Mode) {
    let body = "for (let turn = 0; turn < 10; turn++) { const end = performance.now() + 2; while (performance.now() < end); await new Promise((f) => setTimeout(f, 1)); } return new Response('ok')";
    let worker = limited(body, limits(100, 60_000));
    let host = Host::new(mode);
    let mut tenant = host.tenant("one", worker);
    let futures: Vec<WorkerFuture> = (0..12)
        .map(|_| tenant.begin(get()).expect("a context"))
        .collect();
    for future in futures {
        assert_eq!(text(block_on(future).expect("within its own budget")), "ok");
    }
}

/// Requests whose time is the limit, give or take half a millisecond: each is answered or ended, and
/// the termination of one never reaches the next.
pub(crate) fn late_terminations(_: Mode) {
    let options = PoolOptions {
        threads: 2,
        ..PoolOptions::default()
    };
    let pool = IsolatePool::new(options).expect("a pool");
    let body = "const end = performance.now() + Number(new URL(request.url).searchParams.get('ms')); while (performance.now() < end); return new Response('ok')";
    let racer = Arc::new(limited(body, limits(4, 60_000)));
    let harmless = Arc::new(limited("return new Response('fine')", limits(4, 60_000)));
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (pool, racer, harmless) = (&pool, &racer, &harmless);
            scope.spawn(move || {
                for i in 0..250 {
                    let ms = 3.5 + f64::from(i % 11) / 10.0;
                    let request = Request::get(format!("http://tenant.test/?ms={ms}"));
                    let raced = block_on(pool.execute(
                        &format!("racer {thread}"),
                        racer,
                        request,
                        RunOptions::default(),
                    ));
                    assert!(["ok", "ERR_CPU_LIMIT"].contains(&code(&raced)), "{raced:?}");
                    let after =
                        block_on(pool.execute("fine", harmless, get(), RunOptions::default()));
                    assert_eq!(code(&after), "ok", "a termination reached another request");
                }
            });
        }
    });
}

/// One request reaches the heap limit while others of its isolate wait: all get a definite answer, and
/// the next one a new isolate.
pub(crate) fn heap_limit_in_company(_: Mode) {
    let pool = one_isolate(2);
    let body = "if (request.url.endsWith('eat')) { const a = []; for (;;) a.push({ x: a.length }) } if (request.url.endsWith('wait')) await new Promise((f) => setTimeout(f, 20_000)); return new Response('fine')";
    let worker = Arc::new(limited(body, limits(10_000, 30_000)));
    let send = |path: &str| {
        let request = Request::get(format!("http://tenant.test/{path}"));
        pool.execute("one", &worker, request, RunOptions::default())
    };
    assert_eq!(text(block_on(send("fine")).expect("an answer")), "fine");
    let waiting: Vec<WorkerFuture> = (0..3).map(|_| send("wait")).collect();
    let eating = block_on(send("eat"));
    assert_eq!(code(&eating), "ERR_HEAP_LIMIT");
    for future in waiting {
        assert_eq!(code(&block_on(future)), "ERR_HEAP_LIMIT");
    }
    assert_eq!(text(block_on(send("fine")).expect("a new isolate")), "fine");
    assert_eq!(pool.stats().condemned, 1);
}

/// Runaways on a pool of one thread: those of other workers wait their turn, and nobody for ever.
pub(crate) fn runaways_and_others(_: Mode) {
    let pool = one_isolate(1);
    let spinning = Arc::new(limited("for (;;);", limits(20, 60_000)));
    let fine = Arc::new(limited("return new Response('fine')", limits(20, 60_000)));
    let mut futures = Vec::new();
    for i in 0..20 {
        let options = RunOptions::default;
        let spin = pool.execute(&format!("spin {}", i % 3), &spinning, get(), options());
        let answer = pool.execute(&format!("fine {}", i % 3), &fine, get(), options());
        futures.push((spin, answer));
    }
    for (spin, answer) in futures {
        assert_eq!(code(&block_on(spin)), "ERR_CPU_LIMIT");
        assert_eq!(text(block_on(answer).expect("an answer")), "fine");
    }
}

/// All three modes at once in one process, on eight threads.
pub(crate) fn modes_mixed(_: Mode) {
    let hosts: Vec<Host> = Mode::ALL.into_iter().map(Host::new).collect();
    std::thread::scope(|scope| {
        for thread in 0..8_usize {
            let host = &hosts[thread % hosts.len()];
            scope.spawn(move || {
                let body = "const a = []; for (let i = 0; i < 1e4; i++) a.push({ i }); await new Promise((f) => setTimeout(f, 1)); return new Response('ok')";
                let worker = limited(body, limits(10_000, 60_000));
                for round in 0..15 {
                    let id = format!("{thread} {}", round % 4);
                    let mut tenant = host.tenant(&id, worker.clone());
                    assert_eq!(text(tenant.fetch("").expect("an answer")), "ok");
                    if round % 5 == 4 {
                        tenant.release();
                    }
                }
            });
        }
    });
}

/// Half of the requests are aborted, at any moment; the other half is answered.
pub(crate) fn aborts(mode: Mode) {
    let host = Host::new(mode);
    // The loop is in a function of its own, which is not optimised while it begins to run: such loops look late,
    // and that is case a30.
    let body = "const spin = () => { for (;;); }; if (request.url.endsWith('spin')) spin(); await new Promise((f) => setTimeout(f, 1 + Math.random() * 3)); return new Response('ok')";
    let mut tenant = host.tenant("one", limited(body, limits(10_000, 60_000)));
    for round in 0..30_u64 {
        let kept: Vec<WorkerFuture> = (0..3)
            .map(|_| tenant.begin(get()).expect("a context"))
            .collect();
        let path = if round % 3 == 0 { "spin" } else { "" };
        let request = Request::get(format!("http://tenant.test/{path}"));
        let aborted = tenant.begin(request).expect("a context");
        let handle = aborted.abort_handle();
        let aborting = std::thread::spawn(move || {
            let until = Instant::now() + Duration::from_micros(round * 200);
            while Instant::now() < until {
                std::thread::yield_now();
            }
            handle.abort();
            handle.abort();
        });
        let answer = block_on(aborted);
        assert!(["ok", "ERR_ABORTED"].contains(&code(&answer)), "{answer:?}");
        aborting.join().expect("no panic");
        for future in kept {
            let answer = block_on(future);
            assert_eq!(
                code(&answer),
                "ok",
                "round {round}: another was hit: {answer:?}"
            );
        }
    }
}

/// A worker is deployed again and again while its requests run: each is answered by the code that it
/// began with.
pub(crate) fn redeploy(_: Mode) {
    let pool = IsolatePool::new(PoolOptions {
        threads: 2,
        ..PoolOptions::default()
    });
    let pool = pool.expect("a pool");
    let version = |version: usize| {
        let body = format!(
            "const mine = {version}; await new Promise((f) => setTimeout(f, 3)); return new Response(String(mine))"
        );
        limited(&body, limits(10_000, 60_000))
    };
    block_on(pool.deploy("one", version(0))).expect("deployed");
    for next in 1..40 {
        let old: Vec<WorkerFuture> = (0..3)
            .map(|_| pool.fetch("one", get(), RunOptions::default()))
            .collect();
        block_on(pool.deploy("one", version(next))).expect("deployed");
        let new = pool.fetch("one", get(), RunOptions::default());
        for future in old {
            let answer = text(block_on(future).expect("the old code answers"));
            assert_eq!(answer, (next - 1).to_string());
        }
        assert_eq!(
            text(block_on(new).expect("the new code answers")),
            next.to_string()
        );
    }
    let broken = block_on(pool.deploy("one", WorkerDefinition::script("export default {")));
    assert!(broken.is_err());
    let after = block_on(pool.fetch("one", get(), RunOptions::default()));
    assert_eq!(text(after.expect("the last good one answers")), "39");
}

fn busy_tenants(host: &Host) -> Vec<Tenant> {
    let tenants = BUSY.iter().enumerate();
    tenants
        .map(|(i, body)| host.tenant(&format!("busy {i}"), limited(body, limits(60_000, 120_000))))
        .collect()
}

/// What is closed while it does anything at all ends everything, once.
pub(crate) fn close(mode: Mode) {
    for round in 0..3_u64 {
        let host = Host::new(mode);
        let mut tenants = busy_tenants(&host);
        let mut futures = Vec::new();
        for tenant in &mut tenants {
            for _ in 0..3 {
                futures.extend(tenant.begin(get()));
            }
        }
        // Each round meets them at another moment.
        let until = Instant::now() + Duration::from_millis(round * 3);
        while Instant::now() < until {
            std::thread::yield_now();
        }
        for tenant in &tenants {
            tenant.close();
        }
        for future in futures {
            let answer = block_on(future);
            let expected = ["ok", "ERR_CLOSED", "ERR_POOL_CLOSED", "ERR_ABORTED"];
            assert!(expected.contains(&code(&answer)), "{answer:?}");
            if let Ok(response) = answer {
                // A stream ends too, whole or with an error.
                let _ = block_on(response.body.into_bytes(1 << 20));
            }
        }
        for tenant in &mut tenants {
            let refused = tenant.begin(get()).and_then(block_on);
            let expected = ["ERR_CLOSED", "ERR_POOL_CLOSED"];
            assert!(expected.contains(&code(&refused)), "{refused:?}");
            tenant.close();
        }
    }
}

/// Futures and whole hosts that are dropped in the middle leave nothing behind that hangs.
pub(crate) fn drop_futures(mode: Mode) {
    for _ in 0..5 {
        let host = Host::new(mode);
        let mut tenants = busy_tenants(&host);
        for tenant in &mut tenants {
            let futures: Vec<_> = (0..3).filter_map(|_| tenant.begin(get()).ok()).collect();
            drop(futures);
        }
        let mut fine = host.tenant(
            "fine",
            limited("return new Response('fine')", limits(1000, 60_000)),
        );
        assert_eq!(text(fine.fetch("").expect("an answer")), "fine");
        let left: Vec<_> = tenants
            .iter_mut()
            .map(|tenant| tenant.begin(get()))
            .collect();
        drop(tenants);
        drop(host);
        drop(left);
    }
}
