//! The scheduler itself: a tokio runtime of its own, the timer driver, and the way in for contexts.
//!
//! Its threads carry out fetches, timers, streams and host calls. They never enter an isolate.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::compute;
use crate::context::Context;
use crate::timers::{self, TimerQueue};
use crate::{CallbackReceiver, SchedulerHandle};

/// How a [`Scheduler`] is set up.
#[derive(Clone, Debug)]
pub struct SchedulerOptions {
    /// How many threads carry out the work; 0 counts as 1.
    pub threads: usize,
    /// The threads' name, as debuggers show it.
    pub thread_name: String,
}

impl Default for SchedulerOptions {
    fn default() -> Self {
        Self {
            threads: 1,
            thread_name: "isolane-io".to_owned(),
        }
    }
}

/// Carries out the asynchronous work of any number of contexts on its own threads.
///
/// Dropping it ends all work at once and waits for none of it; what contexts still await is then
/// never answered, so it outlives them.
pub struct Scheduler {
    /// Present until the drop, which needs to take it.
    runtime: Option<Runtime>,
    timers: Arc<TimerQueue>,
    processors: Arc<Semaphore>,
}

impl Scheduler {
    /// Starts the threads and the timer driver.
    ///
    /// # Errors
    /// What the system says when it refuses a thread or an event queue.
    pub fn new(options: SchedulerOptions) -> io::Result<Scheduler> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            .thread_name(&options.thread_name)
            .enable_all()
            // Timers are looked at after so many tasks at the latest: some compute for a while.
            .event_interval(8)
            .build()?;
        let timers = timers::start(format!("{}-timers", options.thread_name))?;
        Ok(Scheduler {
            runtime: Some(runtime),
            timers,
            processors: compute::processors(),
        })
    }

    /// Makes the pair through which one context asks and is answered.
    pub fn connect(&self) -> (SchedulerHandle, CallbackReceiver) {
        let (callbacks, receiver) = mpsc::unbounded_channel();
        let context = Context::new(
            self.runtime().handle().clone(),
            self.timers.clone(),
            self.processors.clone(),
            callbacks,
        );
        (
            SchedulerHandle::new(context),
            CallbackReceiver::new(receiver),
        )
    }

    /// Runs a future of the embedder on the scheduler's threads.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.runtime().spawn(future)
    }

    fn runtime(&self) -> &Runtime {
        self.runtime
            .as_ref()
            .expect("the runtime is taken only when the scheduler is dropped")
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.timers.stop();
        if let Some(runtime) = self.runtime.take() {
            // A plain drop would block, which is not allowed where the last owner is a task.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").finish_non_exhaustive()
    }
}
