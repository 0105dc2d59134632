//! What parent and child say to each other. Plain data; `frame.rs` puts it into bytes.
//!
//! The parent checks all that the child says (see `answers.rs`); the child trusts the parent. Ids are
//! the parent's for requests and workers, and the sender's own for streams and calls.

use std::time::Duration;

use isolane_scheduler::RedirectMode;
use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::request::{LogLevel, ScheduledEvent, Usage};

use super::failures::{WireError, WireFetchError, WireHostCallError, WireStreamError};
use super::frame::{Head, LONGEST_FRAME};

/// Names a deployed worker, in both processes.
pub(crate) type WorkerKey = u64;

/// What the parent says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToChild {
    /// How the pool is set up: the first frame, and only that.
    Configure(Configuration),
    /// A worker; the payload holds its definition. A live one takes the place of another of its id.
    Define {
        key: WorkerKey,
        id: String,
        live: bool,
    },
    /// A worker that was defined goes live.
    Install {
        key: WorkerKey,
    },
    /// A worker is no longer live: what it runs may end.
    Retire {
        key: WorkerKey,
    },
    /// No request will name the worker again.
    Forget {
        key: WorkerKey,
    },
    /// A request; the payload holds its body where that is not a stream.
    Start(StartHead),
    Abort {
        request: u64,
    },
    Flow(Flow),
    /// What a host function gave; the payload holds the value.
    HostCallDone {
        call: u64,
        result: Result<(), WireHostCallError>,
    },
    /// What an outbound client answered; the payload holds the body where that is not a stream.
    OutboundDone {
        call: u64,
        result: Result<FetchedHead, WireFetchError>,
    },
}

impl Head for ToChild {
    const LONGEST: usize = LONGEST_FRAME;
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromChild {
    /// Now and then while there are requests, and once after.
    Tick(Tick),
    /// The payload holds the body where that is not a stream.
    Answered {
        request: u64,
        ended: bool,
        head: AnswerHead,
    },
    /// An event without an answer was handled.
    Handled {
        request: u64,
        ended: bool,
        usage: Usage,
    },
    Failed {
        request: u64,
        ended: bool,
        error: WireError,
    },
    /// Nothing of a request that was answered before goes on.
    Ended {
        request: u64,
    },
    /// A console message, which the payload holds.
    Log(LogHead),
    Flow(Flow),
    /// A guest calls a host function, by its place in the worker's `env`; the payload holds the
    /// arguments.
    HostCall {
        call: u64,
        worker: WorkerKey,
        function: u32,
    },
    /// A guest's fetch for the worker's outbound client; the payload holds the body where that is not
    /// a stream.
    Outbound {
        call: u64,
        worker: WorkerKey,
        head: FetchHead,
    },
    /// The guest no longer waits for that call or fetch.
    Abandoned {
        call: u64,
    },
    /// The child no longer uses anything of a worker that was forgotten.
    Released {
        worker: WorkerKey,
    },
}

impl Head for FromChild {
    const LONGEST: usize = 1 << 20;
}

/// A part of a stream's life, whichever way the stream goes. The sender's side names streams.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Flow {
    /// The payload is the next chunk.
    Chunk { stream: u64 },
    End {
        stream: u64,
        error: Option<WireStreamError>,
    },
    /// The reader has room for that many units more.
    Credit { stream: u64, units: u32 },
    /// The reader is gone.
    Cancel { stream: u64 },
}

/// How a body follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WireBody {
    Empty,
    /// The payload is the body.
    Bytes,
    /// The payload is the body, in UTF-8.
    Text,
    /// Chunks will follow under this id.
    Stream(u64),
}

pub(crate) type Headers = Vec<(String, String)>;

