//! What all children of one pool have in common on the parent's side. Any thread may call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

use crate::pool::options::PoolOptions;

use super::workers::Workers;

/// What all children of one pool have in common.
pub(crate) struct Host {
    pub(crate) options: PoolOptions,
    pub(crate) workers: Workers,
    /// Requests that have not ended, of all children.
    in_flight: AtomicUsize,
    /// Signalled when there is a request where there was none.
    pub(crate) busy: Notify,
    /// Signalled when there is no request any more.
    quiet: (Mutex<()>, Condvar),
}

impl Host {
    pub(crate) fn new(options: PoolOptions) -> Self {
        Self {
            options,
            workers: Workers::default(),
            in_flight: AtomicUsize::new(0),
            busy: Notify::new(),
            quiet: Default::default(),
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Waits until no request is in flight; until the deadline, where there is one.
    pub(crate) fn wait_until_quiet(&self, deadline: Option<Instant>) {
        let (lock, quiet) = &self.quiet;
        let mut guard = lock.lock();
        while self.in_flight() > 0 {
            match deadline {
                None => quiet.wait(&mut guard),
                Some(deadline) if quiet.wait_until(&mut guard, deadline).timed_out() => return,
                Some(_) => {}
            }
        }
    }
}

/// Counts a request as in flight until it is dropped.
pub(crate) struct Counted(Arc<Host>);

impl Counted {
    pub(crate) fn new(host: &Arc<Host>) -> Self {
        if host.in_flight.fetch_add(1, Ordering::AcqRel) == 0 {
            host.busy.notify_one();
        }
        Self(host.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            let _guard = self.0.quiet.0.lock();
            self.0.quiet.1.notify_all();
        }
    }
}
