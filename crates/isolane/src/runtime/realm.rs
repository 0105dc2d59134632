//! One context with all that belongs to it: its state, its microtask queue, its channel from the
//! scheduler, its requests. Every mode runs guests through this; they differ in who owns the isolate
//! and which thread it is entered on.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use isolane_scheduler::{CallbackMessage, CallbackReceiver, RequestId, SchedulerMessage, next_id};

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind};
use crate::event_loop::EventLoopRuntime;
use crate::isolate_params::IsolateGuards;
use crate::limits::watchdog::{Fired, TurnBudget, Watch, Watched};
use crate::limits::{LimitKind, Limits};
use crate::outbound;
use crate::request::{LogLevel, LogSink};

use super::events::{self, StartRequest};
use super::exception;
use super::modules::{self, ModuleMap};
use super::realm_state::{ActiveRequest, End, RealmState, Responder, unix_ms};
use super::snapshot;

/// What an aborted request's listeners may use.
const LAST_TURN_CPU: Duration = Duration::from_millis(10);

/// How many turns share one look at the heap's size.
const TURNS_PER_HEAP_SAMPLE: u32 = 64;

/// Whether the isolate behind a realm may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// It takes requests.
    Good,
    /// A turn was terminated: what runs may end, nothing new starts.
    Retiring,
    /// Its heap limit was reached: nothing runs any more.
    Condemned,
}

/// Where a realm is in loading its worker.
enum Phase {
    Loading(Loading),
    Ready,
    Failed(Error),
}

struct Loading {
    request: RequestId,
    evaluation: Option<v8::Global<v8::Promise>>,
    namespace: Option<v8::Global<v8::Object>>,
    waiting: Vec<StartRequest>,
}

/// What a realm is made from.
pub(crate) struct RealmOptions {
    pub(crate) definition: Arc<WorkerDefinition>,
    pub(crate) worker_id: Option<Arc<str>>,
    pub(crate) on_log: Option<LogSink>,
    /// Whose turns the watchdog may be asked to end together; 0 for none.
    pub(crate) group: u64,
    pub(crate) owner: Owner,
}

/// What a realm belongs to, and so what its requests are told when that is closed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    Pool,
    Worker,
    SharedIsolate,
    Runtime,
}

impl Owner {
    pub(crate) fn closed_error(self) -> Error {
        match self {
            Self::Pool => ErrorKind::PoolClosed.into(),
            Self::Worker => ErrorKind::Closed("the worker").into(),
            Self::SharedIsolate => ErrorKind::Closed("the isolate").into(),
            Self::Runtime => ErrorKind::Closed("the runtime").into(),
        }
    }
}

/// One context and its requests.
pub(crate) struct Realm {
    state: Box<RealmState>,
    callbacks: CallbackReceiver,
    microtasks: v8::MicrotaskQueueHandle,
    handle: v8::IsolateHandle,
    phase: Phase,
    health: Health,
    group: u64,
    owner: Owner,
    turns: u32,
}

impl Realm {
    /// Makes a context on `isolate`, which is entered on this thread; nothing of the worker runs yet.
    pub(crate) fn new(
        isolate: &mut v8::Isolate,
        guards: &IsolateGuards,
        options: RealmOptions,
    ) -> Result<Self, Error> {
        let client = outbound::client(&options.definition.outbound)?;
        let microtasks = v8::MicrotaskQueue::new(isolate, v8::MicrotasksPolicy::Explicit);
        let (scheduler, callbacks) = outbound::scheduler().connect();
        let handle = isolate.thread_safe_handle();
        let (context, entry, resolve) = new_context(isolate, &microtasks, &options.definition)?;
        let state = Box::new(RealmState {
            context,
            entry,
            resolve,
            scheduler,
            client,
            guards: guards.clone(),
            worker_id: options.worker_id,
            on_log: options.on_log,
            host_functions: events::host_functions(&options.definition),
            panicked: Cell::new(false),
            modules: RefCell::new(ModuleMap::new(options.definition)),
            origin: Instant::now(),
            origin_unix_ms: unix_ms(),
            current: Cell::new(0),
            heap_used_bytes: Cell::new(0),
            requests: RefCell::default(),
            operations: RefCell::default(),
            orphaned: RefCell::default(),
            unhandled: RefCell::default(),
            ends: RefCell::default(),
            outgoing: RefCell::new(HashMap::new()),
        });
        Ok(Self {
            state,
            callbacks,
            microtasks,
            handle,
            phase: Phase::Ready,
            health: Health::Good,
            group: options.group,
            owner: options.owner,
            turns: 0,
        })
    }

