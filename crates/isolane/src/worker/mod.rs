//! The most isolated mode: every request gets a new isolate, on a thread of its own.

mod ahead;
mod queue;
mod run;

use std::sync::Arc;

use isolane_scheduler::{RequestId, next_id};

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind};
use crate::limits::{Limits, watchdog};
use crate::request::{LogSink, Request, RunOptions, ScheduledEvent};
use crate::runtime::active_request::Responder;
use crate::runtime::events::Event;
use crate::runtime::modules;
use crate::runtime::ticket::Ticket;
use crate::settlement::{
    AbortTarget, Received, RunFuture, ScheduledFuture, Settlement, WorkerFuture,
};
use crate::validation;

use queue::{Admission, WorkerQueue};
use run::{Command, Recipe, Run};

/// How a [`Worker`] is set up.
#[derive(Clone)]
pub struct WorkerOptions {
    /// Limits of each request, where the definition names none.
    pub limits: Limits,
    /// Where the guests' console goes.
    pub on_log: Option<LogSink>,
    /// How many requests run at a time, each with an isolate and a thread.
    pub max_concurrency: usize,
    /// How many more may wait for their turn; those beyond are refused with `ERR_POOL_FULL`.
    pub max_queue: usize,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            on_log: None,
            max_concurrency: 100,
            max_queue: 10_000,
        }
    }
}

/// Runs each request in an isolate of its own.
///
/// While requests follow each other within two seconds, the isolate of the next one is made ahead and the
/// worker's modules are evaluated in it. It serves one request like every other, or goes when none has come
/// for two seconds. There is one for a worker, and as many in the process as it has processors.
///
/// # Examples
///
/// ```
/// use isolane::{Request, RunOptions, Worker, WorkerOptions};
///
/// # fn main() -> Result<(), isolane::Error> {
/// let worker = Worker::new("export default { fetch: () => new Response('hi') }", WorkerOptions::default())?;
/// let answer = worker.fetch(Request::get("http://worker.test/"), RunOptions::default());
/// # let response = futures_executor::block_on(answer)?;
/// # assert_eq!(response.status, 200);
/// # Ok(())
/// # }
/// ```
pub struct Worker {
    queue: Arc<WorkerQueue>,
}

impl Worker {
    /// A worker; nothing runs before the first request.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG` where the definition cannot be used, or nothing could ever run.
    pub fn new(
        definition: impl Into<WorkerDefinition>,
        options: WorkerOptions,
    ) -> Result<Self, Error> {
        let definition = Arc::new(definition.into());
        modules::validate(&definition)?;
        if options.max_concurrency == 0 {
            return Err(Error::invalid_arg("maxConcurrency", "at least 1", "0"));
        }
        let recipe = Recipe {
            limits: definition.limits.unwrap_or(options.limits),
            definition,
            on_log: options.on_log,
        };
        let queue = WorkerQueue::new(recipe, options.max_concurrency, options.max_queue);
        Ok(Self { queue })
    }

    /// Runs the `fetch` handler in a new isolate.
    pub fn fetch(&self, request: Request, options: RunOptions) -> WorkerFuture {
        let request = match validation::request(request) {
            Ok(request) => request,
            Err(error) => return RunFuture::failed(error),
        };
        self.run(Event::Fetch(request), Responder::Fetch, options)
    }

    /// Runs the `scheduled` handler in a new isolate.
    pub fn scheduled(&self, event: ScheduledEvent, options: RunOptions) -> ScheduledFuture {
        self.run(Event::Scheduled(event), Responder::Scheduled, options)
    }

    /// How many requests have not ended.
    pub fn in_flight(&self) -> usize {
        self.queue.in_flight()
    }

    /// Ends what runs with `ERR_CLOSED`; later requests are refused. A second call does nothing.
    pub fn close(&self) {
        self.queue.close();
    }

    fn run<T: Received>(
        &self,
        event: Event,
        responder: impl FnOnce(Settlement<T>) -> Responder,
        options: RunOptions,
    ) -> RunFuture<T> {
        let id = next_id();
        let target: Arc<dyn AbortTarget> = Arc::new(WorkerAbort(self.queue.clone()));
        let (future, settlement) = RunFuture::new(id, Some(target));
        let mut ticket = Ticket::default();
        ticket.count_in(self.queue.counter());
        let run = Run {
            id,
            event,
            responder: responder(settlement),
            options,
            ticket,
        };
        match self.queue.admit(run) {
            Admission::Begins(begun) => run::serve_on_new_thread(begun, &self.queue),
            Admission::Accepted => {}
            Admission::Refused(run, error) => run.fail(error),
        }
        future
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue.expect_no_more();
    }
}

struct WorkerAbort(Arc<WorkerQueue>);

impl AbortTarget for WorkerAbort {
    fn abort(self: Arc<Self>, request: RequestId) {
        if let Some(run) = self.0.take_waiting(request) {
            return run.fail(ErrorKind::Aborted.into());
        }
        watchdog::abort_running(request);
        if let Some(seat) = self.0.seat_of(request) {
            seat.mailbox.send(Command::Abort(request));
        }
    }
}
