//! What the native side asks of the guest side: the numbers are shared with `guest/serve.ts`.
//! Runs inside a turn.

use isolane_scheduler::{Body, CallbackId, RequestId};
use smallvec::SmallVec;

use crate::definition::{EnvValue, WorkerDefinition};
use crate::error::{Error, ErrorKind};
use crate::limits::{LimitKind, Limits};
use crate::request::{LogSink, Request, ScheduledEvent, Start};
use crate::settlement::{Parcel, SentRequest};

use super::active_request::Responder;
use super::exception;
use super::popular_families::FamilySet;
use super::realm_state::{End, RealmState};
use super::ticket::Ticket;
use super::values::{bytes_value, number, string, utf8};
use super::web::async_context;

/// A body of that length is left to who sent it. A longer one goes at once: a request may take long, and its guest
/// has a copy.
const SHORT_BODY_BYTES: usize = 4096;

/// So many names and values of a request's headers take no block of memory.
const INLINE_TEXTS: usize = 32;

const CONFIGURE: i32 = 0;
const FETCH: i32 = 1;
const SCHEDULED: i32 = 2;
const EVALUATED: i32 = 3;
const ABORT: i32 = 4;
const FULFILL: i32 = 5;
const REJECT: i32 = 6;
const FIRE: i32 = 7;
const FORGET: i32 = 8;
const REHEARSE: i32 = 9;
const REJECT_WITH: i32 = 10;
const REJECTED: i32 = 11;
const HANDLED: i32 = 12;

/// What happens to a worker.
pub(crate) enum Event<R = Request> {
    Fetch(R),
    Scheduled(ScheduledEvent),
    Evaluate {
        source: String,
        filename: String,
    },
    /// Nothing but that the worker has loaded.
    Load,
}

/// The same on its way.
pub(crate) type SentEvent = Event<SentRequest>;

impl From<Event> for SentEvent {
    fn from(event: Event) -> Self {
        match event {
            Event::Fetch(request) => Self::Fetch(request.into()),
            Event::Scheduled(event) => Self::Scheduled(event),
            Event::Evaluate { source, filename } => Self::Evaluate { source, filename },
            Event::Load => Self::Load,
        }
    }
}

/// A request on its way into a realm, in what its event brings.
pub(crate) type StartRequest = Parcel<Starting, SentEvent>;

/// A request that is to start.
pub(crate) struct Starting {
    pub(crate) id: RequestId,
    pub(crate) responder: Responder,
    /// Its own, or the worker's: few requests have their own, and all would carry a line of the cache more.
    pub(crate) limits: Option<Box<Limits>>,
    pub(crate) on_log: Option<LogSink>,
    pub(crate) start: Start,
    pub(crate) ticket: Ticket,
}

impl StartRequest {
    /// Answers a request that did not begin.
    pub(crate) fn fail(self, error: Error) {
        let (start, _) = self.open();
        drop(start.ticket);
        start.responder.fail(error);
    }
}

type Scope<'a, 's, 'i> = &'a mut v8::PinScope<'s, 'i>;

fn enter<'s>(
    scope: Scope<'_, 's, '_>,
    realm: &RealmState,
    kind: i32,
    id: u64,
    arguments: &[v8::Local<'s, v8::Value>],
) -> Option<v8::Local<'s, v8::Value>> {
    async_context::clear(scope);
    let entry = v8::Local::new(scope, &realm.entry);
    let undefined: v8::Local<v8::Value> = v8::undefined(scope).into();
    let mut all = [undefined; 6];
    all[0] = v8::Integer::new(scope, kind).into();
    all[1] = number(scope, id);
    for (place, argument) in all[2..].iter_mut().zip(arguments) {
        *place = *argument;
    }
    entry.call(scope, undefined, &all[..2 + arguments.len().min(4)])
}

/// Starts an event's handler.
///
/// What it leaves of the event is for whoever sent that.
pub(crate) fn dispatch(
    scope: Scope<'_, '_, '_>,
    realm: &RealmState,
    id: RequestId,
    event: &mut SentEvent,
) {
    match event {
        Event::Fetch(request) => {
            fetch(scope, realm, id, request);
        }
        Event::Scheduled(event) => {
            let cron = string(scope, &event.cron);
            let time = v8::Number::new(scope, event.scheduled_time_ms).into();
            enter(scope, realm, SCHEDULED, id, &[cron, time]);
        }
        Event::Load => realm.ends.borrow_mut().push((id, End::Finish)),
        Event::Evaluate { source, filename } => {
            evaluate(scope, realm, id, source, filename);
        }
    }
}