    /// Begins to evaluate the worker's modules; requests wait until that is done.
    pub(crate) fn load(
        &mut self,
        isolate: &mut v8::Isolate,
        definition: &WorkerDefinition,
        limits: Limits,
    ) {
        let request = next_id();
        let active = ActiveRequest::new(Responder::Load, limits);
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
                (
                    loaded
                        .evaluation
                        .map(|promise| v8::Global::new(scope, promise)),
                    loaded
                        .namespace
                        .map(|namespace| v8::Global::new(scope, namespace)),
                )
            }));
        });
        match loaded {
            Some(Ok((evaluation, namespace))) => {
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

    /// Why the worker did not load, if it did not.
    pub(crate) fn failure(&self) -> Option<&Error> {
        match &self.phase {
            Phase::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Whether top-level await still keeps the worker's modules.
    pub(crate) fn is_loading(&self) -> bool {
        matches!(self.phase, Phase::Loading(_))
    }

    pub(crate) fn health(&self) -> Health {
        self.health
    }

    /// How many requests run here or wait for the worker to load.
    pub(crate) fn active(&self) -> usize {
        let waiting = match &self.phase {
            Phase::Loading(loading) => loading.waiting.len(),
            _ => 0,
        };
        self.state.requests.borrow().len() + waiting
    }

    pub(crate) fn heap_used_bytes(&self) -> usize {
        self.state.heap_used_bytes.get()
    }

    pub(crate) fn state(&self) -> &RealmState {
        &self.state
    }

    pub(crate) fn callbacks_mut(&mut self) -> &mut CallbackReceiver {
        &mut self.callbacks
    }

    /// Runs the first turn of a request, or keeps it until the worker has loaded.
    pub(crate) fn start(&mut self, isolate: &mut v8::Isolate, start: StartRequest) {
        match &mut self.phase {
            Phase::Loading(loading) => loading.waiting.push(start),
            Phase::Failed(error) => start.fail(error.clone()),
            Phase::Ready => {
                let StartRequest {
                    id,
                    event,
                    responder,
                    limits,
                    on_log,
                    start,
                    ticket,
                } = start;
                let mut active = ActiveRequest::new(responder, limits);
                active.on_log = on_log;
                active.start = start;
                active.ticket = ticket;
                self.state.requests.borrow_mut().insert(id, active);
                self.turn(isolate, id, |scope, state| {
                    events::forget_orphaned(scope, state);
                    events::dispatch(scope, state, id, event);
                });
            }
        }
    }

    /// Ends one request from outside: the caller gave up, or a deadline passed.
    pub(crate) fn abort(&mut self, isolate: &mut v8::Isolate, request: RequestId, error: &Error) {
        if let Phase::Loading(loading) = &mut self.phase
            && let Some(at) = loading.waiting.iter().position(|start| start.id == request)
        {
            loading.waiting.remove(at).fail(error.clone());
            return;
        }
        if !self.state.requests.borrow().contains_key(&request) {
            return;
        }
        // The guest learns of it through `request.signal`, in a last turn that has a budget of its own:
        // the request's may be what is used up.
        let budget = TurnBudget {
            request,
            group: self.group,
            cpu: Some(LAST_TURN_CPU),
            wall_until: None,
        };
        self.watched_turn(isolate, budget, |scope, state| {
            events::abort(scope, state, request)
        });
        self.state.fail(request, error.clone());
        if self.loading_request() == Some(request) {
            self.loading_failed(error.clone());
        }
    }

    /// Answers everything with `error`: the isolate goes away.
    pub(crate) fn fail_all(&mut self, error: &Error) {
        let ids: Vec<RequestId> = self.state.requests.borrow().keys().copied().collect();
        for id in ids {
            self.state.fail(id, error.clone());
        }
        if self.is_loading() {
            self.loading_failed(error.clone());
        }
    }

    /// Runs `body` in the context as a turn of `request`: watched, charged, with its microtasks.
    pub(crate) fn turn(
        &mut self,
        isolate: &mut v8::Isolate,
        request: RequestId,
        body: impl FnOnce(&mut v8::PinScope<'_, '_>, &RealmState),
    ) {
        if let Some(budget) = self.budget(request) {
            self.watched_turn(isolate, budget, body);
        }
    }

    fn watched_turn(
        &mut self,
        isolate: &mut v8::Isolate,
        budget: TurnBudget,
        body: impl FnOnce(&mut v8::PinScope<'_, '_>, &RealmState),
    ) {
        let request = budget.request;
        self.state.enter(isolate, request);
        let watch = Watch::begin(&self.handle, budget);
        {
            v8::scope!(let scope, isolate);
            let context = v8::Local::new(scope, &self.state.context);
            let scope = &mut v8::ContextScope::new(scope, context);
            v8::tc_scope!(let scope, scope);
            body(scope, &self.state);
            if let Some(thrown) = scope.exception()
                && !scope.has_terminated()
            {
                let guest = exception::describe(scope, thrown);
                let error = Error::new(ErrorKind::WorkerException(guest));
                self.state
                    .ends
                    .borrow_mut()
                    .push((request, End::Fail(error)));
                scope.reset();
            }
            self.microtasks.perform_checkpoint(scope);
            report_unhandled(scope, &self.state);
        }
        let watched = watch.end();
        RealmState::leave(isolate);
        self.sample_heap(isolate);
        self.after_turn(isolate, request, &watched);
    }

    /// Runs V8's own foreground tasks and what they queued, watched but charged to nobody.
    ///
    /// Guest code may run here: finalizers, the promises of background compilations.
    pub(crate) fn housekeep(&mut self, isolate: &mut v8::Isolate) {
        let budget = TurnBudget {
            request: 0,
            group: self.group,
            cpu: Limits::default().cpu,
            wall_until: None,
        };
        self.watched_turn(isolate, budget, |_, state| state.guards.tasks.run());
    }

    /// What a turn of `request` may use; `None` if it has ended.
    fn budget(&self, request: RequestId) -> Option<TurnBudget> {
        let requests = self.state.requests.borrow();
        let active = requests.get(&request)?;
        Some(TurnBudget {
            request,
            group: self.group,
            cpu: active
                .limits
                .cpu
                .map(|limit| limit.saturating_sub(active.cpu_used)),
            wall_until: active.limits.wall.map(|limit| active.began + limit),
        })
    }

    fn after_turn(&mut self, isolate: &mut v8::Isolate, request: RequestId, watched: &Watched) {
        if let Some(active) = self.state.requests.borrow_mut().get_mut(&request) {
            active.cpu_used += watched.cpu;
        }
        if watched.fired.is_some() || isolate.is_execution_terminating() {
            isolate.cancel_terminate_execution();
        }
        self.state.guards.heap.restore(isolate);
        if self.state.guards.heap.exceeded() {
            self.health = Health::Condemned;
            self.state.ends.borrow_mut().clear();
            self.fail_all(&Error::limit(LimitKind::Heap));
            return;
        }
        if self.state.panicked.get() {
            self.health = Health::Condemned;
            self.state.ends.borrow_mut().clear();
            self.fail_all(&Error::internal("a native operation panicked"));
            return;
        }
        if let Some(fired) = watched.fired {
            self.health = Health::Retiring;
            self.state
                .ends
                .borrow_mut()
                .retain(|(ended, _)| *ended != request);
            let error = self.fired_error(fired);
            self.end_request(request, error);
        }
        self.carry_out_ends();
        self.check_request(isolate, request);
    }

    fn carry_out_ends(&mut self) {
        let ends = self.state.ends.take();
        for (request, end) in ends {
            match end {
                End::Fail(error) => self.end_request(request, error),
                End::Finish => {
                    let Some(active) = self.state.remove(request) else {
                        continue;
                    };
                    let usage = active.usage(self.state.heap_used_bytes.get());
                    if let Responder::Scheduled(settlement) = active.responder {
                        settlement.settle(Ok(usage));
                    }
                }
                End::Evaluated(bytes) => {
                    let Some(active) = self.state.remove(request) else {
                        continue;
                    };
                    if let Responder::Evaluate(settlement) = active.responder {
                        settlement.settle(Ok(bytes));
                    }
                }
                End::Answer {
                    mut response,
                    finished,
                } => {
                    let responder = {
                        let mut requests = self.state.requests.borrow_mut();
                        let Some(active) = requests.get_mut(&request) else {
                            continue;
                        };
                        response.usage = active.usage(self.state.heap_used_bytes.get());
                        std::mem::replace(&mut active.responder, Responder::Answered)
                    };
                    if finished {
                        self.state.remove(request);
                    }
                    if let Responder::Fetch(settlement) = responder {
                        settlement.settle(Ok(response));
                    }
                }
            }
        }
    }

    fn end_request(&mut self, request: RequestId, error: Error) {
        self.state.fail(request, error.clone());
        if self.loading_request() == Some(request) {
            self.loading_failed(error);
        }
    }

    /// Ends a request that cannot go on, and sets the deadline of one that waits.
    fn check_request(&mut self, isolate: &v8::Isolate, request: RequestId) {
        let mut requests = self.state.requests.borrow_mut();
        let alone = requests.len() == 1;
        let Some(active) = requests.get_mut(&request) else {
            return;
        };
        if active
            .limits
            .cpu
            .is_some_and(|limit| active.cpu_used > limit)
        {
            drop(requests);
            self.end_request(request, Error::limit(LimitKind::Cpu));
            return;
        }
        let unanswered = matches!(active.responder, Responder::Fetch(_));
        // Another request, or a compilation in the background, may still wake this one.
        if unanswered && active.waited && active.pending == 0 && alone && !self.is_loading() {
            let idle = self.state.operations.borrow().is_empty();
            let quiet = idle && !isolate.has_pending_background_tasks();
            if quiet {
                drop(requests);
                let why = "everything the handler waited for has ended, without a Response";
                self.end_request(request, ErrorKind::NoResponse(why.to_owned()).into());
                return;
            }
        }
        if let (false, Some(wall)) = (active.deadline_set, active.limits.wall) {
            active.deadline_set = true;
            let after = wall.saturating_sub(active.began.elapsed());
            self.state
                .scheduler
                .send(SchedulerMessage::Deadline { request, after });
        }
    }

    fn loading_request(&self) -> Option<RequestId> {
        match &self.phase {
            Phase::Loading(loading) => Some(loading.request),
            _ => None,
        }
    }

    /// Ends the loading, where it has not ended already: a limit's error is not overwritten.
    fn loading_failed(&mut self, error: Error) {
        if !self.is_loading() {
            return;
        }
        let failed = Phase::Failed(error.clone());
        if let Phase::Loading(loading) = std::mem::replace(&mut self.phase, failed) {
            self.state.remove(loading.request);
            for start in loading.waiting {
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
                    self.start(isolate, start);
                }
            }
            Some(Err(error)) => self.loading_failed(error),
            None => {}
        }
    }
}

impl Realm {
    fn fired_error(&self, fired: Fired) -> Error {
        match fired {
            Fired::Cpu => Error::limit(LimitKind::Cpu),
            Fired::Wall => Error::limit(LimitKind::Wall),
            Fired::Aborted => ErrorKind::Aborted.into(),
            Fired::Closed => self.owner.closed_error(),
        }
    }

    fn sample_heap(&mut self, isolate: &mut v8::Isolate) {
        if self.turns.is_multiple_of(TURNS_PER_HEAP_SAMPLE) {
            self.state
                .heap_used_bytes
                .set(isolate.get_heap_statistics().used_heap_size());
        }
        self.turns = self.turns.wrapping_add(1);
    }
}

/// A context, its entry function, and the function that makes its globals.
type ContextHandles = (
    v8::Global<v8::Context>,
    v8::Global<v8::Function>,
    v8::Global<v8::Function>,
);

/// A context from the startup snapshot, with the two functions through which it is entered.
fn new_context(
    isolate: &mut v8::Isolate,
    microtasks: &v8::MicrotaskQueue,
    definition: &WorkerDefinition,
) -> Result<ContextHandles, Error> {
    v8::scope!(let scope, isolate);
    let options = v8::ContextOptions {
        microtask_queue: Some(std::ptr::from_ref(microtasks).cast_mut()),
        ..v8::ContextOptions::default()
    };
    let context = v8::Context::new(scope, options);
    context.set_allow_generation_from_strings(definition.codegen);
    let scope = &mut v8::ContextScope::new(scope, context);
    let function = |index| {
        scope
            .get_context_data_from_snapshot_once::<v8::Function>(index)
            .map(|function| v8::Global::new(scope, function))
            .map_err(|error| Error::internal(format!("the startup snapshot: {error}")))
    };
    let (entry, resolve) = (function(snapshot::ENTRY)?, function(snapshot::RESOLVE)?);
    Ok((v8::Global::new(scope, context), entry, resolve))
}

/// Reports the rejections that the turn left without a handler.
fn report_unhandled(scope: &mut v8::PinScope<'_, '_>, state: &RealmState) {
    if state.unhandled.borrow().is_empty() {
        return;
    }
    for (_, reason) in state.unhandled.take() {
        let reason = v8::Local::new(scope, reason);
        let guest = exception::describe(scope, reason);
        let text = if guest.stack.is_empty() {
            format!("{}: {}", guest.name, guest.message)
        } else {
            guest.stack
        };
        state.log(LogLevel::Error, format!("Uncaught (in promise) {text}"));
    }
}

/// A realm on the thread that has its isolate entered: what the event loop drives.
pub(crate) struct EnteredRealm<'a> {
    pub(crate) isolate: &'a mut v8::Isolate,
    pub(crate) realm: &'a mut Realm,
    pub(crate) definition: &'a WorkerDefinition,
}

impl EventLoopRuntime for EnteredRealm<'_> {
    fn callback_rx_mut(&mut self) -> &mut CallbackReceiver {
        &mut self.realm.callbacks
    }

    fn process_callback(&mut self, msg: CallbackMessage) {
        self.realm.process_callback(self.isolate, msg);
        self.realm.advance_loading(self.isolate, self.definition);
    }

    fn pump_and_checkpoint(&mut self) {
        self.realm.housekeep(self.isolate);
        self.realm.advance_loading(self.isolate, self.definition);
    }
}
