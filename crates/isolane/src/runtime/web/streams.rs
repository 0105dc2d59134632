//! Streams across the boundary: incoming ones are read chunk by chunk, outgoing ones are written
//! into a bounded channel whose reader is the host's. Nothing here blocks.

use bytes::Bytes;
use isolane_scheduler::{SchedulerMessage, StreamError, WriteOutcome};

use crate::error::Error;
use crate::limits::LimitKind;
use crate::runtime::answers::ask;
use crate::runtime::exception;
use crate::runtime::realm_state::{End, OperationKind, RealmState};

use super::buffer_source::with_bytes;
use super::timers::id_of;

/// How many chunks an outgoing stream holds before its writer has to wait.
const CAPACITY_CHUNKS: usize = 16;

/// `host.streamRead(streamId)`: the callback id of the next chunk.
pub(crate) fn stream_read(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    mut value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let stream = id_of(scope, args.get(0));
    let id = ask(realm, OperationKind::Stream, |request, id| {
        SchedulerMessage::StreamRead {
            request,
            id,
            stream,
        }
    });
    value.set_double(id as f64);
}

/// `host.streamCancel(streamId)`.
pub(crate) fn stream_cancel(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    _value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let stream = id_of(scope, args.get(0));
    realm
        .scheduler
        .send(SchedulerMessage::CancelStream { stream });
}

/// `host.streamOpen()`: a new outgoing stream.
pub(crate) fn stream_open(
    scope: &mut v8::PinScope,
    _args: v8::FunctionCallbackArguments,
    mut value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let (stream, reader) = realm
        .scheduler
        .open_stream_for(realm.current.get(), CAPACITY_CHUNKS);
    realm.outgoing.borrow_mut().insert(stream, reader);
    value.set_double(stream as f64);
}

/// The most that one write takes, so that what a stream holds is bounded in bytes too.
const MAX_WRITE_BYTES: usize = 64 << 10;

/// `host.streamWrite(streamId, chunk, from)`: writes up to [`MAX_WRITE_BYTES`] of the chunk's bytes.
///
/// Answers 0 for accepted, a callback id to wait for, or -1 where nobody reads.
pub(crate) fn stream_write(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    mut value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let stream = id_of(scope, args.get(0));
    let from = args.get(2).uint32_value(scope).unwrap_or(0) as usize;
    let chunk = with_bytes(args.get(1), |bytes| {
        let rest = bytes.get(from..).unwrap_or_default();
        Bytes::copy_from_slice(&rest[..rest.len().min(MAX_WRITE_BYTES)])
    });
    let chunk = chunk.unwrap_or_default();
    if exceeds_response_limit(realm, stream, chunk.len() as u64) {
        value.set_int32(-1);
        return;
    }
    match realm.scheduler.write(stream, chunk) {
        WriteOutcome::Accepted => value.set_int32(0),
        WriteOutcome::Closed => value.set_int32(-1),
        WriteOutcome::Full => {
            let id = ask(realm, OperationKind::Stream, |request, id| {
                SchedulerMessage::StreamWritable {
                    request,
                    id,
                    stream,
                }
            });
            value.set_double(id as f64);
        }
    }
}

/// Counts a chunk of the response's body, and ends the request where it is one too many.
fn exceeds_response_limit(realm: &RealmState, stream: u64, bytes: u64) -> bool {
    let Some(request) = realm.response_streams.borrow().get(&stream).copied() else {
        return false;
    };
    let mut requests = realm.requests.borrow_mut();
    let Some(active) = requests.get_mut(&request) else {
        return false;
    };
    active.response_bytes += bytes;
    let exceeded = active
        .limits
        .response_bytes
        .is_some_and(|limit| active.response_bytes > limit);
    if exceeded {
        let error = Error::limit(LimitKind::Response);
        realm.ends.borrow_mut().push((request, End::Fail(error)));
    }
    exceeded
}

/// `host.streamForward(from, to)`: sends what the host sends on one stream to the outgoing other one, at the pace
/// of its reader and past the guest. The callback id of its end: true where all was sent, false where nobody
/// reads.
pub(crate) fn stream_forward(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    mut value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let (from, to) = (id_of(scope, args.get(0)), id_of(scope, args.get(1)));
    let request = realm.response_streams.borrow().get(&to).copied();
    let most = request.and_then(|request| {
        let requests = realm.requests.borrow();
        requests.get(&request)?.limits.response_bytes
    });
    let id = ask(realm, OperationKind::Stream, |request, id| {
        SchedulerMessage::StreamForward {
            request,
            id,
            from,
            to,
            most,
        }
    });
    value.set_double(id as f64);
}

/// `host.streamClose(streamId)`.
pub(crate) fn stream_close(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    _value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let stream = id_of(scope, args.get(0));
    realm.scheduler.close_stream(stream);
}

/// `host.streamFail(streamId, message)`.
pub(crate) fn stream_fail(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    _value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let stream = id_of(scope, args.get(0));
    let message = exception::text_of(scope, args.get(1));
    // Where nothing was sent, nobody takes the stream's reader any more.
    realm.outgoing.borrow_mut().remove(&stream);
    realm
        .scheduler
        .fail_stream(stream, StreamError::Guest(message.into()));
}
