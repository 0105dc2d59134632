//! Errors on the wire: each comes out of the other process as it went in, shortened where a guest
//! wrote a text that would not fit.

use isolane_scheduler::{FetchError, HostCallError, StreamError};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, GuestException};
use crate::limits::LimitKind;
use crate::request::Usage;

/// How long a text of an error may be: three of them fit into a head with room for the rest.
const LONGEST_TEXT: usize = 256 << 10;

/// A text that fits, cut at a character.
fn fitting(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
    text
}

/// [`Error`] on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireError {
    kind: WireErrorKind,
    usage: Option<Usage>,
}

#[derive(Debug, Serialize, Deserialize)]
enum WireErrorKind {
    InvalidArg {
        argument: String,
        expected: String,
        got: String,
    },
    WorkerSyntax(String),
    WorkerException(GuestException),
    NoFetchHandler,
    NoScheduledHandler,
    NoResponse(String),
    Limit(WireLimitKind),
    PoolFull,
    PoolClosed,
    Aborted,
    Internal(String),
}

/// [`LimitKind`] on the wire.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum WireLimitKind {
    Cpu,
    Wall,
    Heap,
    Buffer,
    Response,
}

impl From<LimitKind> for WireLimitKind {
    fn from(kind: LimitKind) -> Self {
        match kind {
            LimitKind::Cpu => Self::Cpu,
            LimitKind::Wall => Self::Wall,
            LimitKind::Heap => Self::Heap,
            LimitKind::Buffer => Self::Buffer,
            LimitKind::Response => Self::Response,
        }
    }
}

impl From<WireLimitKind> for LimitKind {
    fn from(kind: WireLimitKind) -> Self {
        match kind {
            WireLimitKind::Cpu => Self::Cpu,
            WireLimitKind::Wall => Self::Wall,
            WireLimitKind::Heap => Self::Heap,
            WireLimitKind::Buffer => Self::Buffer,
            WireLimitKind::Response => Self::Response,
        }
    }
}

impl From<Error> for WireError {
    fn from(error: Error) -> Self {
        let usage = error.usage().copied();
        let kind = match error.kind().clone() {
            ErrorKind::InvalidArg {
                argument,
                expected,
                got,
            } => WireErrorKind::InvalidArg {
                argument: fitting(argument),
                expected: fitting(expected),
                got: fitting(got),
            },
            ErrorKind::WorkerSyntax(what) => WireErrorKind::WorkerSyntax(fitting(what)),
            ErrorKind::WorkerException(GuestException {
                name,
                message,
                stack,
            }) => WireErrorKind::WorkerException(GuestException {
                name: fitting(name),
                message: fitting(message),
                stack: fitting(stack),
            }),
            ErrorKind::NoHandler("scheduled") => WireErrorKind::NoScheduledHandler,
            ErrorKind::NoHandler(_) => WireErrorKind::NoFetchHandler,
            ErrorKind::NoResponse(why) => WireErrorKind::NoResponse(fitting(why)),
            ErrorKind::Limit(kind) => WireErrorKind::Limit(kind.into()),
            ErrorKind::PoolFull => WireErrorKind::PoolFull,
            ErrorKind::PoolClosed => WireErrorKind::PoolClosed,
            ErrorKind::Aborted => WireErrorKind::Aborted,
            ErrorKind::Internal(what) => WireErrorKind::Internal(fitting(what)),
            // Of pools and handles that a child does not have.
            other @ (ErrorKind::UnknownWorker(_)
            | ErrorKind::IsolateCrashed(_)
            | ErrorKind::PoolInitialized
            | ErrorKind::Closed(_)) => WireErrorKind::Internal(other.to_string()),
        };
        Self { kind, usage }
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        let kind = match error.kind {
            WireErrorKind::InvalidArg {
                argument,
                expected,
                got,
            } => ErrorKind::InvalidArg {
                argument,
                expected,
                got,
            },
            WireErrorKind::WorkerSyntax(what) => ErrorKind::WorkerSyntax(what),
            WireErrorKind::WorkerException(guest) => ErrorKind::WorkerException(guest),
            WireErrorKind::NoFetchHandler => ErrorKind::NoHandler("fetch"),
            WireErrorKind::NoScheduledHandler => ErrorKind::NoHandler("scheduled"),
            WireErrorKind::NoResponse(why) => ErrorKind::NoResponse(why),
            WireErrorKind::Limit(kind) => ErrorKind::Limit(kind.into()),
            WireErrorKind::PoolFull => ErrorKind::PoolFull,
            WireErrorKind::PoolClosed => ErrorKind::PoolClosed,
            WireErrorKind::Aborted => ErrorKind::Aborted,
            WireErrorKind::Internal(what) => ErrorKind::Internal(what),
        };
        match error.usage {
            Some(usage) => Error::new(kind).with_usage(usage),
            None => Error::new(kind),
        }
    }
}

