//! Console lines on their way to JavaScript: how many may wait there, and what is said of those that
//! were one too many. Any thread writes; the JavaScript thread takes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use isolane::{LogEntry, LogLevel};

use crate::connection::lock;

/// The most that may wait of one worker's lines for one handler, in bytes.
const MOST_OF_ONE: usize = 4 << 20;

/// The most that may wait of all lines, in bytes.
const MOST_OF_ALL: usize = 64 << 20;

/// What a line takes beside its text.
const BYTES_A_LINE: usize = 256;

/// Whose lines are counted together.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Source {
    function: u32,
    worker: Option<Arc<str>>,
}

impl Source {
    fn of(function: u32, entry: &LogEntry) -> Self {
        Self {
            function,
            worker: entry.worker_id.clone(),
        }
    }
}

#[derive(Default)]
struct Waiting {
    bytes: usize,
    dropped: u64,
}

#[derive(Default)]
struct State {
    bytes: usize,
    sources: HashMap<Source, Waiting>,
}

/// The lines of one environment that wait, by where they come from.
#[derive(Default)]
pub(crate) struct LogBacklog(Mutex<State>);

impl LogBacklog {
    /// Whether a line may wait. Once one of a source may not, none of it may until all have been taken:
    /// what is missing is then in one place.
    pub(crate) fn admit(&self, function: u32, entry: &LogEntry) -> bool {
        let bytes = entry.message.len() + BYTES_A_LINE;
        let mut state = lock(&self.0);
        let full = state.bytes + bytes > MOST_OF_ALL;
        let waiting = state
            .sources
            .entry(Source::of(function, entry))
            .or_default();
        // The first of a source always may: it is with its taking that the drops are told.
        let first = waiting.bytes == 0;
        if !first && (waiting.dropped > 0 || full || waiting.bytes + bytes > MOST_OF_ONE) {
            waiting.dropped += 1;
            return false;
        }
        waiting.bytes += bytes;
        state.bytes += bytes;
        true
    }

    /// A line was taken. Where it was the source's last one and others were dropped after it: the line
    /// that says so.
    pub(crate) fn taken(&self, function: u32, entry: &LogEntry) -> Option<LogEntry> {
        let bytes = entry.message.len() + BYTES_A_LINE;
        let mut state = lock(&self.0);
        state.bytes -= bytes;
        let source = Source::of(function, entry);
        let waiting = state.sources.get_mut(&source)?;
        waiting.bytes -= bytes;
        if waiting.bytes > 0 {
            return None;
        }
        let dropped = waiting.dropped;
        state.sources.remove(&source);
        (dropped > 0).then(|| LogEntry {
            level: LogLevel::Warn,
            message: format!(
                "{dropped} lines were dropped here: they came faster than they were handled"
            ),
            ..entry.clone()
        })
    }
}