/// The options of the pool that the child runs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Configuration {
    pub(crate) max_isolates: usize,
    pub(crate) max_isolates_per_worker: usize,
    pub(crate) max_memory_bytes: Option<usize>,
    pub(crate) threads: usize,
    pub(crate) max_queue: usize,
    pub(crate) limits: WireLimits,
    /// Whether anybody listens to consoles of requests that have no listener of their own.
    pub(crate) logs: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartHead {
    pub(crate) request: u64,
    pub(crate) worker: WorkerKey,
    pub(crate) event: WireEvent,
    pub(crate) limits: Option<WireLimits>,
    /// Whether its console goes to a listener of its own.
    pub(crate) logs: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum WireEvent {
    Fetch {
        method: String,
        url: String,
        headers: Headers,
        body: WireBody,
    },
    Scheduled(ScheduledEvent),
    Load,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AnswerHead {
    pub(crate) status: u16,
    pub(crate) status_text: String,
    pub(crate) headers: Headers,
    pub(crate) body: WireBody,
    pub(crate) usage: Usage,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LogHead {
    pub(crate) request: u64,
    pub(crate) worker_id: Option<String>,
    pub(crate) level: LogLevel,
    pub(crate) timestamp_ms: f64,
    /// Whether it goes to the request's own listener.
    pub(crate) own: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FetchHead {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Headers,
    pub(crate) redirect: WireRedirect,
    pub(crate) body: WireBody,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FetchedHead {
    pub(crate) status: u16,
    pub(crate) status_text: String,
    pub(crate) headers: Headers,
    pub(crate) url: String,
    pub(crate) redirected: bool,
    pub(crate) body: WireBody,
}

/// What the child's pool holds and has done, and which requests have had their first turn.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tick {
    pub(crate) began: Vec<u64>,
    pub(crate) counters: Counters,
    pub(crate) workers: Vec<WorkerCounters>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub(crate) total: u32,
    pub(crate) cached: u32,
    pub(crate) queued: u32,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) evictions: u64,
    pub(crate) condemned: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WorkerCounters {
    pub(crate) id: String,
    pub(crate) isolates: u32,
    pub(crate) heap_used_bytes: u64,
}

/// [`RedirectMode`] on the wire.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum WireRedirect {
    Follow,
    Error,
    Manual,
}

impl From<RedirectMode> for WireRedirect {
    fn from(mode: RedirectMode) -> Self {
        match mode {
            RedirectMode::Follow => Self::Follow,
            RedirectMode::Error => Self::Error,
            RedirectMode::Manual => Self::Manual,
        }
    }
}

impl From<WireRedirect> for RedirectMode {
    fn from(mode: WireRedirect) -> Self {
        match mode {
            WireRedirect::Follow => Self::Follow,
            WireRedirect::Error => Self::Error,
            WireRedirect::Manual => Self::Manual,
        }
    }
}

/// [`Limits`] on the wire.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct WireLimits {
    cpu: Option<Duration>,
    wall: Option<Duration>,
    heap_bytes: usize,
    buffer_bytes: Option<usize>,
    subrequests: Option<u32>,
    concurrent_subrequests: Option<u32>,
    response_bytes: Option<u64>,
}

impl From<Limits> for WireLimits {
    fn from(limits: Limits) -> Self {
        let Limits {
            cpu,
            wall,
            heap_bytes,
            buffer_bytes,
            subrequests,
            concurrent_subrequests,
            response_bytes,
        } = limits;
        Self {
            cpu,
            wall,
            heap_bytes,
            buffer_bytes,
            subrequests,
            concurrent_subrequests,
            response_bytes,
        }
    }
}

impl From<WireLimits> for Limits {
    fn from(limits: WireLimits) -> Self {
        Self {
            cpu: limits.cpu,
            wall: limits.wall,
            heap_bytes: limits.heap_bytes,
            buffer_bytes: limits.buffer_bytes,
            subrequests: limits.subrequests,
            concurrent_subrequests: limits.concurrent_subrequests,
            response_bytes: limits.response_bytes,
        }
    }
}