/// [`StreamError`] on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum WireStreamError {
    Aborted,
    NotOpen,
    TooLarge(u64),
    Connection(String),
    Guest(String),
    Host(String),
}

impl From<StreamError> for WireStreamError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::NotOpen => Self::NotOpen,
            StreamError::TooLarge { limit_bytes } => Self::TooLarge(limit_bytes),
            StreamError::Connection(why) => Self::Connection(fitting(why.to_string())),
            StreamError::Guest(why) => Self::Guest(fitting(why.to_string())),
            StreamError::Host(why) => Self::Host(fitting(why.to_string())),
            _ => Self::Aborted,
        }
    }
}

impl From<WireStreamError> for StreamError {
    fn from(error: WireStreamError) -> Self {
        match error {
            WireStreamError::Aborted => Self::Aborted,
            WireStreamError::NotOpen => Self::NotOpen,
            WireStreamError::TooLarge(limit_bytes) => Self::TooLarge { limit_bytes },
            WireStreamError::Connection(why) => Self::Connection(why.into()),
            WireStreamError::Guest(why) => Self::Guest(why.into()),
            WireStreamError::Host(why) => Self::Host(why.into()),
        }
    }
}

/// [`HostCallError`] on the wire. Guests see only what was chosen for them, so the rest stays behind.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum WireHostCallError {
    Rejected { name: String, message: String },
    Failed,
}

impl From<HostCallError> for WireHostCallError {
    fn from(error: HostCallError) -> Self {
        match error {
            HostCallError::Rejected { name, message } => Self::Rejected { name, message },
            _ => Self::Failed,
        }
    }
}

impl From<WireHostCallError> for HostCallError {
    fn from(error: WireHostCallError) -> Self {
        match error {
            WireHostCallError::Rejected { name, message } => Self::Rejected { name, message },
            WireHostCallError::Failed => Self::Failed("it failed in the parent process".into()),
        }
    }
}

/// [`FetchError`] on the wire, as far as guests can tell one from another.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum WireFetchError {
    InvalidUrl,
    UnsupportedScheme,
    InvalidMethod,
    InvalidHeader,
    Blocked,
    Denied,
    Resolve,
    Connect,
    UnexpectedRedirect,
    TooManyRedirects,
    InvalidRedirect,
    BodyNotReplayable,
    RequestBody(WireStreamError),
    Other,
}

impl From<FetchError> for WireFetchError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::InvalidUrl => Self::InvalidUrl,
            FetchError::UnsupportedScheme => Self::UnsupportedScheme,
            FetchError::InvalidMethod => Self::InvalidMethod,
            FetchError::InvalidHeader => Self::InvalidHeader,
            FetchError::Blocked => Self::Blocked,
            FetchError::Denied => Self::Denied,
            FetchError::Resolve(_) => Self::Resolve,
            FetchError::Connect(_) => Self::Connect,
            FetchError::UnexpectedRedirect => Self::UnexpectedRedirect,
            FetchError::TooManyRedirects => Self::TooManyRedirects,
            FetchError::InvalidRedirect => Self::InvalidRedirect,
            FetchError::BodyNotReplayable => Self::BodyNotReplayable,
            FetchError::RequestBody(error) => Self::RequestBody(error.into()),
            _ => Self::Other,
        }
    }
}

impl From<WireFetchError> for FetchError {
    fn from(error: WireFetchError) -> Self {
        let elsewhere = || "it failed in the parent process".into();
        match error {
            WireFetchError::InvalidUrl => Self::InvalidUrl,
            WireFetchError::UnsupportedScheme => Self::UnsupportedScheme,
            WireFetchError::InvalidMethod => Self::InvalidMethod,
            WireFetchError::InvalidHeader => Self::InvalidHeader,
            WireFetchError::Blocked => Self::Blocked,
            WireFetchError::Denied => Self::Denied,
            WireFetchError::Resolve => Self::Resolve(elsewhere()),
            WireFetchError::Connect => Self::Connect(elsewhere()),
            WireFetchError::UnexpectedRedirect => Self::UnexpectedRedirect,
            WireFetchError::TooManyRedirects => Self::TooManyRedirects,
            WireFetchError::InvalidRedirect => Self::InvalidRedirect,
            WireFetchError::BodyNotReplayable => Self::BodyNotReplayable,
            WireFetchError::RequestBody(error) => Self::RequestBody(error.into()),
            WireFetchError::Other => Self::Client(elsewhere()),
        }
    }
}
