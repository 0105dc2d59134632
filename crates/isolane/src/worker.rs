//! The most isolated mode: every request gets a new isolate, on a thread that lives as long as the
//! request does.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use isolane_scheduler::{RequestId, next_id};
use parking_lot::Mutex;

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind};
use crate::isolate_thread::Mailbox;
use crate::limits::{Limits, watchdog};
use crate::request::{LogSink, Request, RunOptions, ScheduledEvent};
use crate::runtime::Runtime;
use crate::runtime::events::Event;
use crate::runtime::modules;
use crate::runtime::realm::Owner;
use crate::runtime::realm_state::{Responder, Ticket};
use crate::settlement::{AbortTarget, RunFuture, ScheduledFuture, WorkerFuture};
use crate::validation;

/// How a [`Worker`] is set up.
#[derive(Clone, Default)]
pub struct WorkerOptions {
    /// Limits of each request, where the definition names none.
    pub limits: Limits,
    /// Where the guests' console goes.
    pub on_log: Option<LogSink>,
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
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    closed: AtomicBool,
    group: u64,
    in_flight: Arc<AtomicUsize>,
    mailboxes: Mutex<Vec<Arc<Mailbox<Command>>>>,
}

enum Command {
    Abort(RequestId, Error),
}

impl Worker {
    /// A worker; nothing runs before the first request.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG` where the definition cannot be used.
    pub fn new(
        definition: impl Into<WorkerDefinition>,
        options: WorkerOptions,
    ) -> Result<Self, Error> {
        let definition = Arc::new(definition.into());
        modules::validate(&definition)?;
        Ok(Self {
            definition,
            options,
            shared: Arc::new(Shared {
                group: next_id(),
                ..Shared::default()
            }),
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
        self.shared.in_flight.load(Ordering::Relaxed)
    }

    /// Ends what runs with `ERR_CLOSED`; later requests are refused. A second call does nothing.
    pub fn close(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        for mailbox in self.shared.mailboxes.lock().drain(..) {
            mailbox.send(Command::Abort(0, Owner::Worker.closed_error()));
        }
        watchdog::close_group(self.shared.group);
    }

    fn run<T>(
        &self,
        event: Event,
        responder: impl FnOnce(crate::settlement::Settlement<T>) -> Responder,
        options: RunOptions,
    ) -> RunFuture<T> {
        if self.shared.closed.load(Ordering::SeqCst) {
            return RunFuture::failed(ErrorKind::Closed("the worker").into());
        }
        let id = next_id();
        let mailbox = Mailbox::new();
        let target: Arc<dyn AbortTarget> = Arc::new(WorkerAbort(mailbox.clone()));
        let (future, settlement) = RunFuture::new(id, Some(target));
        let run = Run {
            id,
            event,
            responder: responder(settlement),
            options,
            definition: self.definition.clone(),
            limits: self.definition.limits.unwrap_or(self.options.limits),
            on_log: self.options.on_log.clone(),
            ticket: Ticket::new(&self.shared.in_flight, None),
        };
        self.shared.mailboxes.lock().push(mailbox.clone());
        let shared = self.shared.clone();
        let spawned = mailbox.spawn("isolane-worker", move |mailbox| {
            run.serve(&mailbox, &shared);
            shared
                .mailboxes
                .lock()
                .retain(|other| !Arc::ptr_eq(other, &mailbox));
        });
        match spawned {
            Ok(()) => future,
            Err(error) => RunFuture::failed(error),
        }
    }
}

struct Run {
    id: RequestId,
    event: Event,
    responder: Responder,
    options: RunOptions,
    definition: Arc<WorkerDefinition>,
    limits: Limits,
    on_log: Option<LogSink>,
    ticket: Ticket,
}

impl Run {
    /// The thread's life: one isolate, one request, until everything of it has ended.
    fn serve(self, mailbox: &Arc<Mailbox<Command>>, shared: &Shared) {
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
        if shared.closed.load(Ordering::SeqCst) {
            return responder.fail(Owner::Worker.closed_error());
        }
        // The heap and buffers are the isolate's, so a request's own limits decide them here.
        let limits = options.limits.unwrap_or(limits);
        let mut runtime = match Runtime::with_definition(
            definition,
            limits,
            on_log,
            (Owner::Worker, shared.group),
        ) {
            Ok(runtime) => runtime,
            Err(error) => return responder.fail(error),
        };
        runtime.load();
        runtime.start(id, event, responder, options);
        mailbox.serve(|cx| {
            while let Some(Command::Abort(request, error)) = mailbox.take() {
                if request == 0 {
                    runtime.fail_all(&error);
                } else {
                    runtime.abort(request, &error);
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

struct WorkerAbort(Arc<Mailbox<Command>>);

impl AbortTarget for WorkerAbort {
    fn abort(self: Arc<Self>, request: RequestId) {
        watchdog::abort_running(request);
        self.0
            .send(Command::Abort(request, ErrorKind::Aborted.into()));
    }
}
