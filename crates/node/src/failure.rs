//! How failures cross: as JSON behind a mark, because a rejection through Node-API could not carry
//! the codes. `lib/worker-error.ts` turns them into errors.

use isolane::{Error, Start, StreamError, Usage};
use serde_json::{Value, json};

use crate::delivery::Answer;

/// The answer of an operation that gives nothing.
pub(crate) fn empty_answer<T>(result: Result<T, Error>) -> Answer {
    result.map_or_else(|error| Answer::text(failure(&error)), |_| Answer::nothing())
}

/// The failure as JavaScript takes it.
pub(crate) fn failure(error: &Error) -> String {
    let mut data = json!({ "code": error.code(), "message": error.to_string() });
    if let Some(guest) = error.guest() {
        data["guest"] =
            json!({ "name": guest.name, "message": guest.message, "stack": guest.stack });
    }
    if let Some(usage) = error.usage() {
        data["usage"] = usage_json(usage);
    }
    marked(&data)
}

/// What failed a body: a limit that ended its request, or the guest.
pub(crate) fn stream_failure(error: &StreamError) -> String {
    let message = error.guest_message();
    let (code, message) = match error {
        StreamError::TooLarge { .. } => ("ERR_RESPONSE_LIMIT", message),
        // A request that ended by a limit fails its stream with the limit's code and message.
        StreamError::Guest(text) if text.starts_with("ERR_") => {
            text.split_once(": ").unwrap_or(("ERR_INTERNAL", text))
        }
        _ => ("ERR_WORKER_EXCEPTION", message),
    };
    marked(&json!({ "code": code, "message": message }))
}

fn marked(data: &Value) -> String {
    format!("!{data}")
}

fn usage_json(usage: &Usage) -> Value {
    json!({
        "cpuMs": usage.cpu.as_secs_f64() * 1e3,
        "wallMs": usage.wall.as_secs_f64() * 1e3,
        "heapUsedBytes": usage.heap_used_bytes,
        "start": match usage.start {
            Start::Warm => "warm",
            Start::Context => "context",
            Start::Isolate => "isolate",
        },
    })
}
