//! What lives on the isolate's thread: the isolate, its contexts, and while contexts are asked for again and
//! again, one that is made ahead when there is nothing else to do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::definition::WorkerDefinition;
use crate::demand::Demand;
use crate::error::{Error, ErrorKind};
use crate::execution_context::ExecutionContext;
use crate::isolate_thread::{Receiver, Rest};
use crate::limits::LimitKind;
use crate::request::LogSink;
use crate::settlement::Settlement;
use crate::shared_isolate::{SharedIsolate, SharedIsolateOptions};

use super::{Command, ContextId, ExecutionContextHandle, Line, Starting};

/// How long nothing must have been asked for before a context is made ahead beside others: who has just got a
/// context has a request for it.
const QUIET: Duration = Duration::from_millis(1);

/// What lives on the isolate's thread.
pub(super) struct Thread {
    line: Arc<Line>,
    // Contexts go before their isolate.
    contexts: HashMap<ContextId, Hosted>,
    isolate: Option<SharedIsolate>,
    options: SharedIsolateOptions,
    demand: Demand,
}

/// A context, and who waits for its modules to be evaluated.
struct Hosted {
    context: ExecutionContext,
    loading: Option<Settlement<ExecutionContextHandle>>,
}

impl Thread {
    pub(super) fn new(line: &Arc<Line>, options: SharedIsolateOptions) -> Self {
        Self {
            line: line.clone(),
            contexts: HashMap::new(),
            isolate: None,
            options,
            demand: Demand::default(),
        }
    }

    pub(super) fn serve(mut self, receiver: &Receiver<Command>) {
        let mut quiet_since = Instant::now();
        receiver.serve(|cx| {
            while let Some(command) = receiver.take() {
                quiet_since = Instant::now();
                if let Command::Close(settlement) = command {
                    self.drop_isolate(&ErrorKind::Closed("the isolate").into());
                    // Before the answer: whoever gets it must not be able to send any more.
                    self.line.close();
                    settlement.settle(Ok(()));
                    return Rest::End;
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
            self.look_ahead(quiet_since)
        });
    }

    /// Makes the next context, or drops the one that nobody has come for; says when to look again.
    fn look_ahead(&self, quiet_since: Instant) -> Rest {
        let Some(isolate) = &self.isolate else {
            return Rest::UntilWoken;
        };
        let now = Instant::now();
        let Some(left) = self.demand.lasts(now) else {
            isolate.expect_no_context();
            return Rest::UntilWoken;
        };
        if isolate.is_prepared() {
            return Rest::AtMost(left);
        }
        if self
            .contexts
            .values()
            .any(|hosted| hosted.context.active() > 0)
        {
            return Rest::UntilWoken;
        }
        let noisy = QUIET.saturating_sub(now - quiet_since);
        // Where there is no context, what comes next can only be for the one that is made now.
        if !noisy.is_zero() && !self.contexts.is_empty() {
            return Rest::AtMost(noisy);
        }
        isolate.prepare();
        Rest::AtMost(left)
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
        self.demand.note(Instant::now());
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
