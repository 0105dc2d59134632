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
use super::realm_state::{End, RealmState};
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
        let mut outcome = Ok(false);
        let mut goes_on = None;
        self.turn(isolate, request, |scope, state| {
            outcome = modules::load(scope, state).and_then(|loaded| {
                if let Some(evaluation) = loaded.evaluation {
                    evaluation.mark_as_handled();
                }
                // What the evaluation has queued may still set what is exported.
                turns::run_microtasks(scope);
                async_context::clear(scope);
                let is_loaded = finish(scope, state, request, &loaded, definition)?;
                if !is_loaded {
                    let evaluation = loaded.evaluation.map(|it| v8::Global::new(scope, it));
                    let namespace = loaded.namespace.map(|it| v8::Global::new(scope, it));
                    goes_on = Some((evaluation, namespace));
                }
                Ok(is_loaded)
            });
        });
        if let (Some((evaluation, namespace)), Phase::Loading(loading)) = (goes_on, &mut self.phase)
        {
            loading.evaluation = evaluation;
            loading.namespace = namespace;
        }
        self.loading_went(isolate, outcome);
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
        let mut outcome = Ok(false);
        self.turn(isolate, request, |scope, state| {
            let loaded = Loaded {
                evaluation: evaluation.map(|promise| v8::Local::new(scope, promise)),
                namespace: namespace.map(|namespace| v8::Local::new(scope, namespace)),
            };
            outcome = finish(scope, state, request, &loaded, definition);
        });
        self.loading_went(isolate, outcome);
    }

    /// Follows up a turn that loads: where the worker is loaded, what waited for it starts.
    fn loading_went(&mut self, isolate: &mut v8::Isolate, outcome: Result<bool, Error>) {
        match outcome {
            // A limit that ended the turn has said so to those who wait.
            _ if !self.is_loading() => {}
            Ok(false) => {}
            Ok(true) => {
                let Phase::Loading(loading) = std::mem::replace(&mut self.phase, Phase::Ready)
                else {
                    return;
                };
                for start in loading.waiting {
                    self.state.guards.bystanders.remove(start.id);
                    self.start(isolate, start);
                }
            }
            Err(error) => self.loading_failed(error),
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

/// Gives the guest side the handlers of a worker whose evaluation has ended, and ends the loading with its turn; false
/// while top-level await goes on. A script has no promise.
fn finish<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &RealmState,
    request: RequestId,
    loaded: &Loaded<'s>,
    definition: &WorkerDefinition,
) -> Result<bool, Error> {
    if let Some(evaluation) = loaded.evaluation {
        match evaluation.state() {
            v8::PromiseState::Pending => return Ok(false),
            v8::PromiseState::Rejected => {
                let thrown = evaluation.result(scope);
                return Err(ErrorKind::WorkerException(exception::describe(scope, thrown)).into());
            }
            v8::PromiseState::Fulfilled => {}
        }
    }
    // What it throws is the turn's to say.
    if events::configure(scope, state, loaded.namespace, definition).is_none() {
        return Err(Error::internal("the worker's handlers were not taken"));
    }
    state.ends.borrow_mut().push((request, End::Finish));
    Ok(true)
}
