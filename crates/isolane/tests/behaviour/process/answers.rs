//! What a child's guests answer: the same as in this process.

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
