//! Limits and aborts, which end requests and not the child.

use super::*;

#[test]
fn end_requests_with_their_codes_and_not_the_child() {
    let pool = process_pool();
    let cases = [
        ("while (true) {}", "ERR_CPU_LIMIT"),
        (
            "await new Promise((r) => setTimeout(r, 60_000))",
            "ERR_WALL_LIMIT",
        ),
        (
            "const a = []; while (true) a.push(new Array(1000).fill({}))",
            "ERR_HEAP_LIMIT",
        ),
        (
            "return new Response(new Uint8Array(3 << 20))",
            "ERR_RESPONSE_LIMIT",
        ),
        ("new Promise(() => {}); return 1", "ERR_NO_RESPONSE"),
    ];
    for (body, code) in cases {
        let worker = Arc::new(handler(body).into());
        let wall = Some(Duration::from_millis(if code == "ERR_WALL_LIMIT" {
            200
        } else {
            20_000
        }));
        let limits = isolane::Limits {
            wall,
            response_bytes: Some(2 << 20),
            ..small_limits()
        };
        let options = RunOptions {
            limits: Some(limits),
            on_log: None,
        };
        let request = Request::get("http://worker.test/");
        let error = block_on(pool.execute(code, &worker, request, options)).unwrap_err();
        assert_eq!(error.code(), code, "{body}");
        assert_eq!(error.usage().is_some(), code != "ERR_POOL_FULL");
    }
    assert_eq!(pool.stats().respawns, 0);
}

#[test]
fn an_abort_ends_the_guests_work() {
    let pool = process_pool();
    for body in [
        "while (true) {}",
        "await new Promise((r) => setTimeout(r, 60_000))",
    ] {
        let script = handler(&format!("console.log('began'); {body}"));
        let (seen, sink) = recorder();
        let options = RunOptions {
            limits: Some(isolane::Limits {
                cpu: None,
                ..small_limits()
            }),
            on_log: Some(sink),
        };
        let worker = Arc::new(script.into());
        let request = Request::get("http://worker.test/");
        let future = pool.execute("a", &worker, request, options);
        eventually("the guest's first turn", || {
            !seen.lock().unwrap().is_empty()
        });
        future.abort_handle().abort();
        assert_eq!(block_on(future).unwrap_err().code(), "ERR_ABORTED");
    }
    eventually("their end", || pool.stats().in_flight == 0);
}
