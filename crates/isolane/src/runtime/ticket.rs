//! Counts requests that have not ended, for whoever has to know: their worker, their lane, a supervisor.
//! Any thread may hold one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Learns of the stages of one request that its answer does not tell.
pub(crate) trait RequestObserver: Send + Sync {
    /// Its first turn is about to run.
    fn began(&self);
    /// Nothing of it goes on any more, whichever way it ended.
    fn ended(&self);
}

/// What is dropped when a request has ended, whichever way.
#[derive(Default)]
pub(crate) struct Ticket {
    counted_in: Option<Arc<AtomicUsize>>,
    observer: Option<Arc<dyn RequestObserver>>,
}

impl Ticket {
    pub(crate) fn new(observer: Option<Arc<dyn RequestObserver>>) -> Self {
        Self {
            counted_in: None,
            observer,
        }
    }

    /// Counts the request until it ends.
    pub(crate) fn count_in(&mut self, count: &Arc<AtomicUsize>) {
        count.fetch_add(1, Ordering::Relaxed);
        self.counted_in = Some(count.clone());
    }

    /// To be called before the request's first turn.
    pub(crate) fn began(&self) {
        if let Some(observer) = &self.observer {
            observer.began();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(count) = &self.counted_in {
            count.fetch_sub(1, Ordering::Release);
        }
        if let Some(observer) = &self.observer {
            observer.ended();
        }
    }
}
