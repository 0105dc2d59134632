//! How a realm loads its worker: the modules are evaluated in a turn of their own, at the end of which the guest side
//! learns of the handlers. Requests wait while top-level await keeps the evaluation from ending.

use std::time::Instant;

use isolane_scheduler::{RequestId, next_id};

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind};

use super::active_request::{ActiveRequest, Responder};
use super::events::{self, StartRequest};
use super::exception;
use super::modules::{self, Loaded};
use super::realm::{Health, Realm};
use super::realm_state::End;
use super::turns;
use super::web::async_context;

/// Where a realm is in loading its worker.
pub(super) enum Phase {
    Loading(Loading),
    Ready,
    Failed(Error),
}

pub(super) struct Loading {
    pub(super) request: RequestId,
    pub(super) evaluation: Option<v8::Global<v8::Promise>>,
    pub(super) namespace: Option<v8::Global<v8::Object>>,
    pub(super) waiting: Vec<StartRequest>,
}

impl Realm {
    /// Begins to evaluate the worker's modules; requests wait until that is done.
    pub(crate) fn load(&mut self, isolate: &mut v8::Isolate, definition: &WorkerDefinition) {
        let request = next_id();
        let active = ActiveRequest::new(Responder::Load, self.limits, Instant::now());
        self.state.requests.borrow_mut().insert(request, active);
        self.phase = Phase::Loading(Loading {
            request,
            evaluation: None,
            namespace: None,
            waiting: Vec::new(),
        });
        let mut loaded = None;
        self.turn(isolate, request, |scope, state| {
            loaded = Some(modules::load(scope, state).map(|loaded| {
                if let Some(evaluation) = loaded.evaluation {
                    evaluation.mark_as_handled();
                }
                // What the evaluation has queued may still set what is exported.
                turns::run_microtasks(scope);
                if is_evaluated(loaded.evaluation) && !scope.is_execution_terminating() {
                    async_context::clear(scope);
                    events::configure(scope, state, loaded.namespace, definition);
                    state.ends.borrow_mut().push((request, End::Finish));
                    return None;
                }
                let Loaded {
                    evaluation,
                    namespace,
                } = loaded;
                Some((
                    evaluation.map(|promise| v8::Global::new(scope, promise)),
                    namespace.map(|namespace| v8::Global::new(scope, namespace)),
                ))
            }));
        });
        if !self.is_loading() {
            // The turn was ended by a limit, or threw where nothing of the worker's runs.
            return;
        }
        match loaded {
            Some(Ok(None)) => self.phase = Phase::Ready,
            Some(Ok(Some((evaluation, namespace)))) => {
                if let Phase::Loading(loading) = &mut self.phase {
                    loading.evaluation = evaluation;
                    loading.namespace = namespace;
                }
                self.advance_loading(isolate, definition);
            }
            Some(Err(error)) => self.loading_failed(error),
            None => {}
        }
    }

    pub(super) fn loading_request(&self) -> Option<RequestId> {
        match &self.phase {
            Phase::Loading(loading) => Some(loading.request),
            _ => None,
        }
    }

    /// Ends the loading, where it has not ended already: a limit's error is not overwritten.
    pub(super) fn loading_failed(&mut self, error: Error) {
        if !self.is_loading() {
            return;
        }
        let failed = Phase::Failed(error.clone());
        if let Phase::Loading(loading) = std::mem::replace(&mut self.phase, failed) {
            self.state.remove(loading.request);
            for start in loading.waiting {
                self.state.guards.bystanders.remove(start.id);
                start.fail(error.clone());
            }
        }
    }

    /// Looks whether the modules have been evaluated, and if so starts what waited for them.
    pub(crate) fn advance_loading(
        &mut self,
        isolate: &mut v8::Isolate,
        definition: &WorkerDefinition,
    ) {
        let Phase::Loading(loading) = &self.phase else {
            return;
        };
        let (request, namespace) = (loading.request, loading.namespace.clone());
        let evaluation = loading.evaluation.clone();
        let mut outcome = Some(Ok(()));
        self.turn(isolate, request, |scope, state| {
            if let Some(evaluation) = evaluation {
                let evaluation = v8::Local::new(scope, evaluation);
                match evaluation.state() {
                    v8::PromiseState::Pending => {
                        outcome = None;
                        return;
                    }
                    v8::PromiseState::Rejected => {
                        let thrown = evaluation.result(scope);
                        let guest = exception::describe(scope, thrown);
                        outcome = Some(Err(ErrorKind::WorkerException(guest).into()));
                        return;
                    }
                    v8::PromiseState::Fulfilled => {}
                }
            }
            let namespace = namespace.map(|namespace| v8::Local::new(scope, namespace));
            events::configure(scope, state, namespace, definition);
        });
        if !self.is_loading() {
            // The turn was ended by a limit, which said so to those who wait.
            return;
        }
        match outcome {
            Some(Ok(())) => {
                let Phase::Loading(loading) = std::mem::replace(&mut self.phase, Phase::Ready)
                else {
                    return;
                };
                self.state.remove(loading.request);
                for start in loading.waiting {
                    self.state.guards.bystanders.remove(start.id);
                    self.start(isolate, start);
                }
            }
            Some(Err(error)) => self.loading_failed(error),
            None => {}
        }
    }

    /// Whether the code of any of the worker's modules, or of what it has used, is to be written down.
    pub(crate) fn has_code_to_keep(&self) -> bool {
        !self.state.modules.borrow().code_to_keep.is_empty()
            || !self.state.families_to_keep.borrow().is_empty()
    }

    /// Writes down the code of the worker's modules and of the families that it has used, where they were compiled
    /// here and that is wanted. For when no request waits.
    pub(crate) fn keep_code(&self, isolate: &mut v8::Isolate) {
        if !self.has_code_to_keep() || self.health == Health::Condemned {
            return;
        }
        v8::scope!(let scope, isolate);
        for module in &self.state.modules.borrow().code_to_keep {
            module.keep(scope);
        }
        for family in self.state.families_to_keep.borrow().iter() {
            family.keep(scope);
        }
    }

    /// Code is not written down here any more.
    pub(crate) fn forget_code(&self) {
        self.state.modules.borrow_mut().code_to_keep.clear();
        self.state.families_to_keep.borrow_mut().clear();
    }
}

/// Whether the modules have been evaluated without an exception, top-level await included; a script has no promise.
fn is_evaluated(evaluation: Option<v8::Local<v8::Promise>>) -> bool {
    evaluation.is_none_or(|promise| promise.state() == v8::PromiseState::Fulfilled)
}
