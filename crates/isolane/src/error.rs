//! Every way a call can fail, with the stable codes of the public surface.

use serde::{Deserialize, Serialize};

use crate::limits::LimitKind;
use crate::request::Usage;

/// Why a call did not produce what was asked for.
///
/// Guest failures, limits and host misuse are told apart by [`Error::code`]; the codes are stable.
#[derive(Clone, Debug)]
pub struct Error(Box<ErrorParts>);

#[derive(Clone, Debug)]
struct ErrorParts {
    kind: ErrorKind,
    usage: Option<Usage>,
}

/// The kinds of failure.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The host passed something unusable.
    #[error("{argument}: expected {expected}, got {got}")]
    InvalidArg {
        /// Which argument.
        argument: String,
        /// What was expected.
        expected: String,
        /// What came.
        got: String,
    },
    /// No worker is deployed under that id.
    #[error("no worker is deployed under the id {0:?}")]
    UnknownWorker(String),
    /// The script or a module does not compile.
    #[error("{0}")]
    WorkerSyntax(String),
    /// Guest code threw or rejected.
    #[error("the worker threw {}", .0.summary())]
    WorkerException(GuestException),
    /// The worker has no handler for the event.
    #[error("the worker has no {0} handler")]
    NoHandler(&'static str),
    /// The handler ended, or everything it waited for ended, without a Response.
    #[error("{0}")]
    NoResponse(String),
    /// A limit ended the request.
    #[error("the request was ended by its {0} limit")]
    Limit(LimitKind),
    /// With isolation by process: the child process ended under this request, or could not start.
    /// It is started again.
    #[error("the child process that runs the pool's isolates {0}")]
    IsolateCrashed(String),
    /// The queue is full; nothing ran.
    #[error("the queue is full; nothing ran")]
    PoolFull,
    /// The pool was closed.
    #[error("the pool is closed")]
    PoolClosed,
    /// The default pool exists already.
    #[error("the default pool was already initialized")]
    PoolInitialized,
    /// Used after close.
    #[error("{0} is closed")]
    Closed(&'static str),
    /// The caller aborted the request.
    #[error("the request was aborted")]
    Aborted,
    /// A bug in isolane; the isolate is discarded.
    #[error("internal error: {0}")]
    Internal(String),
}

/// What a guest threw, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestException {
    /// The error's name, such as `TypeError`.
    pub name: String,
    /// The error's message.
    pub message: String,
    /// The error's stack, with the worker's own module names.
    pub stack: String,
}

impl GuestException {
    /// What a console shows of it: the stack, which begins with name and message, where there is one.
    pub(crate) fn into_report(self) -> String {
        if self.stack.is_empty() {
            format!("{}: {}", self.name, self.message)
        } else {
            self.stack
        }
    }

    fn summary(&self) -> String {
        if self.message.is_empty() {
            self.name.clone()
        } else {
            format!("{}: {}", self.name, self.message)
        }
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(ErrorParts { kind, usage: None }))
    }

    /// The error for an argument that cannot be used.
    pub fn invalid_arg(
        argument: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self::new(ErrorKind::InvalidArg {
            argument: argument.into(),
            expected: expected.into(),
            got: got.into(),
        })
    }

    pub(crate) fn limit(kind: LimitKind) -> Self {
        Self::new(ErrorKind::Limit(kind))
    }

    pub(crate) fn internal(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal(what.into()))
    }

    #[must_use]
    pub(crate) fn with_usage(mut self, usage: Usage) -> Self {
        self.0.usage = Some(usage);
        self
    }

    /// The failure's kind.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The stable code, such as `ERR_CPU_LIMIT`.
    pub fn code(&self) -> &'static str {
        match &self.0.kind {
            ErrorKind::InvalidArg { .. } => "ERR_INVALID_ARG",
            ErrorKind::UnknownWorker(_) => "ERR_UNKNOWN_WORKER",
            ErrorKind::WorkerSyntax(_) => "ERR_WORKER_SYNTAX",
            ErrorKind::WorkerException(_) => "ERR_WORKER_EXCEPTION",
            ErrorKind::NoHandler(_) => "ERR_NO_HANDLER",
            ErrorKind::NoResponse(_) => "ERR_NO_RESPONSE",
            ErrorKind::Limit(kind) => kind.code(),
            ErrorKind::IsolateCrashed(_) => "ERR_ISOLATE_CRASHED",
            ErrorKind::PoolFull => "ERR_POOL_FULL",
            ErrorKind::PoolClosed => "ERR_POOL_CLOSED",
            ErrorKind::PoolInitialized => "ERR_POOL_INITIALIZED",
            ErrorKind::Closed(_) => "ERR_CLOSED",
            ErrorKind::Aborted => "ERR_ABORTED",
            ErrorKind::Internal(_) => "ERR_INTERNAL",
        }
    }

    /// What the guest threw, where the failure is the guest's.
    pub fn guest(&self) -> Option<&GuestException> {
        match &self.0.kind {
            ErrorKind::WorkerException(guest) => Some(guest),
            _ => None,
        }
    }

    /// What the request had used when it ended, where it had begun.
    pub fn usage(&self) -> Option<&Usage> {
        self.0.usage.as_ref()
    }
}

/// What a request runs on, and so what it is told when that is closed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    Pool,
    Worker,
    SharedIsolate,
    Runtime,
}

impl Owner {
    pub(crate) fn closed_error(self) -> Error {
        match self {
            Self::Pool => ErrorKind::PoolClosed.into(),
            Self::Worker => ErrorKind::Closed("the worker").into(),
            Self::SharedIsolate => ErrorKind::Closed("the isolate").into(),
            Self::Runtime => ErrorKind::Closed("the runtime").into(),
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.kind.fmt(f)
    }
}

impl std::error::Error for Error {}
