//! A child that ends by itself: what becomes of its requests, and of those that follow.

use super::*;

#[test]
fn ends_its_requests_and_a_new_child_serves_the_next() {
    let pool = process_pool();
    for round in 1..=3 {
        let waiting = start(&pool, "waiting", SLEEP);
        assert_eq!(
            code(block_on(start(&pool, "fatal", FATAL))),
            "ERR_ISOLATE_CRASHED"
        );
        assert_eq!(code(block_on(waiting)), "ERR_ISOLATE_CRASHED");
        assert_serves(&pool);
        assert_eq!(pool.stats().respawns, round);
    }
}

// Elsewhere V8 reserves other amounts.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn for_want_of_memory_is_blamed_on_the_request_that_took_it() {
    let program = std::env::current_exe().expect("this test's path");
    // Of which V8 sets half a gigabyte aside for the code of each isolate, the spare one's included.
    let limited = "ulimit -d 2100000; exec \"$0\" process::child_entry --exact --nocapture";
    let args = ["-c".into(), limited.into(), program.into_os_string()];
    let pool = pool_with(|options| {
        options.isolation = Isolation::Process(ChildProgram::new("/bin/sh", args));
        options.process_memory_bytes = usize::MAX;
        options.threads = 1;
        options.limits = isolane::Limits {
            cpu: None,
            wall: Some(Duration::from_secs(60)),
            heap_bytes: 4 << 30,
            ..small_limits()
        };
    });
    let waiting = start(&pool, "waiting", SLEEP);
    // Arrays of a quarter of a gigabyte each, which the limits allow and the system refuses.
    let greedy = "const kept = []; for (;;) kept.push(new Array(2 ** 25 - 1).fill(0));";
    assert_eq!(
        code(block_on(start(&pool, "greedy", greedy))),
        "ERR_HEAP_LIMIT"
    );
    assert_eq!(code(block_on(waiting)), "ERR_ISOLATE_CRASHED");
    assert_serves(&pool);
}

#[cfg(target_os = "linux")]
#[test]
fn in_the_middle_of_requests_settles_all_of_them() {
    if std::env::var_os(ALONE).is_none() {
        return in_a_process_of_its_own("a_crash::in_the_middle_of_requests_settles_all_of_them");
    }
    let pool = process_pool();
    assert_serves(&pool);
    let streaming = handler(
        "return new Response(new ReadableStream({ async pull(c) { await new Promise((r) => setTimeout(r, 1)); c.enqueue(new Uint8Array(9)) } }))",
    );
    for round in 0..5 {
        let [child] = children_of(std::process::id())[..] else {
            panic!("there is one child");
        };
        let waiting: Vec<_> = (0..50)
            .map(|n| {
                start(
                    &pool,
                    &format!("w{}", n % 7),
                    if n % 2 == 0 {
                        SLEEP
                    } else {
                        "return new Response('x')"
                    },
                )
            })
            .collect();
        let response = run(&pool, "streaming", &streaming).expect("an answer");
        kill(child);
        for future in waiting {
            let code = code(block_on(future));
            assert!(["none", "ERR_ISOLATE_CRASHED"].contains(&code), "{code}");
        }
        let failed = block_on(response.body.into_bytes(1 << 20)).unwrap_err();
        assert!(
            failed.guest_message().starts_with("ERR_ISOLATE_CRASHED: "),
            "{failed}"
        );
        assert_serves(&pool);
        assert_eq!(pool.stats().respawns, round + 1);
    }
    assert_eq!(pool.stats().in_flight, 0);
}

#[test]
fn of_the_protocol_ends_the_child() {
    let babble = "printf '\\377\\377\\377\\377babble' >&0; sleep 600";
    let pool = pool_with(|options| {
        let program = ChildProgram::new("/bin/sh", ["-c", babble]);
        options.isolation = Isolation::Process(program);
    });
    let error = run(&pool, "a", &handler("return new Response('x')")).unwrap_err();
    assert_eq!(error.code(), "ERR_ISOLATE_CRASHED");
    assert!(error.to_string().ends_with("broke the protocol"), "{error}");
    block_on(pool.close()).expect("closed");
}

#[test]
fn again_and_again_does_not_spin() {
    let pool = pool_with(|options| {
        options.isolation = Isolation::Process(ChildProgram::new("/bin/false", [""; 0]));
    });
    std::thread::sleep(Duration::from_millis(800));
    let respawns = pool.stats().respawns;
    assert!((2..=8).contains(&respawns), "{respawns} children");
    let hello = handler("return new Response('x')");
    assert_eq!(
        run(&pool, "a", &hello).unwrap_err().code(),
        "ERR_ISOLATE_CRASHED"
    );
}

#[test]
fn at_the_start_ends_requests_that_wait() {
    let missing = PathBuf::from("/nowhere/isolane-child");
    let pool = pool_with(|options| {
        options.isolation = Isolation::Process(ChildProgram::new(missing, [""; 0]));
    });
    let error = run(&pool, "a", &handler("return new Response('x')")).unwrap_err();
    assert_eq!(error.code(), "ERR_ISOLATE_CRASHED");
    assert!(
        error.to_string().contains("could not be started"),
        "{error}"
    );
    block_on(pool.close()).expect("closed");
}
