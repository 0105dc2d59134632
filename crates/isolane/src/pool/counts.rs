//! How many requests a lane has, by how far they are. Callers write it and the thread that runs the lane; any
//! thread reads it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A lane's requests that wait for their first turn, and those that have begun.
pub(crate) struct Counts {
    queued: AtomicUsize,
    active: AtomicUsize,
}

impl Counts {
    /// A new lane's, whose first request is on its way: until that comes, the lane must not look idle.
    pub(super) fn with_first() -> Self {
        Self {
            queued: AtomicUsize::new(1),
            active: AtomicUsize::new(0),
        }
    }

    /// A request is to come; says how many wait before it.
    pub(super) fn announce(&self) -> usize {
        self.queued.fetch_add(1, Ordering::Relaxed)
    }

    /// So many that waited, or were announced, do so no more, and do not begin.
    pub(super) fn withdraw(&self, count: usize) {
        self.queued.fetch_sub(count, Ordering::Relaxed);
    }

    /// One that waited begins.
    pub(super) fn begin(&self) {
        // Counted as active first, so that the lane never looks idle in between.
        self.active.fetch_add(1, Ordering::Relaxed);
        self.queued.fetch_sub(1, Ordering::Release);
    }

    /// So many of those that have begun go on.
    pub(super) fn set_active(&self, count: usize) {
        self.active.store(count, Ordering::Relaxed);
    }

    /// Requests that wait for their first turn.
    pub(super) fn queued(&self) -> usize {
        // Who sees that one waits no more sees what it was counted in before.
        self.queued.load(Ordering::Acquire)
    }

    /// Requests that wait or have not ended.
    pub(super) fn load(&self) -> usize {
        self.queued() + self.active.load(Ordering::Relaxed)
    }
}
