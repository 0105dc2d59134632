//! Bodies that workers pass on without looking at them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_executor::block_on;
use isolane::{
    Body, BodyReader, Error, Limits, Request, Response, RunOptions, StreamError, Worker,
    WorkerDefinition, WorkerOptions,
};

use crate::support::{handler, text};

fn post(body: impl Into<Body>) -> Request {
    Request {
        method: "POST".to_owned(),
        url: "http://worker.test/".to_owned(),
        headers: vec![],
        body: body.into(),
    }
}

fn worker(script: &str) -> Worker {
    Worker::new(handler(script), WorkerOptions::default()).expect("a worker")
}

fn send(script: &str, body: impl Into<Body>) -> Result<Response, Error> {
    block_on(worker(script).fetch(post(body), RunOptions::default()))
}

/// A body that gives as many numbers as it is asked for, and counts them.
fn numbers(count: usize) -> (Body, Arc<AtomicUsize>) {
    let given = Arc::new(AtomicUsize::new(0));
    let counting = given.clone();
    let numbers = futures_util::stream::iter((0..count).map(move |number| {
        counting.fetch_add(1, Ordering::SeqCst);
        Ok(Bytes::from(format!("{number},")))
    }));
    (Body::Stream(BodyReader::from_stream(numbers)), given)
}

fn all_of(count: usize) -> String {
    (0..count).map(|number| format!("{number},")).collect()
}

#[test]
fn a_body_arrives_whole_however_it_is_passed_on() {
    for script in [
        "return new Response(request.body)",
        "return new Response(request.body, { headers: { 'content-type': 'text/plain' } })",
        "return new Response(new Response(request.body).body)",
        "return new Response(new Request(request).body)",
        "return new Response(request.clone().body)",
        "const [one, other] = request.body.tee(); return new Response(other)",
        "return new Response(request.body.pipeThrough(new TransformStream()))",
        "const body = request.body; body.getReader().releaseLock(); return new Response(body)",
        "const { body } = request; await null; return new Response(body)",
    ] {
        let (body, _) = numbers(200);
        let response = send(script, body).unwrap_or_else(|error| panic!("{script}: {error}"));
        assert_eq!(text(response), all_of(200), "{script}");
    }
}

#[test]
fn what_was_read_before_is_not_passed_on() {
    let script = "
        const reader = request.body.getReader();
        await reader.read();
        await reader.read();
        reader.releaseLock();
        const rest = request.body.pipeThrough(new TransformStream());
        return new Response(rest)";
    let (body, _) = numbers(100);
    assert_eq!(
        text(send(script, body).expect("an answer")),
        &all_of(100)[4..]
    );
}

#[test]
fn a_body_that_is_passed_on_is_locked_and_used_up() {
    let script = "
        const response = new Response(request.body);
        ctx.waitUntil((async () => {
          await scheduler.wait(1);
          const seen = [request.bodyUsed, request.body.locked, response.bodyUsed];
          await request.text().catch((error) => seen.push(error.name));
          console.log(seen.join());
        })());
        return response";
    let lines = Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = lines.clone();
    let options = RunOptions {
        on_log: Some(Arc::new(move |entry: isolane::LogEntry| {
            sink.lock().unwrap().push(entry.message);
        })),
        ..RunOptions::default()
    };
    let (writer, reader) = BodyReader::channel(1);
    let worker = worker(script);
    let response = block_on(worker.fetch(post(Body::Stream(reader)), options)).expect("an answer");
    let waiting = std::thread::spawn(move || {
        while lines.lock().unwrap().is_empty() {
            std::thread::yield_now();
        }
        drop(writer);
        lines.lock().unwrap().join("|")
    });
    assert_eq!(text(response), "");
    assert_eq!(
        waiting.join().expect("no panic"),
        "true,true,true,TypeError"
    );
}

#[test]
fn it_is_pulled_at_the_pace_of_its_reader() {
    let (body, given) = numbers(100_000);
    let worker = worker("return new Response(request.body)");
    let response = block_on(worker.fetch(post(body), RunOptions::default())).expect("an answer");
    let Body::Stream(mut reader) = response.body else {
        panic!("not a stream: {:?}", response.body)
    };
    block_on(reader.next())
        .expect("a chunk")
        .expect("no failure");
    // It holds sixteen chunks, and one waits for room.
    assert!(given.load(Ordering::SeqCst) <= 20);
}

#[test]
fn a_reader_that_goes_closes_the_source() {
    let (writer, source) = BodyReader::channel(1);
    let worker = worker("return new Response(request.body)");
    let request = post(Body::Stream(source));
    let response = block_on(worker.fetch(request, RunOptions::default())).expect("an answer");
    drop(response);
    block_on(writer.closed());
}

#[test]
fn a_source_that_fails_fails_the_response() {
    let (writer, source) = BodyReader::channel(4);
    block_on(writer.send("begin".into())).expect("it is open");
    let worker = worker("return new Response(request.body)");
    let request = post(Body::Stream(source));
    let response = block_on(worker.fetch(request, RunOptions::default())).expect("an answer");
    writer.fail(StreamError::Host("on purpose".into()));
    assert!(block_on(response.body.into_bytes(u64::MAX)).is_err());
}

#[test]
fn what_is_passed_on_counts_as_the_response() {
    let limits = Limits {
        response_bytes: Some(1000),
        ..Limits::default()
    };
    let worker: WorkerDefinition = handler("return new Response(request.body)").into();
    let worker = WorkerDefinition {
        limits: Some(limits),
        ..worker
    };
    let worker = Worker::new(worker, WorkerOptions::default()).expect("a worker");
    let (body, _) = numbers(10_000);
    let response = block_on(worker.fetch(post(body), RunOptions::default())).expect("an answer");
    let error = block_on(response.body.into_bytes(u64::MAX)).expect_err("it is too long");
    assert!(error.to_string().contains("ERR_RESPONSE_LIMIT"), "{error}");
}

#[test]
fn its_wall_limit_ends_a_body_that_is_passed_on() {
    let options = RunOptions {
        limits: Some(Limits {
            wall: Some(std::time::Duration::from_millis(50)),
            ..Limits::default()
        }),
        ..RunOptions::default()
    };
    let (writer, source) = BodyReader::channel(1);
    let worker = worker("return new Response(request.body)");
    let response = block_on(worker.fetch(post(Body::Stream(source)), options)).expect("an answer");
    let error = block_on(response.body.into_bytes(u64::MAX)).expect_err("it never ends");
    assert!(error.to_string().contains("ERR_WALL_LIMIT"), "{error}");
    block_on(writer.closed());
}
