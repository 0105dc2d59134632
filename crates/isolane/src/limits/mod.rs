//! What one request may use. The submodules arm and disarm the enforcement and say which one fired.

mod alarm;
pub(crate) mod buffer;
pub(crate) mod cpu_meter;
pub(crate) mod external;
pub(crate) mod heap;
pub(crate) mod rescue;
pub(crate) mod thread_clock;
mod unwinding;
pub(crate) mod wasm;
pub(crate) mod watchdog;

use std::time::Duration;

/// What one request may use; the defaults are those of the TypeScript surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Processor time over all turns of the request, `waitUntil` included. `None`: unlimited.
    pub cpu: Option<Duration>,
    /// Time from the request's first turn to its end. `None`: unlimited.
    pub wall: Option<Duration>,
    /// The isolate's JavaScript heap; fixed when the isolate is made.
    pub heap_bytes: usize,
    /// The isolate's ArrayBuffer memory; fixed when the isolate is made. `None`: unlimited.
    pub buffer_bytes: Option<usize>,
    /// How many fetches a request may make. `None`: unlimited.
    pub subrequests: Option<u32>,
    /// How many fetches of a request may be in flight; more wait. `None`: unlimited.
    pub concurrent_subrequests: Option<u32>,
    /// How long a response body may be. `None`: unlimited.
    pub response_bytes: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: Some(Duration::from_millis(50)),
            wall: Some(Duration::from_secs(30)),
            heap_bytes: 128 << 20,
            buffer_bytes: Some(64 << 20),
            subrequests: Some(50),
            concurrent_subrequests: Some(6),
            response_bytes: Some(100 << 20),
        }
    }
}

/// Which limit ended a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// Processor time.
    Cpu,
    /// Elapsed time.
    Wall,
    /// JavaScript heap.
    Heap,
    /// ArrayBuffer memory.
    Buffer,
    /// Response length.
    Response,
}

impl LimitKind {
    /// The stable code of an error with this limit.
    pub fn code(self) -> &'static str {
        match self {
            Self::Cpu => "ERR_CPU_LIMIT",
            Self::Wall => "ERR_WALL_LIMIT",
            Self::Heap => "ERR_HEAP_LIMIT",
            Self::Buffer => "ERR_BUFFER_LIMIT",
            Self::Response => "ERR_RESPONSE_LIMIT",
        }
    }
}

impl std::fmt::Display for LimitKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Cpu => "CPU time",
            Self::Wall => "wall time",
            Self::Heap => "heap",
            Self::Buffer => "ArrayBuffer memory",
            Self::Response => "response size",
        })
    }
}
