//! Isolation by process: the same answers, and a host that goes on whatever becomes of the child.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_executor::block_on;
use isolane::{
    Body, BodyReader, ChildProgram, Env, Error, FetchClient, FetchError, FetchRequest,
    FetchResponse, HostCallError, HostFunction, IsolatePool, Isolation, LogEntry, Outbound,
    PoolOptions, Request, RunOptions, ScheduledEvent, Start, StreamError, WorkerDefinition,
};

use crate::support::{handler, pool_with, run, small_limits, text};

/// What a child process of these tests runs: libtest has the binary's `main`.
#[test]
fn child_entry() {
    isolane::run_if_child();
}

fn child_program() -> ChildProgram {
    let program = std::env::current_exe().expect("this test's path");
    ChildProgram::new(program, ["process::child_entry", "--exact", "--nocapture"])
}

fn process_pool() -> IsolatePool {
    process_pool_with(|_| {})
}

fn process_pool_with(change: impl FnOnce(&mut PoolOptions)) -> IsolatePool {
    pool_with(|options| {
        options.isolation = Isolation::Process(child_program());
        change(options);
    })
}

fn fetch(pool: &IsolatePool, worker: impl Into<WorkerDefinition>, request: Request) -> String {
    let worker = Arc::new(worker.into());
    let response = block_on(pool.execute("a", &worker, request, RunOptions::default()));
    text(response.expect("an answer"))
}

fn post(body: impl Into<Body>) -> Request {
    Request {
        method: "POST".to_owned(),
        url: "http://worker.test/".to_owned(),
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: body.into(),
    }
}

/// Looks until it is so; the time is only for tests that fail.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The ids of a process's children.
#[cfg(target_os = "linux")]
fn children_of(parent: u32) -> Vec<u32> {
    let numbers = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| {
            let id: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            // The name may hold anything, so the fields are counted from its end.
            let mut fields = stat.rsplit_once(") ")?.1.split(' ');
            let alive = fields.next()? != "Z";
            let its_parent: u32 = fields.next()?.parse().ok()?;
            (alive && its_parent == parent).then_some(id)
        });
    numbers.collect()
}

fn kill(id: u32) {
    let status = Command::new("kill")
        .args(["-KILL", &id.to_string()])
        .status();
    assert!(status.expect("kill runs").success());
}

mod answers {
    use super::*;

