//! The most isolated mode: every request gets a new isolate. Its threads live as long as there are
//! requests; see `worker_queue.rs` for which request gets one.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use isolane_scheduler::{RequestId, next_id};
use parking_lot::Mutex;

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind, Owner};
use crate::isolate_thread::Receiver;
use crate::limits::{Limits, watchdog};
use crate::platform;
use crate::request::{LogSink, Request, RunOptions, ScheduledEvent};
use crate::runtime::Runtime;
use crate::runtime::active_request::Responder;
use crate::runtime::events::Event;
use crate::runtime::modules;
use crate::runtime::ticket::Ticket;
use crate::settlement::{AbortTarget, RunFuture, ScheduledFuture, Settlement, WorkerFuture};
use crate::validation;
use crate::worker_queue::{Admission, Running, WorkerQueue};

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
    definition: Arc<WorkerDefinition>,
    options: WorkerOptions,
    queue: Arc<WorkerQueue>,
}

/// What the thread of a request is told.
pub(crate) enum Command {
    /// The request's caller gave up.
    Abort(RequestId),
    /// The worker is closed.
    Close,
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
        let queue = WorkerQueue::new(options.max_concurrency, options.max_queue);
        Ok(Self {
            definition,
            options,
            queue,
        })
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
        self.queue.in_flight.load(Ordering::Relaxed)
    }

    /// Ends what runs with `ERR_CLOSED`; later requests are refused. A second call does nothing.
    pub fn close(&self) {
        self.queue.close();
    }

    fn run<T: Send + 'static>(
        &self,
        event: Event,
        responder: impl FnOnce(Settlement<T>) -> Responder,
        options: RunOptions,
    ) -> RunFuture<T> {
        let id = next_id();
        let target: Arc<dyn AbortTarget> = Arc::new(WorkerAbort(self.queue.clone()));
        let (future, settlement) = RunFuture::new(id, Some(target));
        let run = Run {
            id,
            event,
            responder: responder(settlement),
            options,
            definition: self.definition.clone(),
            limits: self.definition.limits.unwrap_or(self.options.limits),
            on_log: self.options.on_log.clone(),
            ticket: Ticket::new(&self.queue.in_flight, None),
        };
        match self.queue.admit(run) {
            Admission::Begins(begun) => serve_on_new_thread(begun, &self.queue),
            Admission::Waits => {}
            Admission::Refused(run, error) => run.fail(error),
        }
        future
    }
}

/// A request that begins, and what other threads reach it by.
pub(crate) type Begun = (Box<Run>, Arc<Running>);

/// Starts a thread for a request; where there can be none, the request is told so.
pub(crate) fn serve_on_new_thread((run, running): Begun, queue: &Arc<WorkerQueue>) {
    let id = running.id;
    // Kept here until the thread has it: a thread that cannot be made drops what it was to run.
    let handed_over = Arc::new(Mutex::new(Some((run, running))));
    let (taken, served) = (handed_over.clone(), queue.clone());
    let spawned = platform::spawn("isolane-worker", move || {
        let first = taken.lock().take();
        serve_all(first, &served);
    });
    if let Err(error) = spawned {
        let error = Error::internal(format!("a thread could not be made: {error}"));
        let mut next = handed_over.lock().take();
        while let Some((run, running)) = next {
            run.fail(error.clone());
            next = queue.ended(running.id);
        }
        queue.ended(id);
    }
}

/// A thread's life: requests one after the other, each in an isolate of its own.
fn serve_all(first: Option<Begun>, queue: &Arc<WorkerQueue>) {
    let mut next = first;
    while let Some((run, running)) = next {
        // A bug of ours answers its request (the settlement is dropped) and costs the isolate only.
        let _ = catch_unwind(AssertUnwindSafe(|| run.serve(&running)));
        next = queue.ended(running.id);
    }
}

/// One request on its way.
pub(crate) struct Run {
    pub(crate) id: RequestId,
    event: Event,
    responder: Responder,
    options: RunOptions,
    definition: Arc<WorkerDefinition>,
    limits: Limits,
    on_log: Option<LogSink>,
    ticket: Ticket,
}

impl Run {
    /// Answers a request that did not begin.
    pub(crate) fn fail(self, error: Error) {
        drop(self.ticket);
        self.responder.fail(error);
    }

    /// One isolate, one request, until everything of it has ended.
    fn serve(self, running: &Running) {
        let Self {
            id,
            event,
            responder,
            options,
            definition,
            limits,
            on_log,
            ticket,
        } = self;
        let _ticket = ticket;
        let receiver = Receiver::adopt(&running.mailbox);
        // The heap and buffers are the isolate's, so a request's own limits decide them here.
        let limits = options.limits.unwrap_or(limits);
        let owner = (Owner::Worker, running.group.id());
        let mut runtime = match Runtime::with_definition(definition, limits, on_log, owner) {
            Ok(runtime) => runtime,
            Err(error) => return responder.fail(error),
        };
        // While its modules are evaluated, the request waits; that turn may have to be given up.
        if let Some(who) = responder.unanswered() {
            runtime.bystanders().add(id, who);
        }
        runtime.load();
        runtime.bystanders().remove(id);
        runtime.start(id, event, responder, options);
        receiver.serve(|cx| {
            while let Some(command) = receiver.take() {
                match command {
                    Command::Abort(request) => {
                        runtime.abort(request, &ErrorKind::Aborted.into());
                    }
                    Command::Close => runtime.fail_all(&Owner::Worker.closed_error()),
                }
            }
            let gone = runtime.active() > 0 && runtime.poll(cx).is_err();
            if gone || runtime.active() == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
    }
}

struct WorkerAbort(Arc<WorkerQueue>);

impl AbortTarget for WorkerAbort {
    fn abort(self: Arc<Self>, request: RequestId) {
        if let Some(run) = self.0.take_waiting(request) {
            return run.fail(ErrorKind::Aborted.into());
        }
        watchdog::abort_running(request);
        if let Some(running) = self.0.running(request) {
            running.mailbox.send(Command::Abort(request));
        }
    }
}
