//! The vocabulary between a context and the scheduler: ids, requests to it, answers from it.
//!
//! Messages are plain values; they are made on the thread that holds the isolate and answered from
//! the scheduler's threads.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    ComputeJob, ComputeOutput, FetchClient, FetchError, FetchRequest, FetchResponse, HostCallError,
    StreamError,
};

/// Names one request (one run of a worker's handler).
pub type RequestId = u64;
/// Names one awaited answer of a request.
pub type CallbackId = u64;
/// Names one stream, incoming or outgoing.
pub type StreamId = u64;

/// What is kept by ids of any kind. They are counted, so that nobody can choose them to collide.
pub type IdMap<V> = FxHashMap<u64, V>;
/// Some ids.
pub type IdSet = FxHashSet<u64>;

/// Returns the next id; ids start at 1 and are never reused in this process.
///
/// They stay below 2^53, so that JavaScript holds them exactly.
pub fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

/// Leaves out the ids below `first`, for a process that is given requests with ids of another one.
pub fn raise_ids(first: u64) {
    NEXT_ID.fetch_max(first, Ordering::Relaxed);
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// What a context asks of the scheduler.
pub enum SchedulerMessage {
    /// Fetches a resource; answered by `FetchDone` or `FetchFailed`.
    Fetch {
        /// The request that fetches.
        request: RequestId,
        /// The answer's id.
        id: CallbackId,
        /// What to fetch.
        fetch: FetchRequest,
        /// Who fetches it.
        client: Arc<dyn FetchClient>,
    },
    /// Ends a fetch that was not answered yet; it will not be.
    CancelFetch {
        /// The id the fetch was given.
        id: CallbackId,
    },
    /// Answers with `TimerFired` once the delay is over, never before.
    Timer {
        /// The request that waits.
        request: RequestId,
        /// The answer's id.
        id: CallbackId,
        /// How long to wait; more than a year counts as a year.
        delay: Duration,
    },
    /// Ends a timer that has not fired; it will not.
    CancelTimer {
        /// The id the timer was given.
        id: CallbackId,
    },
    /// Reads one chunk; answered by `StreamChunk` or `StreamFailed`.
    StreamRead {
        /// The request that reads.
        request: RequestId,
        /// The answer's id.
        id: CallbackId,
        /// The incoming stream.
        stream: StreamId,
    },
    /// Answers with `StreamWritable` once the outgoing stream has room, or its reader is gone.
    StreamWritable {
        /// The request that writes.
        request: RequestId,
        /// The answer's id.
        id: CallbackId,
        /// The outgoing stream.
        stream: StreamId,
    },
    /// Sends what an incoming stream gives to an outgoing one, at the pace of its reader; answered by
    /// `StreamForwarded`.
    ///
    /// At its end the outgoing stream is closed; where it does not come to that, it stays open.
    StreamForward {
        /// The request that forwards.
        request: RequestId,
        /// The answer's id.
        id: CallbackId,
        /// The incoming stream.
        from: StreamId,
        /// The outgoing stream.
        to: StreamId,
        /// How many bytes to send at most; none for any number.
        most: Option<u64>,
    },
    /// Gives up a stream: a reader's source is closed, a writer's reader sees a failure.
    CancelStream {
        /// The stream, incoming or outgoing.
        stream: StreamId,
    },
    /// Runs an asynchronous function of the host; answered by `HostCallDone`.
    HostCall {
        /// The request that calls.
        request: RequestId,
        /// The answer's id.
        id: CallbackId,
        /// The call.
        call: BoxFuture<'static, Result<Bytes, HostCallError>>,
        /// Whether it does next to nothing when it is polled: then it is polled by whoever sends this
        /// message, and by whoever wakes it, rather than on the scheduler's threads.
        is_light: bool,
    },
    /// Runs work that computes for long, beside the isolate's thread; answered by `ComputeDone`.
    Compute {
        /// The request that asks.
        request: RequestId,
        /// The answer's id.
        id: CallbackId,
        /// The work.
        job: ComputeJob,
    },
    /// Answers with `DeadlineReached` once the time is over, unless the request ends first.
    Deadline {
        /// The request whose wall time this is.
        request: RequestId,
        /// The wall time it has left.
        after: Duration,
    },
    /// Ends all that the request still has: timers, fetches, streams, calls, work, its deadline.
    CancelRequest {
        /// The request that ended.
        request: RequestId,
    },
}

impl fmt::Debug for SchedulerMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, id) = match self {
            Self::Fetch { id, .. } => ("Fetch", id),
            Self::CancelFetch { id } => ("CancelFetch", id),
            Self::Timer { id, .. } => ("Timer", id),
            Self::CancelTimer { id } => ("CancelTimer", id),
            Self::StreamRead { id, .. } => ("StreamRead", id),
            Self::StreamWritable { id, .. } => ("StreamWritable", id),
            Self::StreamForward { id, .. } => ("StreamForward", id),
            Self::CancelStream { stream } => ("CancelStream", stream),
            Self::HostCall { id, .. } => ("HostCall", id),
            Self::Compute { id, .. } => ("Compute", id),
            Self::Deadline { request, .. } => ("Deadline", request),
            Self::CancelRequest { request } => ("CancelRequest", request),
        };
        f.debug_tuple(name).field(id).finish()
    }
}

