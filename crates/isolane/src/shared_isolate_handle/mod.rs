//! A [`SharedIsolate`](crate::SharedIsolate) on a thread of its own, for hosts that are elsewhere.

mod thread;

use std::sync::Arc;

use isolane_scheduler::{RequestId, next_id};

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind};
use crate::isolate_thread;
use crate::limits::watchdog;
use crate::request::{LogSink, Request, RunOptions, ScheduledEvent};
use crate::runtime::active_request::Responder;
use crate::runtime::events::Event;
use crate::settlement::{
    AbortTarget, Received, RunFuture, ScheduledFuture, Settlement, WorkerFuture, received_as_sent,
};
use crate::shared_isolate::SharedIsolateOptions;
use crate::validation;

use thread::Thread;

type ContextId = u64;

enum Command {
    Create {
        id: ContextId,
        definition: Box<WorkerDefinition>,
        on_log: Option<LogSink>,
        settlement: Settlement<ExecutionContextHandle>,
    },
    Start(Box<Starting>),
    Abort {
        context: ContextId,
        request: RequestId,
    },
    Dispose {
        context: ContextId,
        settlement: Option<Settlement<()>>,
    },
    Close(Settlement<()>),
}

struct Starting {
    context: ContextId,
    id: RequestId,
    event: Event,
    responder: Responder,
    options: RunOptions,
}

impl isolate_thread::Command for Command {
    fn refuse(self) {
        let error = || Error::from(ErrorKind::Closed("the isolate"));
        match self {
            Self::Create { settlement, .. } => settlement.settle(Err(error())),
            Self::Start(starting) => starting.responder.fail(error()),
            Self::Abort { .. }
            | Self::Dispose {
                settlement: None, ..
            } => {}
            Self::Dispose {
                settlement: Some(settlement),
                ..
            }
            | Self::Close(settlement) => {
                settlement.settle(Ok(()));
            }
        }
    }
}

type Line = isolate_thread::Line<Command>;

/// A shared isolate on its own thread; any thread may use the handle.
pub struct SharedIsolateHandle(Arc<Line>);

impl SharedIsolateHandle {
    /// Starts a thread with an isolate on it.
    ///
    /// # Errors
    ///
    /// `ERR_INTERNAL` where the system cannot make a thread.
    pub fn new(options: SharedIsolateOptions) -> Result<Self, Error> {
        let line = Line::open("isolane-shared", move |receiver, line| {
            Thread::new(line, options.clone()).serve(receiver);
        })?;
        Ok(Self(line))
    }

    /// Makes a context and evaluates the worker's modules in it.
    pub fn create_context(
        &self,
        worker: impl Into<WorkerDefinition>,
        on_log: Option<LogSink>,
    ) -> RunFuture<ExecutionContextHandle> {
        let (future, settlement) = RunFuture::new(next_id(), None);
        let definition = Box::new(worker.into());
        self.0.send(Command::Create {
            id: next_id(),
            definition,
            on_log,
            settlement,
        });
        future
    }

    /// Ends what runs with `ERR_CLOSED`, all contexts and the thread; again: answered at once.
    pub fn close(&self) -> RunFuture<()> {
        let (future, settlement) = RunFuture::new(next_id(), None);
        self.0.send_close(Command::Close(settlement));
        future
    }
}

impl Drop for SharedIsolateHandle {
    fn drop(&mut self) {
        drop(self.close());
    }
}

/// A context on a shared isolate; any thread may use the handle.
pub struct ExecutionContextHandle {
    line: Arc<Line>,
    id: ContextId,
}

received_as_sent!(ExecutionContextHandle);

impl ExecutionContextHandle {
    /// Runs the `fetch` handler.
    pub fn fetch(&self, request: Request, options: RunOptions) -> WorkerFuture {
        match validation::request(request) {
            Ok(request) => self.run(Event::Fetch(request), Responder::Fetch, options),
            Err(error) => RunFuture::failed(error),
        }
    }

    /// Runs the `scheduled` handler.
    pub fn scheduled(&self, event: ScheduledEvent, options: RunOptions) -> ScheduledFuture {
        self.run(Event::Scheduled(event), Responder::Scheduled, options)
    }

    /// Ends what runs with `ERR_CLOSED` and disposes of the context; again: answered at once.
    pub fn close(&self) -> RunFuture<()> {
        let (future, settlement) = RunFuture::new(next_id(), None);
        self.line.send(Command::Dispose {
            context: self.id,
            settlement: Some(settlement),
        });
        future
    }

    fn run<T: Received>(
        &self,
        event: Event,
        responder: impl FnOnce(Settlement<T>) -> Responder,
        options: RunOptions,
    ) -> RunFuture<T> {
        let id = next_id();
        let target: Arc<dyn AbortTarget> = Arc::new(ContextAbort {
            line: self.line.clone(),
            context: self.id,
        });
        let (future, settlement) = RunFuture::new(id, Some(target));
        let responder = responder(settlement);
        let context = self.id;
        let starting = Starting {
            context,
            id,
            event,
            responder,
            options,
        };
        let expected = self.line.expected();
        self.line.send(Command::Start(Box::new(starting)));
        future.expect(expected)
    }
}

impl Drop for ExecutionContextHandle {
    fn drop(&mut self) {
        self.line.send(Command::Dispose {
            context: self.id,
            settlement: None,
        });
    }
}

impl std::fmt::Debug for ExecutionContextHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecutionContextHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

struct ContextAbort {
    line: Arc<Line>,
    context: ContextId,
}

impl AbortTarget for ContextAbort {
    fn abort(self: Arc<Self>, request: RequestId) {
        watchdog::abort_running(request);
        self.line.send(Command::Abort {
            context: self.context,
            request,
        });
    }
}
