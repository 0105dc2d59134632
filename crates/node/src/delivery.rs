//! What other threads hand over to JavaScript, and how it becomes the cells of a batch.

use std::sync::Arc;

use bytes::Bytes;
use isolane::{Body, BodyReader, ExecutionContextHandle, Limits, LogEntry};
use napi::bindgen_prelude::{Either6, Uint8Array, Undefined};
use napi_derive::napi;

use crate::binding_body_reader::BindingBodyReader;
use crate::binding_context::BindingContext;
use crate::connection::SharedConnection;

/// One value of a batch.
#[napi]
#[expect(unreachable_pub, reason = "the derive macro exports it by name")]
pub type BindingCell =
    Either6<i64, String, Uint8Array, BindingBodyReader, BindingContext, Undefined>;

/// The second value of an answer.
pub(crate) enum Payload {
    Nothing,
    Text(String),
    Bytes(Bytes),
    Stream(BodyReader),
    Context(Arc<ExecutionContextHandle>, Limits),
}

impl From<Body> for Payload {
    fn from(body: Body) -> Self {
        match body {
            Body::Empty => Self::Nothing,
            Body::Bytes(bytes) => Self::Bytes(bytes),
            Body::Text(text) => Self::Text(text),
            Body::Stream(reader) => Self::Stream(reader),
        }
    }
}

impl Payload {
    /// A structured clone.
    pub(crate) fn of_clone(clone: Bytes) -> Self {
        if clone.len() <= SHORT_CLONE {
            Self::Text(latin1(&clone))
        } else {
            Self::Bytes(clone)
        }
    }

    pub(crate) fn into_cell(self, connection: &SharedConnection) -> BindingCell {
        match self {
            Self::Nothing => nothing(),
            Self::Text(text) => Either6::B(text),
            Self::Bytes(bytes) => Either6::C(Uint8Array::new(bytes.into())),
            Self::Stream(reader) => Either6::D(BindingBodyReader::new(connection, reader)),
            Self::Context(context, limits) => {
                Either6::E(BindingContext::new(connection, context, limits))
            }
        }
    }
}

pub(crate) fn nothing() -> BindingCell {
    Either6::F(())
}

pub(crate) fn text(text: String) -> BindingCell {
    Either6::B(text)
}

/// How a call that was awaited ended: the first value says how, the second is what it gave.
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) payload: Payload,
}

/// The first value of an answer.
pub(crate) enum Head {
    Nothing,
    Code(i64),
    Text(String),
}

impl Answer {
    pub(crate) fn nothing() -> Self {
        Self {
            head: Head::Nothing,
            payload: Payload::Nothing,
        }
    }

    pub(crate) fn code(code: i64) -> Self {
        Self {
            head: Head::Code(code),
            payload: Payload::Nothing,
        }
    }

    pub(crate) fn text(text: String) -> Self {
        Self {
            head: Head::Text(text),
            payload: Payload::Nothing,
        }
    }

    pub(crate) fn into_cells(self, connection: &SharedConnection) -> [BindingCell; 2] {
        let head = match self.head {
            Head::Nothing => nothing(),
            Head::Code(code) => Either6::A(code),
            Head::Text(head) => text(head),
        };
        [head, self.payload.into_cell(connection)]
    }
}

/// One entry of the list that JavaScript takes as a batch.
pub(crate) enum Delivery {
    /// A call ended. `held` says whether it kept the process alive.
    Settled {
        ticket: i64,
        held: bool,
        answer: Answer,
    },
    /// A task on the JavaScript thread can go on; never becomes cells.
    Wake { ticket: i64 },
    /// A guest wrote to its console.
    Log { function: u32, entry: LogEntry },
    /// A guest called a host function.
    HostCall {
        call: i64,
        function: u32,
        arguments: Bytes,
    },
    /// A guest's fetch goes to an outbound function.
    Outbound { call: i64, head: String, body: Body },
    /// The guest no longer waits for that fetch.
    OutboundAbandoned { call: i64 },
    /// Nothing refers to a function any more.
    Released { function: u32 },
}

/// Structured clones of up to so many bytes cross as strings of a character a byte, which costs less than a
/// buffer does; `lib/short-clone.ts` has the same bound.
const SHORT_CLONE: usize = 1024;

/// A string of a character a byte.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The bytes of a string of a character a byte.
pub(crate) fn from_latin1(text: &str) -> Bytes {
    text.chars().map(|character| character as u8).collect()
}

/// The kinds of a delivery; `lib/connection.ts` has the same list.
mod kind {
    pub(super) const SETTLED: i64 = 0;
    pub(super) const LOG: i64 = 1;
    pub(super) const HOST_CALL: i64 = 2;
    pub(super) const OUTBOUND: i64 = 3;
    pub(super) const OUTBOUND_ABANDONED: i64 = 4;
    pub(super) const RELEASED: i64 = 5;
    pub(super) const REST: i64 = 6;
}

impl Delivery {
    /// Appends the four cells of this delivery.
    pub(crate) fn append_to(self, cells: &mut Vec<BindingCell>, connection: &SharedConnection) {
        let (kind, id, values) = match self {
            Self::Settled { ticket, answer, .. } => {
                (kind::SETTLED, ticket, answer.into_cells(connection))
            }
            Self::Wake { .. } => return,
            Self::Log { function, entry } => {
                append_log(cells, function, &entry);
                if let Some(dropped) = connection.log_taken(function, &entry) {
                    append_log(cells, function, &dropped);
                }
                return;
            }
            Self::HostCall {
                call,
                function,
                arguments,
            } => {
                let arguments = Payload::of_clone(arguments).into_cell(connection);
                (
                    kind::HOST_CALL,
                    call,
                    [Either6::A(function.into()), arguments],
                )
            }
            Self::Outbound { call, head, body } => (
                kind::OUTBOUND,
                call,
                [text(head), Payload::from(body).into_cell(connection)],
            ),
            Self::OutboundAbandoned { call } => {
                (kind::OUTBOUND_ABANDONED, call, [nothing(), nothing()])
            }
            Self::Released { function } => {
                (kind::RELEASED, function.into(), [nothing(), nothing()])
            }
        };
        cells.extend([Either6::A(kind), Either6::A(id)]);
        cells.extend(values);
    }
}

fn append_log(cells: &mut Vec<BindingCell>, function: u32, entry: &LogEntry) {
    cells.extend([Either6::A(kind::LOG), Either6::A(function.into())]);
    cells.extend([text(log_entry_json(entry)), nothing()]);
}

/// Appends that Node's loop is to turn once before more is taken.
pub(crate) fn append_rest(cells: &mut Vec<BindingCell>) {
    cells.extend([Either6::A(kind::REST), Either6::A(0), nothing(), nothing()]);
}

fn log_entry_json(entry: &LogEntry) -> String {
    let mut json = serde_json::json!({
        "level": entry.level.as_str(),
        "message": entry.message,
        "requestId": entry.request_id,
        "timestamp": entry.timestamp_ms,
    });
    if let Some(worker_id) = &entry.worker_id {
        json["workerId"] = serde_json::Value::from(&**worker_id);
    }
    json.to_string()
}
