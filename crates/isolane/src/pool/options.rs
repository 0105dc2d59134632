//! How a pool is set up, and what it says of itself. Plain data, owned by the host.

use std::thread;
use std::time::Duration;

use crate::limits::Limits;
use crate::process::Isolation;
use crate::request::LogSink;

/// How a pool is set up.
#[derive(Clone)]
pub struct PoolOptions {
    /// How many isolates it keeps; the least recently used idle one makes room. Beside them there are up to
    /// two that were made ahead for workers to come.
    ///
    /// Each takes about ten address ranges. For more than 6,000, Linux's `vm.max_map_count` (65,530) has to
    /// be raised.
    pub max_isolates: usize,
    /// How many isolates one worker may have.
    pub max_isolates_per_worker: usize,
    /// How much memory idle isolates may keep, by their last measure. `None`: no limit.
    pub max_memory_bytes: Option<usize>,
    /// How many threads run guests.
    pub threads: usize,
    /// How many requests of one worker may wait; more are refused with `ERR_POOL_FULL`.
    pub max_queue: usize,
    /// Limits of workers that name none.
    pub limits: Limits,
    /// Where workers' consoles go.
    pub on_log: Option<LogSink>,
    /// How long [`IsolatePool::close`](crate::IsolatePool::close) lets requests go on.
    pub grace: Duration,
    /// Where the isolates live.
    pub isolation: Isolation,
    /// How much resident memory a child process may take, looked at ten times a second while it has
    /// requests; above that it is ended, and its requests with `ERR_HEAP_LIMIT`. On Linux only.
    pub process_memory_bytes: usize,
}

impl Default for PoolOptions {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            max_isolates: 100,
            max_isolates_per_worker: cores,
            max_memory_bytes: None,
            threads: cores,
            max_queue: 10_000,
            limits: Limits::default(),
            on_log: None,
            grace: Duration::from_secs(5),
            isolation: Isolation::InProcess,
            process_memory_bytes: 2 << 30,
        }
    }
}

/// What a pool holds and has done.
///
/// With isolation by process the isolates and their counts are those that the child last reported:
/// twenty times a second while it has requests, and once after.
#[derive(Clone, Debug, Default)]
pub struct PoolStats {
    /// Isolates that live.
    pub total: usize,
    /// Isolates that are idle and warm.
    pub cached: usize,
    /// How many isolates it may keep.
    pub capacity: usize,
    /// Requests that found their worker's isolate.
    pub hits: u64,
    /// Requests for which an isolate had to be made.
    pub misses: u64,
    /// Idle isolates that made room for others.
    pub evictions: u64,
    /// Isolates that a limit ended.
    pub condemned: u64,
    /// Requests that have not ended.
    pub in_flight: usize,
    /// Requests that wait for their first turn.
    pub queued: usize,
    /// The workers, in no particular order.
    pub workers: Vec<WorkerStats>,
    /// How often a child process was started in the place of another.
    pub respawns: u64,
}

/// One worker's part in a pool.
#[derive(Clone, Debug, Default)]
pub struct WorkerStats {
    /// The worker's id.
    pub id: String,
    /// Its isolates.
    pub isolates: usize,
    /// The requests it was given.
    pub requests: u64,
    /// Heap and buffers of its isolates when last measured.
    pub heap_used_bytes: usize,
}