fn fetch(
    scope: Scope<'_, '_, '_>,
    realm: &RealmState,
    id: RequestId,
    request: &mut SentRequest,
) -> Option<()> {
    check_room(scope, realm, id, text_bytes(request))?;
    let mut texts = request.texts();
    let method = utf8(scope, texts.next()?);
    let url = utf8(scope, texts.next()?);
    let headers: SmallVec<[_; INLINE_TEXTS]> = texts.map(|text| utf8(scope, text)).collect();
    let headers = if headers.is_empty() {
        v8::null(scope).into()
    } else {
        v8::Array::new_with_elements(scope, &headers).into()
    };
    let body = body(scope, realm, id, &mut request.body)?;
    enter(scope, realm, FETCH, id, &[method, url, headers, body]).map(|_| ())
}

/// Ends a request whose strings have no room in the heap.
///
/// V8 does not always end what asks for one string above its heap's limit, and where it does it is the
/// whole isolate that goes.
fn check_room(
    scope: Scope<'_, '_, '_>,
    realm: &RealmState,
    id: RequestId,
    bytes: usize,
) -> Option<()> {
    if realm.guards.heap.has_room(scope, bytes) {
        return Some(());
    }
    let error = Error::limit(LimitKind::Heap);
    realm.ends.borrow_mut().push((id, End::Fail(error)));
    None
}

/// At least as many bytes as a request's strings have.
fn text_bytes(request: &SentRequest) -> usize {
    let body = match &request.body {
        Body::Text(text) => text.len(),
        Body::Empty | Body::Bytes(_) | Body::Stream(_) => 0,
    };
    request.text_bytes() + body
}

fn body<'s>(
    scope: Scope<'_, 's, '_>,
    realm: &RealmState,
    request: RequestId,
    body: &mut Body,
) -> Option<v8::Local<'s, v8::Value>> {
    match body {
        Body::Empty => Some(v8::null(scope).into()),
        Body::Text(text) => {
            let value = string(scope, text);
            if text.len() > SHORT_BODY_BYTES {
                *body = Body::Empty;
            }
            Some(value)
        }
        Body::Bytes(bytes) => {
            let value = bytes_value(scope, realm, bytes);
            if bytes.len() > SHORT_BODY_BYTES {
                *body = Body::Empty;
            }
            value
        }
        Body::Stream(_) => {
            let Body::Stream(reader) = std::mem::take(body) else {
                return None;
            };
            let stream = realm.scheduler.register_stream_for(request, reader);
            if let Some(active) = realm.requests.borrow_mut().get_mut(&request) {
                active.incoming.push(stream);
            }
            Some(number(scope, stream))
        }
    }
}

fn evaluate(
    scope: Scope<'_, '_, '_>,
    realm: &RealmState,
    id: RequestId,
    source: &str,
    filename: &str,
) -> Option<()> {
    check_room(scope, realm, id, source.len())?;
    let source = v8::String::new(scope, source)?;
    let name = string(scope, filename);
    let origin = v8::ScriptOrigin::new(
        scope, name, 0, 0, false, -1, None, false, false, false, None,
    );
    let script = {
        v8::tc_scope!(let scope, scope);
        let compiled = v8::Script::compile(scope, source, Some(&origin));
        if compiled.is_none() {
            let (thrown, message) = (scope.exception(), scope.message());
            let what = exception::syntax_error(scope, thrown, message);
            let error = ErrorKind::WorkerSyntax(what).into();
            realm.ends.borrow_mut().push((id, End::Fail(error)));
        }
        compiled?
    };
    let value = script.run(scope)?;
    enter(scope, realm, EVALUATED, id, &[value]).map(|_| ())
}

