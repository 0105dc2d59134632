//! Brings the scheduler's answers to the guest: one turn for each, charged to its request. Answers
//! of requests that have ended are dropped.

use bytes::Bytes;
use isolane_scheduler::{
    Body, BodyReader, CallbackId, CallbackMessage, ComputeOutput, FetchResponse, ForwardEnd,
    HostCallError, SchedulerMessage,
};

use crate::definition::HostCodec;
use crate::error::Error;
use crate::limits::LimitKind;

use super::events;
use super::exception;
use super::realm::Realm;
use super::realm_state::{OperationKind, RealmState};
use super::values;
use super::web::computing::{self, Computed};
use super::web::{cache, json, structured_clone};

impl Realm {
    /// Runs the guest's callback for one answer.
    pub(crate) fn process_callback(&mut self, isolate: &mut v8::Isolate, msg: CallbackMessage) {
        let request = msg.request();
        match msg {
            CallbackMessage::DeadlineReached { request } => {
                self.abort(isolate, request, &Error::limit(LimitKind::Wall));
            }
            CallbackMessage::TimerFired { id, .. } => {
                if self.state().end(id).is_some() {
                    self.turn(isolate, request, |scope, realm| {
                        events::fire(scope, realm, id)
                    });
                }
            }
            CallbackMessage::FetchDone { id, response, .. } => {
                if self.state().end(id).is_none() {
                    return;
                }
                self.state().fetch_ended(request);
                self.turn(isolate, request, |scope, realm| {
                    let value = response_value(scope, realm, response);
                    events::fulfill(scope, realm, id, value);
                });
            }
            CallbackMessage::FetchFailed { id, error, .. } => {
                if self.state().end(id).is_none() {
                    return;
                }
                self.state().fetch_ended(request);
                self.reject(isolate, request, id, ("TypeError", error.guest_message()));
            }
            CallbackMessage::StreamChunk { id, chunk, .. } => {
                if self.state().end(id).is_none() {
                    return;
                }
                self.turn(isolate, request, |scope, realm| {
                    let value = match chunk {
                        Some(bytes) => values::bytes_value(scope, realm, &bytes),
                        None => Some(v8::null(scope).into()),
                    };
                    if let Some(value) = value {
                        events::fulfill(scope, realm, id, value);
                    }
                });
            }
            CallbackMessage::StreamFailed { id, error, .. } => {
                if self.state().end(id).is_some() {
                    self.reject(isolate, request, id, ("TypeError", error.guest_message()));
                }
            }
            CallbackMessage::StreamWritable { id, open, .. } => {
                if self.state().end(id).is_some() {
                    self.turn(isolate, request, |scope, realm| {
                        let open = v8::Boolean::new(scope, open).into();
                        events::fulfill(scope, realm, id, open);
                    });
                }
            }
            CallbackMessage::StreamForwarded { id, end, .. } => {
                if self.state().end(id).is_some() {
                    self.forwarded(isolate, request, id, end);
                }
            }
            CallbackMessage::ComputeDone { id, output, .. } => {
                if self.state().end(id).is_some() {
                    self.computed(isolate, request, id, output);
                }
            }
            CallbackMessage::HostCallDone { id, result, .. } => {
                let Some(operation) = self.state().end(id) else {
                    return;
                };
                let codec = match operation.kind {
                    OperationKind::HostCall(codec) => codec,
                    OperationKind::Cache => {
                        return self.cache_answered(isolate, request, id, result);
                    }
                    _ => return,
                };
                match result {
                    Ok(bytes) => self.turn(isolate, request, |scope, realm| {
                        match decode(scope, realm, codec, &bytes) {
                            Ok(value) => events::fulfill(scope, realm, id, value),
                            Err(error) => events::reject(scope, realm, id, error),
                        }
                    }),
                    Err(error) => {
                        let (name, message) = (error_name(&error), error.guest_message());
                        self.reject(isolate, request, id, (name, message));
                    }
                }
            }
        }
    }

    /// Tells the guest why a stream of the host's is forwarded no further.
    fn forwarded(
        &mut self,
        isolate: &mut v8::Isolate,
        request: u64,
        id: CallbackId,
        end: ForwardEnd,
    ) {
        let all_sent = match end {
            ForwardEnd::Sent => true,
            ForwardEnd::ReaderGone => false,
            ForwardEnd::TooLong => {
                return self.end_request(request, Error::limit(LimitKind::Response));
            }
            ForwardEnd::Failed(error) => {
                let error = ("TypeError", error.guest_message());
                return self.reject(isolate, request, id, error);
            }
        };
        self.turn(isolate, request, |scope, realm| {
            let all_sent = v8::Boolean::new(scope, all_sent).into();
            events::fulfill(scope, realm, id, all_sent);
        });
    }

