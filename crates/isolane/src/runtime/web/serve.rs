//! What the guest side says about an event: its response, its failure, its end; and calls of the
//! host's functions. All of it is carried out when the turn is over.

use bytes::Bytes;
use isolane_scheduler::{Body, RequestId, SchedulerMessage};

use crate::definition::HostCodec;
use crate::error::{Error, ErrorKind};
use crate::limits::LimitKind;
use crate::request::Usage;
use crate::runtime::active_request::Responder;
use crate::runtime::answers::ask;
use crate::runtime::exception;
use crate::runtime::realm_state::{End, OperationKind, RealmState};
use crate::settlement::{SentBody, SentHeaders, SentResponse, ShortText};

use super::held::{self, Held};
use super::throw::throw_type_error;
use super::timers::id_of;
use super::{short_clone, structured_clone};

/// The most that a head may have in names and values. A guest can list one long string many times at
/// no cost of its own; each is a copy here.
const MAX_HEAD_BYTES: usize = 1 << 20;

/// The header lists that `guest/response.ts` names by their numbers, since most responses have one of them.
fn known_headers(number: i32) -> &'static [(&'static str, &'static str)] {
    match number {
        1 => &[("content-type", "text/plain;charset=UTF-8")],
        2 => &[("content-type", "application/json")],
        _ => &[],
    }
}

fn headers_of(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<v8::Value>,
) -> Option<SentHeaders> {
    match v8::Local::<v8::Int32>::try_from(value) {
        Ok(number) => Some(SentHeaders::Known(known_headers(number.value()))),
        Err(_) => pairs_of(scope, value).map(SentHeaders::Listed),
    }
}

/// `host.respond(id, status, statusText, headers, body, finished)`: the handler's answer.
pub(crate) fn respond(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    _value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let request = id_of(scope, args.get(0));
    let limit = realm
        .requests
        .borrow()
        .get(&request)
        .and_then(|active| active.limits.response_bytes)
        .unwrap_or(u64::MAX);
    let (status_text, body) = (args.get(2), args.get(4));
    // Looked at before anything is copied.
    let too_long = length_of(body) > limit || length_of(status_text) > MAX_HEAD_BYTES as u64;
    let Some(headers) = (!too_long)
        .then(|| headers_of(scope, args.get(3)))
        .flatten()
    else {
        let error = Error::limit(LimitKind::Response);
        realm.ends.borrow_mut().push((request, End::Fail(error)));
        return;
    };
    let status = args.get(1).uint32_value(scope).unwrap_or(200);
    let status_text = text_of(scope, status_text);
    let (body, bytes) = if let Ok(text) = v8::Local::<v8::String>::try_from(body) {
        text_body(scope, text)
    } else if body.is_number() {
        let stream = id_of(scope, body);
        let reader = realm.outgoing.borrow_mut().remove(&stream);
        if let Some(active) = realm.requests.borrow_mut().get_mut(&request) {
            active.response_stream = Some(stream);
            realm.response_streams.borrow_mut().insert(stream, request);
        }
        let body = reader.map_or(Body::Empty, Body::Stream);
        (SentBody::Other(body), 0)
    } else {
        let bytes = bytes_of(body);
        let length = bytes.as_ref().map_or(0, Bytes::len);
        let body = bytes.map_or(Body::Empty, Body::Bytes);
        (SentBody::Other(body), length)
    };
    let end = if bytes as u64 > limit {
        End::Fail(Error::limit(LimitKind::Response))
    } else {
        let status = u16::try_from(status).unwrap_or(200);
        let response = SentResponse {
            status,
            status_text,
            headers,
            body,
            usage: Usage::default(),
        };
        End::Answer {
            response,
            finished: args.get(5).is_true(),
        }
    };
    realm.ends.borrow_mut().push((request, end));
}

/// `host.fail(id, why, error)`: the event ended without an answer.
///
/// `why`: 0 guest code threw `error`; 1 there is no handler for `error`; 2 it gave `error`, which is
/// a description of what is not a Response.
pub(crate) fn fail(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    _value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let request = id_of(scope, args.get(0));
    let error = match args.get(1).uint32_value(scope).unwrap_or(0) {
        1 if text_of(scope, args.get(2)) == "scheduled" => ErrorKind::NoHandler("scheduled").into(),
        1 => ErrorKind::NoHandler("fetch").into(),
        2 => {
            let what = text_of(scope, args.get(2));
            let message = format!("the handler gave {what} where a Response was expected");
            ErrorKind::NoResponse(message).into()
        }
        _ => thrown_error(scope, realm, args.get(2)),
    };
    realm.ends.borrow_mut().push((request, End::Fail(error)));
}

/// An exception; one that says that ArrayBuffer memory is used up is the limit's.
pub(crate) fn thrown_error(
    scope: &mut v8::PinScope<'_, '_>,
    realm: &RealmState,
    thrown: v8::Local<v8::Value>,
) -> Error {
    let guest = exception::describe(scope, thrown);
    if guest.name == "RangeError" && realm.guards.buffers.take_denied() {
        return Error::limit(LimitKind::Buffer);
    }
    ErrorKind::WorkerException(guest).into()
}

