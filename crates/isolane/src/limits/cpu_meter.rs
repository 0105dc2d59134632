//! Counts the processor time of one request over all threads that work for it: the isolate's, and those
//! that do its long work beside it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The processor time of one request.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    used_nanos: AtomicU64,
    limit_nanos: u64,
}

impl CpuMeter {
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self {
            used_nanos: AtomicU64::new(0),
            limit_nanos: limit.map_or(u64::MAX, nanos),
        }
    }

    /// Adds what a thread has used.
    pub(crate) fn add(&self, cpu: Duration) {
        self.used_nanos.fetch_add(nanos(cpu), Ordering::Relaxed);
    }

    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.used_nanos.load(Ordering::Relaxed))
    }

    /// Whether more was used than there may be.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.used_nanos.load(Ordering::Relaxed) > self.limit_nanos
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
