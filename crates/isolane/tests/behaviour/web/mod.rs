//! What guests find among their globals. Each test is a handler whose assertions run in the guest.

mod async_context;
mod caches;
mod console;
mod error_events;
mod event_source;
mod forwarding;
mod messages;
mod shape;
mod small;
mod url_pattern;
mod web_socket;

use std::sync::{Arc, Mutex};

use futures_executor::block_on;
use isolane::{LogSink, Request, RunOptions, Worker, WorkerDefinition, WorkerOptions};

use crate::support::text;

/// What the assertions in guests' code use.
const ASSERTIONS: &str = "
function same(actual, expected, what = '') {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (!Object.is(actual, expected) && a !== b) throw new Error(`${what} expected ${b}, got ${a}`);
}
function throws(name, body) {
  try { body(); } catch (error) { return same(error.name, name, `${error}:`); }
  throw new Error(`expected ${name} of ${body}`);
}
async function rejects(name, promise) {
  try { await promise; } catch (error) { return same(error.name, name, `${error}:`); }
  throw new Error(`expected a rejection with ${name}`);
}
const task = () => new Promise((resolve) => setTimeout(resolve, 0));
";

/// Runs the body of a handler in which nothing may throw; the lines that it logged.
pub(crate) fn passes(body: &str) -> Vec<String> {
    passes_in(WorkerDefinition::script, body)
}

/// As [`passes`], in a worker of the caller's making.
pub(crate) fn passes_in(
    define: impl FnOnce(String) -> WorkerDefinition,
    body: &str,
) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let sink: LogSink = Arc::new(move |entry| {
        kept.lock()
            .expect("no test has panicked with it")
            .push(entry.message)
    });
    let source = format!(
        "{ASSERTIONS} export default {{ async fetch(request, env, ctx) {{ {body}; return new Response('passed') }} }}"
    );
    let options = WorkerOptions {
        on_log: Some(sink),
        ..WorkerOptions::default()
    };
    let worker = Worker::new(define(source), options).expect("a worker");
    let answer = block_on(worker.fetch(Request::get("http://worker.test/"), RunOptions::default()));
    match answer {
        Ok(response) => assert_eq!(text(response), "passed"),
        Err(error) => panic!("{error} {:?}", error.guest()),
    }
    let lines = lines.lock().expect("no test has panicked with it");
    lines.clone()
}
