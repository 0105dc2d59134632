//! One request in an isolate of its own, on that isolate's thread, until everything of it has ended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use isolane_scheduler::RequestId;
use parking_lot::Mutex;

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind, Owner};
use crate::isolate_thread::{Receiver, Rest};
use crate::limits::Limits;
use crate::platform;
use crate::request::{LogSink, RunOptions};
use crate::runtime::Runtime;
use crate::runtime::active_request::Responder;
use crate::runtime::events::Event;
use crate::runtime::ticket::Ticket;

use super::queue::{Seat, WorkerQueue};

/// What the isolates of a worker are made from.
pub(super) struct Recipe {
    pub(super) definition: Arc<WorkerDefinition>,
    pub(super) limits: Limits,
    pub(super) on_log: Option<LogSink>,
}

impl Recipe {
    /// An isolate in which nothing of the worker has run.
    pub(super) fn make(&self, limits: Limits, seat: &Seat) -> Result<Runtime, Error> {
        let owner = (Owner::Worker, seat.group.id());
        Runtime::with_definition(self.definition.clone(), limits, self.on_log.clone(), owner)
    }
}

/// A request on its way.
pub(super) struct Run {
    pub(super) id: RequestId,
    pub(super) event: Event,
    pub(super) responder: Responder,
    pub(super) options: RunOptions,
    pub(super) ticket: Ticket,
}

/// What the thread of an isolate is told.
pub(super) enum Command {
    /// The isolate was made ahead, and this is its request.
    Serve(Box<Run>),
    /// The request's caller gave up.
    Abort(RequestId),
    /// The worker is closed, or expects no more requests.
    Close,
}

/// A request that begins, and what other threads reach it by.
pub(super) type Begun = (Box<Run>, Arc<Seat>);

/// Starts a thread for a request; where there can be none, the request is told so.
pub(super) fn serve_on_new_thread((run, seat): Begun, queue: &Arc<WorkerQueue>) {
    // Kept here until the thread has it: a thread that cannot be made drops what it was to run.
    let handed_over = Arc::new(Mutex::new(Some((run, seat.clone()))));
    let (taken, served) = (handed_over.clone(), queue.clone());
    let spawned = platform::spawn("isolane-worker", move || {
        let first = taken.lock().take();
        serve_all(first, &served);
    });
    if let Err(error) = spawned {
        let error = Error::internal(format!("a thread could not be made: {error}"));
        let mut next = handed_over.lock().take();
        while let Some((run, seat)) = next {
            run.fail(error.clone());
            next = queue.ended(&seat);
        }
    }
}

/// A thread's life: requests one after the other, each in an isolate of its own.
pub(super) fn serve_all(first: Option<Begun>, queue: &Arc<WorkerQueue>) {
    let mut next = first;
    while let Some((run, seat)) = next {
        // A bug of ours answers its request (the settlement is dropped) and costs the isolate only.
        let _ = catch_unwind(AssertUnwindSafe(|| run.serve(&seat, queue)));
        next = queue.ended(&seat);
    }
}

impl Run {
    /// Answers a request that did not begin.
    pub(super) fn fail(self, error: Error) {
        drop(self.ticket);
        self.responder.fail(error);
    }

    /// Whether an isolate made ahead will do: its heap, its buffers and the evaluation of its modules have the
    /// worker's usual limits, and would have the request's own.
    pub(super) fn takes_usual_limits(&self, usual: &Limits) -> bool {
        self.options.limits.is_none_or(|own| own == *usual)
    }

    /// Makes the request's isolate, and runs it there.
    fn serve(self, seat: &Seat, queue: &Arc<WorkerQueue>) {
        let receiver = Receiver::adopt(&seat.mailbox);
        let recipe = queue.recipe();
        let limits = self.options.limits.unwrap_or(recipe.limits);
        let mut runtime = match recipe.make(limits, seat) {
            Ok(runtime) => runtime,
            Err(error) => return self.fail(error),
        };
        // While its modules are evaluated, the request waits; that turn may have to be given up.
        if let Some(who) = self.responder.unanswered() {
            runtime.bystanders().add(self.id, who);
        }
        runtime.load();
        runtime.bystanders().remove(self.id);
        self.serve_in(runtime, &receiver, queue);
    }

    /// Runs the request in its isolate, whose worker has begun to load.
    pub(super) fn serve_in(
        self,
        mut runtime: Runtime,
        receiver: &Receiver<Command>,
        queue: &Arc<WorkerQueue>,
    ) {
        let Self {
            id,
            event,
            responder,
            options,
            ticket,
        } = self;
        let _ticket = ticket;
        runtime.start(id, event, responder, options);
        // The answer is on its way now, where it came at once.
        queue.make_ahead();
        receiver.serve(|cx| {
            while let Some(command) = receiver.take() {
                match command {
                    Command::Abort(request) => {
                        runtime.abort(request, &ErrorKind::Aborted.into());
                    }
                    Command::Close => runtime.fail_all(&Owner::Worker.closed_error()),
                    Command::Serve(run) => {
                        run.fail(Error::internal("an isolate was given two requests"));
                    }
                }
            }
            let gone = runtime.active() > 0 && runtime.poll(cx).is_err();
            if gone || runtime.active() == 0 {
                Rest::End
            } else {
                Rest::UntilWoken
            }
        });
    }
}
