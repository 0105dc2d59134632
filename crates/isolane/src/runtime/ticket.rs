//! Counts requests that have not ended, for whoever has to know: their pool, their lane, a supervisor.
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

/// Counts one request as in flight until it is dropped, whichever way the request ends.
pub(crate) struct Ticket {
    in_flight: Arc<AtomicUsize>,
    /// The count of the lane that the request runs on.
    on_lane: Option<Arc<AtomicUsize>>,
    observer: Option<Arc<dyn RequestObserver>>,
}

impl Ticket {
    pub(crate) fn new(
        in_flight: &Arc<AtomicUsize>,
        observer: Option<Arc<dyn RequestObserver>>,
    ) -> Self {
        in_flight.fetch_add(1, Ordering::Relaxed);
        Self {
            in_flight: in_flight.clone(),
            on_lane: None,
            observer,
        }
    }

    /// Counts the request on its lane too.
    pub(crate) fn enter_lane(&mut self, running: &Arc<AtomicUsize>) {
        running.fetch_add(1, Ordering::Relaxed);
        self.on_lane = Some(running.clone());
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
        if let Some(running) = &self.on_lane {
            running.fetch_sub(1, Ordering::Relaxed);
        }
        self.in_flight.fetch_sub(1, Ordering::Release);
        if let Some(observer) = &self.observer {
            observer.ended();
        }
    }
}