/// What comes back to a context; each message names its request, so that late ones can be dropped.
#[derive(Debug)]
pub enum CallbackMessage {
    /// A fetch has its response; the body may still be arriving.
    FetchDone {
        /// The request that fetched.
        request: RequestId,
        /// The id the fetch was given.
        id: CallbackId,
        /// The response.
        response: FetchResponse,
    },
    /// A fetch gave no response.
    FetchFailed {
        /// The request that fetched.
        request: RequestId,
        /// The id the fetch was given.
        id: CallbackId,
        /// Why.
        error: FetchError,
    },
    /// A timer's delay is over.
    TimerFired {
        /// The request that waited.
        request: RequestId,
        /// The id the timer was given.
        id: CallbackId,
    },
    /// A read is done.
    StreamChunk {
        /// The request that read.
        request: RequestId,
        /// The id the read was given.
        id: CallbackId,
        /// The chunk, or none at the stream's end.
        chunk: Option<Bytes>,
    },
    /// A read failed, and the stream with it.
    StreamFailed {
        /// The request that read.
        request: RequestId,
        /// The id the read was given.
        id: CallbackId,
        /// Why.
        error: StreamError,
    },
    /// An outgoing stream may be written again, or never.
    StreamWritable {
        /// The request that writes.
        request: RequestId,
        /// The id the wait was given.
        id: CallbackId,
        /// False once the reader is gone.
        open: bool,
    },
    /// An incoming stream is forwarded no further.
    StreamForwarded {
        /// The request that forwards.
        request: RequestId,
        /// The id the forwarding was given.
        id: CallbackId,
        /// Why.
        end: ForwardEnd,
    },
    /// A host function answered.
    HostCallDone {
        /// The request that called.
        request: RequestId,
        /// The id the call was given.
        id: CallbackId,
        /// Its value or its error.
        result: Result<Bytes, HostCallError>,
    },
    /// Work that computes for long has ended.
    ComputeDone {
        /// The request that asked.
        request: RequestId,
        /// The id the work was given.
        id: CallbackId,
        /// What it made; none where it panicked.
        output: Option<ComputeOutput>,
    },
    /// A request's wall time is over.
    DeadlineReached {
        /// The request.
        request: RequestId,
    },
}

/// Why a stream is forwarded no further.
#[derive(Clone, Debug)]
pub enum ForwardEnd {
    /// All of it was sent.
    Sent,
    /// The outgoing stream's reader is gone.
    ReaderGone,
    /// It has more bytes than were to be sent.
    TooLong,
    /// The incoming stream failed.
    Failed(StreamError),
}

impl CallbackMessage {
    /// Returns the request that the message belongs to.
    pub fn request(&self) -> RequestId {
        match self {
            Self::FetchDone { request, .. }
            | Self::FetchFailed { request, .. }
            | Self::TimerFired { request, .. }
            | Self::StreamChunk { request, .. }
            | Self::StreamFailed { request, .. }
            | Self::StreamWritable { request, .. }
            | Self::StreamForwarded { request, .. }
            | Self::HostCallDone { request, .. }
            | Self::ComputeDone { request, .. }
            | Self::DeadlineReached { request } => *request,
        }
    }
}