    #[test]
    fn come_as_they_do_in_process() {
        let pool = process_pool();
        let script = "let n = 0; export default { fetch(request) {
            return new Response(`${++n} ${request.method} ${request.url} ${request.headers.get('x')}`,
                { status: 201, statusText: 'Made', headers: { 'x-answer': 'yes' } });
        } }";
        let worker = Arc::new(WorkerDefinition::script(script));
        let request = || Request {
            headers: vec![("x".to_owned(), "y".to_owned())],
            ..Request::get("http://worker.test/path?q")
        };
        let run = || block_on(pool.execute("a", &worker, request(), RunOptions::default()));
        let first = run().expect("an answer");
        assert_eq!((first.status, &*first.status_text), (201, "Made"));
        let answer = ("x-answer".to_owned(), "yes".to_owned());
        assert!(first.headers.contains(&answer), "{:?}", first.headers);
        assert_eq!(first.usage.start, Start::Isolate);
        assert!(first.usage.cpu > Duration::ZERO);
        assert_eq!(text(first), "1 GET http://worker.test/path?q y");
        let second = run().expect("an answer");
        assert_eq!(second.usage.start, Start::Warm);
        assert_eq!(text(second), "2 GET http://worker.test/path?q y");
    }

    #[test]
    fn carry_small_and_large_bodies_both_ways() {
        let pool = process_pool();
        let echo = handler("return new Response(await request.text())");
        for length in [0, 1, 1000, 300 << 10, 3 << 20] {
            let whole = "ä".repeat(length / 2);
            assert_eq!(fetch(&pool, &*echo, post(whole.as_str())), whole);
            assert_eq!(
                fetch(&pool, &*echo, post(Bytes::from(whole.clone()))),
                whole
            );
        }
        let none = handler("return new Response(String(request.body))");
        assert_eq!(
            fetch(&pool, &*none, Request::get("http://worker.test/")),
            "null"
        );
    }

    #[test]
    fn stream_both_ways_at_once_with_back_pressure() {
        let pool = process_pool();
        let worker = handler(
            "return new Response(request.body.pipeThrough(new TransformStream({
                transform(chunk, controller) { controller.enqueue(chunk); }
            })))",
        );
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = sent.clone();
        let chunks = futures_util::stream::iter((0..4000_usize).map(move |n| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, StreamError>(Bytes::from(vec![n as u8; 1 << 10]))
        }));
        let request = post(Body::Stream(BodyReader::from_stream(chunks)));
        let worker = Arc::new(worker.into());
        let options = RunOptions {
            limits: Some(isolane::Limits {
                cpu: None,
                ..small_limits()
            }),
            on_log: None,
        };
        let response = block_on(pool.execute("a", &worker, request, options)).expect("an answer");
        let Body::Stream(mut reader) = response.body else {
            panic!("not a stream");
        };
        let mut read = 0;
        while let Some(chunk) = block_on(reader.next()) {
            read += chunk.expect("a chunk").len();
            let ahead = sent.load(Ordering::Relaxed) - (read >> 10);
            assert!(ahead < 1000, "{ahead} chunks ahead of the reader");
        }
        assert_eq!(read, 4000 << 10);
    }

    #[test]
    fn reach_the_guest_when_the_reader_goes() {
        let pool = process_pool();
        let (seen, sink) = recorder();
        let worker = handler(
            "return new Response(new ReadableStream({
                pull(controller) { controller.enqueue(new Uint8Array(1 << 14)); },
                cancel() { console.log('cancelled'); },
            }))",
        );
        let options = RunOptions {
            limits: None,
            on_log: Some(sink),
        };
        let worker = Arc::new(worker.into());
        let request = Request::get("http://worker.test/");
        let response = block_on(pool.execute("a", &worker, request, options)).expect("an answer");
        drop(response);
        eventually("the guest's cancel", || {
            seen.lock()
                .unwrap()
                .iter()
                .any(|entry| entry.message == "cancelled")
        });
        eventually("the request's end", || pool.stats().in_flight == 0);
    }

    #[test]
    fn of_scheduled_events_and_of_errors_come_whole() {
        let pool = process_pool();
        let worker = "export default {
            fetch() { throw new RangeError('bad') },
            async scheduled(event) { if (event.cron !== '* *') throw new Error(event.cron) },
        }";
        block_on(pool.deploy("a", worker.into())).expect("deployed");
        let event = ScheduledEvent {
            cron: "* *".to_owned(),
            scheduled_time_ms: 1.0,
        };
        block_on(pool.scheduled("a", event, RunOptions::default())).expect("handled");
        let request = Request::get("http://worker.test/");
        let error = block_on(pool.fetch("a", request, RunOptions::default())).unwrap_err();
        assert_eq!(error.code(), "ERR_WORKER_EXCEPTION");
        let guest = error.guest().expect("what it threw");
        assert_eq!((&*guest.name, &*guest.message), ("RangeError", "bad"));
        assert!(guest.stack.contains("worker.js:2"), "{}", guest.stack);
        assert!(error.usage().is_some());
        let none = run(&pool, "b", "export default {}").unwrap_err();
        assert_eq!(none.code(), "ERR_NO_HANDLER");
    }

    #[test]
    fn of_deploys_say_what_does_not_load_and_keep_what_was_there() {
        let pool = process_pool();
        let hello = handler("return new Response('hello')");
        block_on(pool.deploy("a", (&*hello).into())).expect("deployed");
        let syntax = block_on(pool.deploy("a", "export default {".into())).unwrap_err();
        assert_eq!(syntax.code(), "ERR_WORKER_SYNTAX");
        let thrown = block_on(pool.deploy("a", "throw new TypeError('no'); export {}".into()));
        let thrown = thrown.unwrap_err();
        assert_eq!(thrown.guest().map(|guest| &*guest.message), Some("no"));
        let request = || Request::get("http://worker.test/");
        let answer = block_on(pool.fetch("a", request(), RunOptions::default()));
        assert_eq!(text(answer.expect("an answer")), "hello");
        let replaced = handler("return new Response('new')");
        block_on(pool.deploy("a", (&*replaced).into())).expect("deployed");
        let answer = block_on(pool.fetch("a", request(), RunOptions::default()));
        assert_eq!(text(answer.expect("an answer")), "new");
        assert!(pool.evict("a"));
        assert!(!pool.evict("a"));
        let gone = block_on(pool.fetch("a", request(), RunOptions::default())).unwrap_err();
        assert_eq!(gone.code(), "ERR_UNKNOWN_WORKER");
    }

    #[test]
    fn are_counted() {
        let pool = process_pool();
        let script = handler("return new Response('x')");
        for _ in 0..5 {
            run(&pool, "a", &script).expect("an answer");
        }
        let counted = || {
            let stats = pool.stats();
            let worker = stats
                .workers
                .first()
                .map(|worker| (worker.isolates, worker.requests));
            (
                stats.hits,
                stats.misses,
                stats.total,
                stats.in_flight,
                worker,
            )
        };
        eventually("the child's counters", || {
            counted() == (4, 1, 1, 0, Some((1, 5)))
        });
    }
}