/// `host.finish(id)`: nothing of the request goes on.
pub(crate) fn finish(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    _value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let request = id_of(scope, args.get(0));
    realm.ends.borrow_mut().push((request, End::Finish));
}

/// `host.evaluated(id, value)`: the value of `Runtime::evaluate`, which must be cloneable.
pub(crate) fn evaluated<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    args: v8::FunctionCallbackArguments<'s>,
    _value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let request = id_of(scope, args.get(0));
    if !is_evaluation(realm, request) {
        return;
    }
    v8::tc_scope!(let scope, scope);
    let end = match structured_clone::serialize(scope, args.get(1)) {
        Some(bytes) => End::Evaluated(bytes.into()),
        None => match scope.exception() {
            Some(thrown) => End::Fail(thrown_error(scope, realm, thrown)),
            None => return,
        },
    };
    realm.ends.borrow_mut().push((request, end));
}

fn is_evaluation(realm: &RealmState, request: RequestId) -> bool {
    let requests = realm.requests.borrow();
    requests
        .get(&request)
        .is_some_and(|active| matches!(active.responder, Responder::Evaluate(_)))
}

/// `host.hostCall(index, args)`: calls the function of `env` with that index; the callback id of its
/// answer.
pub(crate) fn host_call<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    args: v8::FunctionCallbackArguments<'s>,
    mut value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let index = args.get(0).uint32_value(scope).unwrap_or(u32::MAX) as usize;
    let Some(function) = realm.worker.host_functions.get(index) else {
        throw_type_error(scope, "There is no such function");
        return;
    };
    let arguments = match function.codec {
        HostCodec::Structured => short_clone::write_arguments(scope, args.get(1))
            .or_else(|| structured_clone::serialize(scope, args.get(1))),
        HostCodec::Json => v8::json::stringify(scope, args.get(1))
            .map(|text| text.to_rust_string_lossy(scope).into_bytes()),
    };
    // Where that threw (an argument cannot be cloned), the guest gets the exception.
    let Some(arguments) = arguments else { return };
    if !realm.may_call_host() {
        throw_type_error(scope, "Too many calls of host functions at a time");
        return;
    }
    let Held::Bytes(arguments) = held::take(scope, realm, arguments) else {
        return;
    };
    let (call, is_light) = ((function.call)(arguments), function.is_light);
    let id = ask(
        realm,
        OperationKind::HostCall(function.codec),
        |request, id| SchedulerMessage::HostCall {
            request,
            id,
            call,
            is_light,
        },
    );
    value.set_double(id as f64);
}

/// A text as a body, and how many bytes it has.
fn text_body(scope: &mut v8::PinScope<'_, '_>, text: v8::Local<v8::String>) -> (SentBody, usize) {
    if text.length() <= ShortText::LONGEST {
        let view = v8::ValueView::new(scope, text);
        if let v8::ValueViewData::OneByte(characters) = view.data()
            && let Some(short) = ShortText::copy_of(characters)
        {
            let bytes = short.len();
            return (SentBody::Short(short), bytes);
        }
    }
    let text = text.to_rust_string_lossy(scope);
    let bytes = text.len();
    (SentBody::Other(Body::Text(text)), bytes)
}

fn text_of(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<v8::Value>) -> String {
    match v8::Local::<v8::String>::try_from(value) {
        Ok(text) if text.length() > 0 => text.to_rust_string_lossy(scope),
        _ => String::new(),
    }
}

/// How many characters a string or bytes a view has.
pub(super) fn length_of(value: v8::Local<v8::Value>) -> u64 {
    let text = v8::Local::<v8::String>::try_from(value).map(|text| text.length());
    let view = || v8::Local::<v8::ArrayBufferView>::try_from(value).map(|view| view.byte_length());
    text.or_else(|_| view()).unwrap_or(0) as u64
}

/// A flat array of names and values as pairs; `None` past [`MAX_HEAD_BYTES`].
pub(super) fn pairs_of(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<v8::Value>,
) -> Option<Vec<(String, String)>> {
    let Ok(array) = v8::Local::<v8::Array>::try_from(value) else {
        return Some(Vec::new());
    };
    let (mut texts, mut bytes) = (Vec::new(), 0);
    for index in 0..array.length() / 2 * 2 {
        let value = array.get_index(scope, index)?;
        bytes += length_of(value);
        if bytes > MAX_HEAD_BYTES as u64 {
            return None;
        }
        texts.push(value.to_rust_string_lossy(scope));
    }
    let mut texts = texts.into_iter();
    let pairs = std::iter::from_fn(|| Some((texts.next()?, texts.next()?)));
    Some(pairs.collect())
}

/// A copy of a view's bytes.
pub(super) fn bytes_of(value: v8::Local<v8::Value>) -> Option<Bytes> {
    let view = v8::Local::<v8::ArrayBufferView>::try_from(value).ok()?;
    let mut bytes = vec![0; view.byte_length()];
    let copied = view.copy_contents(&mut bytes);
    bytes.truncate(copied);
    Some(bytes.into())
}