/// Gives the guest side the worker's handlers and its `env`.
pub(crate) fn configure<'s>(
    scope: Scope<'_, 's, '_>,
    realm: &RealmState,
    namespace: Option<v8::Local<'s, v8::Object>>,
    definition: &WorkerDefinition,
) -> Option<()> {
    let default = match namespace {
        Some(namespace) => {
            let key = v8::String::new(scope, "default")?;
            namespace.get(scope, key.into())?
        }
        None => v8::undefined(scope).into(),
    };
    let mut plain = serde_json::Map::new();
    let mut functions: Vec<v8::Local<v8::Value>> = Vec::new();
    for (name, value) in &definition.env.0 {
        match value {
            EnvValue::Json(value) => {
                plain.insert(name.clone(), value.clone());
            }
            EnvValue::Function(_) => {
                functions.extend([v8::null(scope).into(), string(scope, name)]);
            }
            EnvValue::Functions(group) => {
                for (function, _) in group {
                    functions.extend([string(scope, name), string(scope, function)]);
                }
            }
        }
    }
    let plain = if plain.is_empty() {
        v8::null(scope).into()
    } else {
        let text = serde_json::Value::Object(plain).to_string();
        check_room(scope, realm, realm.current.get(), text.len())?;
        string(scope, &text)
    };
    let functions = v8::Array::new_with_elements(scope, &functions).into();
    enter(scope, realm, CONFIGURE, 0, &[default, plain, functions]).map(|_| ())
}

/// Tells the guest that its caller gave up.
pub(crate) fn abort(scope: Scope<'_, '_, '_>, realm: &RealmState, id: RequestId) {
    enter(scope, realm, ABORT, id, &[]);
}

/// Has the guest side drop the callbacks of requests that have ended.
pub(crate) fn forget_orphaned(scope: Scope<'_, '_, '_>, realm: &RealmState) {
    if realm.orphaned.borrow().is_empty() {
        return;
    }
    let ids = realm.orphaned.take();
    let ids: Vec<_> = ids.into_iter().map(|id| number(scope, id)).collect();
    let ids = v8::Array::new_with_elements(scope, &ids).into();
    enter(scope, realm, FORGET, 0, &[ids]);
}

/// Has the guest side run a request that nobody made, in a context in which nothing ran yet, and make these families.
pub(crate) fn rehearse(scope: Scope<'_, '_, '_>, realm: &RealmState, families: FamilySet) {
    let names: Option<Vec<v8::Local<v8::Value>>> = families
        .names()
        .map(|name| Some(v8::String::new(scope, name)?.into()))
        .collect();
    // Without memory for names there is none for families.
    let names = v8::Array::new_with_elements(scope, &names.unwrap_or_default()).into();
    enter(scope, realm, REHEARSE, 0, &[names]);
    realm.families_used.take();
}

/// Fires a timer.
pub(crate) fn fire(scope: Scope<'_, '_, '_>, realm: &RealmState, id: CallbackId) {
    enter(scope, realm, FIRE, id, &[]);
}

/// Fulfils the promise of an operation.
pub(crate) fn fulfill<'s>(
    scope: Scope<'_, 's, '_>,
    realm: &RealmState,
    id: CallbackId,
    value: v8::Local<'s, v8::Value>,
) {
    enter(scope, realm, FULFILL, id, &[value]);
}

/// Rejects the promise of an operation with an error of that name.
pub(crate) fn reject(
    scope: Scope<'_, '_, '_>,
    realm: &RealmState,
    id: CallbackId,
    (name, message): (&str, &str),
) {
    let name = string(scope, name);
    let message = string(scope, message);
    enter(scope, realm, REJECT, id, &[name, message]);
}

/// Rejects the promise of an operation with that very value.
pub(crate) fn reject_with<'s>(
    scope: Scope<'_, 's, '_>,
    realm: &RealmState,
    id: CallbackId,
    error: v8::Local<'s, v8::Value>,
) {
    enter(scope, realm, REJECT_WITH, id, &[error]);
}

/// Reports a promise that was rejected without a handler.
pub(crate) fn rejected<'s>(
    scope: Scope<'_, 's, '_>,
    realm: &RealmState,
    promise: v8::Local<'s, v8::Promise>,
    reason: v8::Local<'s, v8::Value>,
) {
    enter(scope, realm, REJECTED, 0, &[promise.into(), reason]);
}

/// Says that a promise which was reported as rejected has a handler now.
pub(crate) fn handled<'s>(
    scope: Scope<'_, 's, '_>,
    realm: &RealmState,
    promise: v8::Local<'s, v8::Promise>,
) {
    enter(scope, realm, HANDLED, 0, &[promise.into()]);
}

/// The host functions of `env`, in the order in which `configure` names them.
pub(crate) fn host_functions(
    definition: &WorkerDefinition,
) -> Vec<crate::definition::HostFunction> {
    let mut functions = Vec::new();
    for (_, value) in &definition.env.0 {
        match value {
            EnvValue::Json(_) => {}
            EnvValue::Function(function) => functions.push(function.clone()),
            EnvValue::Functions(group) => {
                functions.extend(group.iter().map(|(_, function)| function.clone()));
            }
        }
    }
    functions
}