    /// Hands the guest what long work made, unless that used up the request's processor time.
    fn computed(
        &mut self,
        isolate: &mut v8::Isolate,
        request: u64,
        id: CallbackId,
        output: Option<ComputeOutput>,
    ) {
        let Some(done) = output.and_then(|output| output.downcast::<Computed>().ok()) else {
            self.end_request(request, Error::internal("long work panicked"));
            return;
        };
        if self.is_out_of_cpu(request) {
            self.end_request(request, Error::limit(LimitKind::Cpu));
            return;
        }
        self.turn(isolate, request, |scope, realm| {
            computing::settle(scope, realm, id, *done);
        });
    }

    /// Brings the answer of a cache, which is in its slot.
    fn cache_answered(
        &mut self,
        isolate: &mut v8::Isolate,
        request: u64,
        id: CallbackId,
        result: Result<Bytes, HostCallError>,
    ) {
        let slot = self.state().cache_answers.borrow_mut().remove(&id);
        match (result, slot.and_then(|slot| slot.take())) {
            (Ok(_), Some(answer)) => self.turn(isolate, request, |scope, realm| {
                if let Some(value) = cache::answer_value(scope, realm, answer) {
                    events::fulfill(scope, realm, id, value);
                }
            }),
            (Err(HostCallError::Rejected { name, message }), _) => {
                self.reject(isolate, request, id, (&name, &message));
            }
            _ => self.reject(isolate, request, id, ("Error", "The cache failed")),
        }
    }

    fn reject(
        &mut self,
        isolate: &mut v8::Isolate,
        request: u64,
        id: CallbackId,
        error: (&str, &str),
    ) {
        self.turn(isolate, request, |scope, realm| {
            events::reject(scope, realm, id, error)
        });
    }
}

const TOO_LARGE: (&str, &str) = ("RangeError", "The host function's answer is too large");
const NOT_A_VALUE: (&str, &str) = ("TypeError", "The host function's answer cannot be read");

/// The answer as the guest's value, or the error that it gets in its place.
fn decode<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    codec: HostCodec,
    bytes: &[u8],
) -> Result<v8::Local<'s, v8::Value>, (&'static str, &'static str)> {
    // Buffers in it are not the heap's, and as they are counted they are refused by themselves.
    let for_heap = bytes.len().saturating_sub(realm.guards.buffers.limit());
    if !realm.guards.heap.has_room(scope, for_heap) {
        return Err(TOO_LARGE);
    }
    v8::tc_scope!(let scope, scope);
    let value = match codec {
        HostCodec::Structured => structured_clone::deserialize(scope, bytes),
        HostCodec::Json => v8::String::new_from_utf8(scope, bytes, v8::NewStringType::Normal)
            .and_then(|text| json::parse(scope, realm, text)),
    };
    exception::keep_terminating(scope.has_terminated(), scope);
    value.ok_or_else(|| {
        if realm.guards.buffers.take_denied() {
            TOO_LARGE
        } else {
            NOT_A_VALUE
        }
    })
}

/// The guest side's `HostFetchResult`.
fn response_value<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    response: FetchResponse,
) -> v8::Local<'s, v8::Value> {
    let body = register_body(realm, response.body);
    let entries = [
        (
            "status",
            v8::Integer::new(scope, response.status.into()).into(),
        ),
        ("statusText", values::string(scope, &response.status_text)),
        ("headers", values::flat(scope, &response.headers)),
        ("url", values::string(scope, &response.url)),
        (
            "redirected",
            v8::Boolean::new(scope, response.redirected).into(),
        ),
        ("body", values::number(scope, body)),
    ];
    let object = v8::Object::new(scope);
    for (name, value) in entries {
        let key = values::string(scope, name);
        object.set(scope, key, value);
    }
    object.into()
}

/// The name of the guest's error for a failed call.
fn error_name(error: &HostCallError) -> &str {
    match error {
        HostCallError::Rejected { name, .. } => name,
        _ => "Error",
    }
}

fn once(bytes: Bytes) -> BodyReader {
    let (writer, reader) = BodyReader::channel(1);
    // Never full yet.
    let _ = writer.try_send(bytes);
    reader
}

/// Makes a response's body readable under an id; 0 where there is none.
fn register_body(realm: &RealmState, body: Body) -> u64 {
    let reader = match body {
        Body::Empty => return 0,
        Body::Stream(reader) => reader,
        Body::Bytes(bytes) => once(bytes),
        Body::Text(text) => once(text.into()),
    };
    let request = realm.current.get();
    let stream = realm.scheduler.register_stream_for(request, reader);
    if let Some(active) = realm.requests.borrow_mut().get_mut(&request) {
        active.incoming.push(stream);
    }
    stream
}

/// Asks the scheduler for something whose answer comes under the returned id.
pub(crate) fn ask(
    realm: &RealmState,
    kind: OperationKind,
    message: impl FnOnce(u64, CallbackId) -> SchedulerMessage,
) -> CallbackId {
    let id = realm.begin(kind);
    realm.scheduler.send(message(realm.current.get(), id));
    id
}