type Recorder = (Arc<Mutex<Vec<LogEntry>>>, isolane::LogSink);

fn recorder() -> Recorder {
    let seen: Arc<Mutex<Vec<LogEntry>>> = Arc::default();
    let sink = seen.clone();
    (
        seen,
        Arc::new(move |entry| sink.lock().unwrap().push(entry)),
    )
}

mod the_host {
    use super::*;

    #[test]
    fn gives_functions_through_env() {
        let pool = process_pool();
        let add = HostFunction::json(|args| {
            Box::pin(
                async move { Ok((args[0].as_f64().unwrap() + args[1].as_f64().unwrap()).into()) },
            )
        });
        let fail = HostFunction::json(|_| {
            Box::pin(async {
                Err(HostCallError::Rejected {
                    name: "RangeError".to_owned(),
                    message: "too far".to_owned(),
                })
            })
        });
        let panics = HostFunction::json(|_| panic!("in the host"));
        let mut worker = WorkerDefinition::script(handler(
            "const of = (promise) => promise.catch((error) => `${error.name}: ${error.message}`);
            return Response.json([await env.add(1, 2), await of(env.group.fail()), await of(env.panics()), env.plain]);",
        ));
        worker.env = Env::default()
            .with("plain", serde_json::json!({ "a": [1] }))
            .with("add", add)
            .with(
                "group",
                isolane::EnvValue::Functions(vec![("fail".to_owned(), fail)]),
            )
            .with("panics", panics);
        let request = Request::get("http://worker.test/");
        assert_eq!(
            fetch(&pool, worker, request),
            r#"[3,"RangeError: too far","Error: The host function failed",{"a":[1]}]"#
        );
    }

    #[test]
    fn lets_go_of_functions_that_no_worker_has() {
        let pool = process_pool();
        let held = Arc::new(());
        let witness = held.clone();
        let function = HostFunction::json(move |_| {
            let _witness = witness.clone();
            Box::pin(async { Ok(1.into()) })
        });
        let mut worker = WorkerDefinition::script(handler("return new Response(await env.f())"));
        worker.env = Env::default().with("f", function);
        assert_eq!(
            fetch(&pool, worker, Request::get("http://worker.test/")),
            "1"
        );
        assert!(Arc::strong_count(&held) > 1);
        assert!(pool.evict("a"));
        eventually("the function's end", || Arc::strong_count(&held) == 1);
    }

    #[test]
    fn no_longer_runs_a_call_that_no_guest_waits_for() {
        let pool = process_pool();
        let running = Arc::new(());
        let witness = running.clone();
        let never = HostFunction::json(move |_| {
            let witness = witness.clone();
            Box::pin(async move {
                let _witness = witness;
                std::future::pending().await
            })
        });
        let mut worker = WorkerDefinition::script(handler("await env.never()"));
        worker.env = Env::default().with("never", never);
        let worker = Arc::new(worker);
        let request = Request::get("http://worker.test/");
        let future = pool.execute("a", &worker, request, RunOptions::default());
        eventually("the call", || Arc::strong_count(&running) == 3);
        future.abort_handle().abort();
        assert_eq!(block_on(future).unwrap_err().code(), "ERR_ABORTED");
        eventually("the call's end", || Arc::strong_count(&running) == 2);
    }

    struct Mirror;

