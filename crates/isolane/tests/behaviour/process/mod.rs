//! Isolation by process: the same answers, and a host that goes on whatever becomes of the child.

mod a_crash;
mod answers;
mod closing;
mod limits;
mod supervision;
mod the_host;

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
            let entry = entry.ok()?;
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let (state, its_parent) = state_and_parent(&entry.path())?;
            (state != "Z" && its_parent == parent).then_some(id)
        });
    numbers.collect()
}

/// Of a process or a thread, by its folder.
#[cfg(target_os = "linux")]
fn state_and_parent(folder: &std::path::Path) -> Option<(String, u32)> {
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    // The name may hold anything, so the fields are counted from its end.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// Stops a process, and waits until all of its threads stand still.
#[cfg(target_os = "linux")]
fn stop(id: u32) {
    let status = Command::new("kill")
        .args(["-STOP", &id.to_string()])
        .status();
    assert!(status.expect("kill runs").success());
    let runs = |thread: &std::io::Result<std::fs::DirEntry>| {
        let folder = thread.as_ref().expect("a thread").path();
        state_and_parent(&folder).is_some_and(|(state, _)| state != "T")
    };
    let threads = || std::fs::read_dir(format!("/proc/{id}/task")).expect("its threads");
    while threads().any(|thread| runs(&thread)) {
        std::thread::yield_now();
    }
}

fn kill(id: u32) {
    let status = Command::new("kill")
        .args(["-KILL", &id.to_string()])
        .status();
    assert!(status.expect("kill runs").success());
}

type Recorder = (Arc<Mutex<Vec<LogEntry>>>, isolane::LogSink);

fn recorder() -> Recorder {
    let seen: Arc<Mutex<Vec<LogEntry>>> = Arc::default();
    let sink = seen.clone();
    (
        seen,
        Arc::new(move |entry| sink.lock().expect("no panic").push(entry)),
    )
}

/// Fatal to V8 whatever the limit: an array longer than there can be.
const FATAL: &str = "return new Response(/x/g[Symbol.match]('x'.repeat(1 << 28)).length)";

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
