//! A [`SharedIsolate`] on a thread of its own, for hosts that are elsewhere.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use isolane_scheduler::{RequestId, next_id};

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind};
use crate::execution_context::ExecutionContext;
use crate::isolate_thread::{self, Receiver};
use crate::limits::{LimitKind, watchdog};
use crate::request::{LogSink, Request, RunOptions, ScheduledEvent};
use crate::runtime::active_request::Responder;
use crate::runtime::events::Event;
use crate::settlement::{AbortTarget, RunFuture, ScheduledFuture, Settlement, WorkerFuture};
use crate::shared_isolate::{SharedIsolate, SharedIsolateOptions};
use crate::validation;

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
            let thread = Thread {
                line: line.clone(),
                isolate: None,
                options: options.clone(),
                contexts: HashMap::new(),
            };
            thread.serve(receiver);
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

    fn run<T: Send + 'static>(
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
        self.line.send(Command::Start(Box::new(starting)));
        future
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

/// What lives on the isolate's thread.
struct Thread {
    line: Arc<Line>,
    // Contexts go before their isolate.
    contexts: HashMap<ContextId, Hosted>,
    isolate: Option<SharedIsolate>,
    options: SharedIsolateOptions,
}

/// A context, and who waits for its modules to be evaluated.
struct Hosted {
    context: ExecutionContext,
    loading: Option<Settlement<ExecutionContextHandle>>,
}

impl Thread {
    fn serve(mut self, receiver: &Receiver<Command>) {
        receiver.serve(|cx| {
            while let Some(command) = receiver.take() {
                if let Command::Close(settlement) = command {
                    self.drop_isolate(&ErrorKind::Closed("the isolate").into());
                    // Before the answer: whoever gets it must not be able to send any more.
                    self.line.close();
                    settlement.settle(Ok(()));
                    return ControlFlow::Break(());
                }
                self.carry_out(command);
            }
            for hosted in self.contexts.values_mut() {
                if hosted.context.active() > 0 {
                    // The scheduler lives as long as the process.
                    let _ = hosted.context.poll(cx);
                }
            }
            self.announce_loaded();
            ControlFlow::Continue(())
        });
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Create {
                id,
                definition,
                on_log,
                settlement,
            } => match self.make_context((id, &settlement), *definition, on_log) {
                Ok(context) => {
                    self.contexts.insert(
                        id,
                        Hosted {
                            context,
                            loading: Some(settlement),
                        },
                    );
                }
                Err(error) => settlement.settle(Err(error)),
            },
            Command::Start(starting) => {
                let Starting {
                    context,
                    id,
                    event,
                    responder,
                    options,
                } = *starting;
                match self.contexts.get_mut(&context) {
                    Some(hosted) => hosted.context.start(id, event, responder, options),
                    None => responder.fail(ErrorKind::Closed("the context").into()),
                }
            }
            Command::Abort { context, request } => {
                if let Some(hosted) = self.contexts.get_mut(&context) {
                    hosted.context.abort(request, &ErrorKind::Aborted.into());
                }
            }
            Command::Dispose {
                context,
                settlement,
            } => {
                if let Some(mut hosted) = self.contexts.remove(&context) {
                    hosted
                        .context
                        .fail_all(&ErrorKind::Closed("the context").into());
                }
                if let Some(settlement) = settlement {
                    settlement.settle(Ok(()));
                }
            }
            Command::Close(_) => {}
        }
    }

    /// A context on the thread's isolate, which is made anew where a limit has condemned it.
    fn make_context(
        &mut self,
        (id, settlement): (ContextId, &Settlement<ExecutionContextHandle>),
        definition: WorkerDefinition,
        on_log: Option<LogSink>,
    ) -> Result<ExecutionContext, Error> {
        if self
            .isolate
            .as_ref()
            .is_some_and(SharedIsolate::is_condemned)
        {
            self.drop_isolate(&Error::limit(LimitKind::Heap));
        }
        let isolate = match &self.isolate {
            Some(isolate) => isolate,
            None => self.isolate.insert(SharedIsolate::in_group(
                self.options.clone(),
                self.line.group(),
            )?),
        };
        let bystanders = isolate.bystanders().clone();
        if let Some(who) = settlement.unanswered() {
            bystanders.add(id, who);
        }
        let context = ExecutionContext::with_log(isolate, definition, on_log);
        bystanders.remove(id);
        context
    }

    /// Answers everything with the error, and lets go of the isolate.
    fn drop_isolate(&mut self, error: &Error) {
        for (_, mut hosted) in self.contexts.drain() {
            hosted.context.fail_all(error);
            if let Some(settlement) = hosted.loading {
                settlement.settle(Err(error.clone()));
            }
        }
        self.isolate = None;
    }

    /// Hands out the contexts whose modules have been evaluated, or the reason why they were not.
    fn announce_loaded(&mut self) {
        let mut failed = Vec::new();
        for (id, hosted) in &mut self.contexts {
            if hosted.loading.is_none() || hosted.context.is_loading() {
                continue;
            }
            let Some(settlement) = hosted.loading.take() else {
                continue;
            };
            match hosted.context.failure() {
                Some(error) => {
                    settlement.settle(Err(error));
                    failed.push(*id);
                }
                None => settlement.settle(Ok(ExecutionContextHandle {
                    line: self.line.clone(),
                    id: *id,
                })),
            }
        }
        for id in failed {
            self.contexts.remove(&id);
        }
    }
}