    impl FetchClient for Mirror {
        fn fetch(
            &self,
            request: FetchRequest,
        ) -> futures_util::future::BoxFuture<'static, Result<FetchResponse, FetchError>> {
            Box::pin(async move {
                if request.url.ends_with("/blocked") {
                    return Err(FetchError::Blocked);
                }
                Ok(FetchResponse {
                    status: 203,
                    headers: request.headers,
                    url: request.url,
                    body: request.body,
                    ..FetchResponse::default()
                })
            })
        }
    }

    #[test]
    fn answers_fetches_in_the_place_of_the_network() {
        let pool = process_pool();
        let mut worker = WorkerDefinition::script(handler(
            "const response = await fetch('http://far.test/x', { method: 'POST', body: 'sent', headers: { a: 'b' } });
            const blocked = await fetch('http://far.test/blocked').catch((error) => error.message);
            const long = 'z'.repeat(600_000);
            const streamed = await fetch('http://far.test/y', { method: 'PUT', body: new Blob([long]).stream(), duplex: 'half' });
            return Response.json([response.status, response.url, response.headers.get('a'), await response.text(), blocked,
                (await streamed.text()) === long]);",
        ));
        worker.outbound = Outbound::Client(Arc::new(Mirror));
        assert_eq!(
            fetch(&pool, worker, Request::get("http://worker.test/")),
            r#"[203,"http://far.test/x","b","sent","fetch failed: destination not allowed",true]"#
        );
    }

    #[test]
    fn hears_consoles_before_the_answer() {
        let (of_pool, sink) = recorder();
        let pool = process_pool_with(|options| options.on_log = Some(sink));
        let (of_run, sink) = recorder();
        let script = handler("console.warn('said'); return new Response('x')");
        run(&pool, "a", &script).expect("an answer");
        let options = RunOptions {
            limits: None,
            on_log: Some(sink),
        };
        let worker = Arc::new(script.into());
        let request = Request::get("http://worker.test/");
        block_on(pool.execute("a", &worker, request, options)).expect("an answer");
        for seen in [of_pool, of_run] {
            let seen = seen.lock().unwrap();
            let [entry] = &seen[..] else {
                panic!("{seen:?}");
            };
            assert_eq!((entry.level.as_str(), &*entry.message), ("warn", "said"));
            assert_eq!(entry.worker_id.as_deref(), Some("a"));
        }
    }
}

mod limits {
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
}

/// Fatal to V8 whatever the limit: an array longer than there can be.
const FATAL: &str = "return new Response(('x'.repeat(1 << 28) + 'y').split('').length)";

const SLEEP: &str = "await new Promise((r) => setTimeout(r, 60_000))";

fn start(pool: &IsolatePool, id: &str, body: &str) -> isolane::WorkerFuture {
    let worker = Arc::new(handler(body).into());
    pool.execute(
        id,
        &worker,
        Request::get("http://worker.test/"),
        RunOptions::default(),
    )
}

fn assert_serves(pool: &IsolatePool) {
    let hello = handler("return new Response('hello')");
    assert_eq!(
        text(run(pool, "hello", &hello).expect("an answer")),
        "hello"
    );
}

fn code(result: Result<isolane::Response, Error>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "none")
}

mod a_crash {
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

