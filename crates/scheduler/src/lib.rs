//! The tokio side of Isolane: timers, fetches, streams and host calls of V8 contexts.
//!
//! This crate knows nothing of V8. A context sends [`SchedulerMessage`]s through its
//! [`SchedulerHandle`] and gets [`CallbackMessage`]s back from its [`CallbackReceiver`]; all waiting
//! happens here, on the [`Scheduler`]'s own threads, and never while an isolate is locked.

#![forbid(unsafe_code)]

mod address_policy;
mod body;
mod compute;
mod content_coding;
mod context;
mod decoders;
mod error;
mod fetch;
#[doc(hidden)]
pub mod fuzz_support;
mod handle;
mod http_client;
mod http_headers;
mod idle;
mod light_task;
mod messages;
mod origins;
mod redirects;
mod resolver;
mod response;
mod scheduler;
mod stream_registry;
mod streams;
mod timers;
mod tls;
mod web_socket;

pub use address_policy::OutboundPolicy;
pub use body::Body;
pub use compute::{ComputeJob, ComputeOutput, StopFlag};
pub use error::{FetchError, HostCallError, StreamError};
pub use fetch::{DenyAll, FetchClient, FetchRequest, FetchResponse, RedirectMode};
pub use handle::{CallbackReceiver, SchedulerHandle, WriteOutcome};
pub use http_client::{HttpClient, HttpClientOptions};
pub use messages::{
    CallbackId, CallbackMessage, ForwardEnd, IdMap, IdSet, RequestId, SchedulerMessage, StreamId,
    next_id, raise_ids,
};
pub use resolver::NameResolver;
pub use scheduler::{Scheduler, SchedulerOptions};
pub use streams::{BodyReader, BodyWriter, Closed, TrySendError};
