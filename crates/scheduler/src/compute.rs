//! Work that computes for long: it runs on threads of its own, a bounded number at a time, and learns by
//! a flag that nobody waits for it any more.
//!
//! A context has one piece of work running at a time, so that none keeps the others' from a processor.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

/// What a piece of work made; who asked for it knows the type.
pub type ComputeOutput = Box<dyn Any + Send>;

/// A piece of work. It is to look at the flag every few milliseconds, and end once that is raised.
pub type ComputeJob = Box<dyn FnOnce(&StopFlag) -> ComputeOutput + Send>;

/// Tells a piece of work that nobody waits for it any more.
#[derive(Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Whether the work is to end.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for StopFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StopFlag").field(&self.is_raised()).finish()
    }
}

/// As many permits as there are processors, for all contexts of a scheduler.
pub(crate) fn processors() -> Arc<Semaphore> {
    let processors = available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(processors))
}

/// Who may compute: a place in the context's queue, then one among all contexts'.
pub(crate) struct Places {
    pub(crate) context: Arc<Semaphore>,
    pub(crate) processors: Arc<Semaphore>,
}

/// Waits for its turn and runs a piece of work; `None` where it panicked.
pub(crate) async fn run(places: Places, stop: StopFlag, job: ComputeJob) -> Option<ComputeOutput> {
    let first = places.context.acquire_owned().await.ok()?;
    let second = places.processors.acquire_owned().await.ok()?;
    let work = tokio::task::spawn_blocking(move || {
        // Held until the work has ended, also where nobody waits for that any more.
        let _permits = (first, second);
        job(&stop)
    });
    work.await.ok()
}
