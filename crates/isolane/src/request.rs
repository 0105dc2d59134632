//! What goes into a worker and what comes out: requests, responses, events, usage. Plain data.

use std::sync::Arc;
use std::time::Duration;

use isolane_scheduler::Body;
use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// A request for a worker's `fetch` handler.
#[derive(Debug)]
pub struct Request {
    /// The method, upper-case where the Fetch standard normalises it.
    pub method: String,
    /// An absolute URL.
    pub url: String,
    /// Header names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

impl Request {
    /// A GET request without headers.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET".to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: Body::Empty,
        }
    }
}

impl From<&str> for Request {
    fn from(url: &str) -> Self {
        Self::get(url)
    }
}

/// A worker's answer.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The status text, often empty.
    pub status_text: String,
    /// Header names (lower-case) and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body; a stream stays connected to the running worker.
    pub body: Body,
    /// What the request had used when it answered.
    pub usage: Usage,
}

/// What a request has used.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Processor time of the request's turns.
    pub cpu: Duration,
    /// Time since the request began.
    pub wall: Duration,
    /// The isolate's heap when last sampled.
    pub heap_used_bytes: usize,
    /// What had to be made for the request.
    pub start: Start,
}

/// What had to be made before a request could run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// Nothing: a context that had run before.
    #[default]
    Warm,
    /// A context.
    Context,
    /// An isolate and a context.
    Isolate,
}

/// An event for a worker's `scheduled` handler.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ScheduledEvent {
    /// The cron expression that fired, or empty.
    pub cron: String,
    /// When it was due, in milliseconds since the Unix epoch.
    pub scheduled_time_ms: f64,
}

/// Options of one run.
#[derive(Clone, Default)]
pub struct RunOptions {
    /// Limits of this run; `None` takes the worker's.
    pub limits: Option<Limits>,
    /// Where this run's console goes; `None` takes the host's.
    pub on_log: Option<LogSink>,
}

/// Receives console messages, on the isolate's thread, as they are written: it must not block, and it
/// decides how many it keeps. Nothing bounds how many a guest writes within its CPU time.
pub type LogSink = Arc<dyn Fn(LogEntry) + Send + Sync>;

/// One console message.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// The console method's severity.
    pub level: LogLevel,
    /// The formatted message; of one above 64 KiB the beginning.
    pub message: String,
    /// The worker's id, where it has one.
    pub worker_id: Option<Arc<str>>,
    /// The request in whose turn it was written.
    pub request_id: u64,
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: f64,
}

/// The severity of a console message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogLevel {
    /// `console.debug`
    Debug,
    /// `console.log`
    Log,
    /// `console.info`
    Info,
    /// `console.warn`
    Warn,
    /// `console.error`, and exceptions that nobody caught.
    Error,
}

impl LogLevel {
    pub(crate) fn from_code(code: u32) -> Self {
        match code {
            0 => Self::Debug,
            2 => Self::Info,
            3 => Self::Warn,
            4 => Self::Error,
            _ => Self::Log,
        }
    }

    /// The level's name in the console standard.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Log => "log",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}