    #[cfg(target_os = "linux")]
    #[test]
    fn for_want_of_memory_is_blamed_on_the_request_that_took_it() {
        let program = std::env::current_exe().expect("this test's path");
        let limited = "ulimit -v 6000000; exec \"$0\" process::child_entry --exact --nocapture";
        let args = ["-c".into(), limited.into(), program.into_os_string()];
        let pool = pool_with(|options| {
            options.isolation = Isolation::Process(ChildProgram::new("/bin/sh", args));
            options.process_memory_bytes = usize::MAX;
            options.threads = 1;
            options.limits = isolane::Limits {
                cpu: None,
                wall: Some(Duration::from_secs(60)),
                heap_bytes: 16 << 30,
                ..small_limits()
            };
        });
        let waiting = start(&pool, "waiting", SLEEP);
        let greedy = "const kept = []; while (true) kept.push(new Array(100_000).fill(1.5));";
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
            return in_a_process_of_its_own(
                "a_crash::in_the_middle_of_requests_settles_all_of_them",
            );
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
}

/// Set in the process that a test has to itself, where all children are its own.
const ALONE: &str = "ISOLANE_TEST_ALONE";

fn in_a_process_of_its_own(name: &str) {
    let program = std::env::current_exe().expect("this test's path");
    let status = Command::new(program)
        .args([&format!("process::{name}"), "--exact", "--nocapture"])
        .env(ALONE, "1")
        .status();
    assert!(status.expect("a child process").success());
}

mod supervision {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn ends_a_child_that_takes_too_much_memory() {
        let pool = process_pool_with(|options| {
            options.process_memory_bytes = 200 << 20;
            options.limits = isolane::Limits {
                cpu: None,
                heap_bytes: 1 << 30,
                buffer_bytes: None,
                wall: Some(Duration::from_secs(60)),
                ..small_limits()
            };
        });
        let greedy = "const kept = []; while (true) { kept.push(new Uint8Array(1 << 20).fill(1)); await new Promise((r) => setTimeout(r, 1)) }";
        assert_eq!(
            code(block_on(start(&pool, "greedy", greedy))),
            "ERR_HEAP_LIMIT"
        );
        assert_serves(&pool);
        assert_eq!(pool.stats().respawns, 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn ends_a_child_that_no_longer_answers() {
        if std::env::var_os(ALONE).is_none() {
            return in_a_process_of_its_own("supervision::ends_a_child_that_no_longer_answers");
        }
        let pool = process_pool_with(|options| {
            options.limits.wall = Some(Duration::from_millis(500));
        });
        assert_serves(&pool);
        let [child] = children_of(std::process::id())[..] else {
            panic!("there is one child");
        };
        let stop = Command::new("kill")
            .args(["-STOP", &child.to_string()])
            .status();
        assert!(stop.expect("kill runs").success());
        assert_eq!(
            code(block_on(start(&pool, "a", "return new Response('x')"))),
            "ERR_ISOLATE_CRASHED"
        );
        assert_serves(&pool);
    }

    #[test]
    fn lets_requests_wait_for_their_turn_longer_than_their_wall_time() {
        let pool = process_pool_with(|options| {
            options.threads = 1;
            options.max_isolates_per_worker = 1;
            options.limits = isolane::Limits {
                cpu: Some(Duration::from_secs(2)),
                wall: Some(Duration::from_millis(700)),
                ..small_limits()
            };
        });
        let busy = "const until = Date.now() + 300; while (Date.now() < until) {} return new Response('x')";
        let waiting: Vec<_> = (0..12).map(|_| start(&pool, "a", busy)).collect();
        for future in waiting {
            assert_eq!(code(block_on(future)), "none");
        }
        assert_eq!(pool.stats().respawns, 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn leaves_no_child_behind_when_the_parent_is_killed() {
        const ROLE: &str = "ISOLANE_TEST_PARENT";
        if std::env::var_os(ROLE).is_some() {
            let pool = process_pool();
            let hello = handler("return new Response('x')");
            run(&pool, "a", &hello).expect("an answer");
            // Busy, so that it is not the idle loop that notices.
            let _spinning = start(&pool, "spin", "while (true) {}");
            let [child] = children_of(std::process::id())[..] else {
                panic!("there is one child");
            };
            println!("child {child}.");
            loop {
                std::thread::park();
            }
        }
        let program = std::env::current_exe().expect("this test's path");
        let name = "process::supervision::leaves_no_child_behind_when_the_parent_is_killed";
        let mut parent = Command::new(program)
            .args([name, "--exact", "--nocapture"])
            .env(ROLE, "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("a parent process");
        let mut lines = std::io::BufReader::new(parent.stdout.take().expect("its output"));
        let child: u32 = loop {
            let mut line = String::new();
            let read = std::io::BufRead::read_line(&mut lines, &mut line).expect("a line");
            assert!(read > 0, "the parent ended early");
            if let Some((_, id)) = line.trim_end().split_once("child ") {
                break id.trim_end_matches('.').parse().expect("an id");
            }
        };
        parent.kill().expect("killed");
        parent.wait().expect("ended");
        let stat = PathBuf::from(format!("/proc/{child}/stat"));
        eventually("the child's end", || {
            std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "))
        });
    }
}

mod closing {
    use super::*;

    #[test]
    fn ends_what_goes_on_after_the_grace_time_and_the_child() {
        let pool = process_pool_with(|options| options.grace = Duration::from_millis(100));
        assert_serves(&pool);
        let waiting = start(&pool, "a", SLEEP);
        block_on(pool.close()).expect("closed");
        assert_eq!(code(block_on(waiting)), "ERR_POOL_CLOSED");
        assert_eq!(code(block_on(start(&pool, "a", SLEEP))), "ERR_POOL_CLOSED");
        block_on(pool.close()).expect("closed again");
    }

    #[test]
    fn waits_for_what_ends_in_time() {
        let pool = process_pool();
        let quick = "await new Promise((r) => setTimeout(r, 300)); return new Response('x')";
        assert_serves(&pool);
        let waiting = start(&pool, "a", quick);
        block_on(pool.close()).expect("closed");
        assert_eq!(code(block_on(waiting)), "none");
    }

    #[test]
    fn a_dropped_pool_still_answers() {
        let pool = process_pool();
        let waiting = start(&pool, "a", "return new Response('x')");
        drop(pool);
        assert_eq!(code(block_on(waiting)), "none");
    }

    #[test]
    fn a_full_queue_refuses() {
        let pool = process_pool_with(|options| {
            options.max_queue = 2;
            options.threads = 1;
            options.max_isolates_per_worker = 1;
        });
        let busy = "const until = Date.now() + 200; while (Date.now() < until) {} return new Response('x')";
        let codes: Vec<_> = (0..20).map(|_| start(&pool, "a", busy)).collect();
        let codes: Vec<_> = codes
            .into_iter()
            .map(|future| code(block_on(future)))
            .collect();
        assert!(codes.contains(&"ERR_POOL_FULL"), "{codes:?}");
        assert!(codes.contains(&"none"), "{codes:?}");
    }
}
