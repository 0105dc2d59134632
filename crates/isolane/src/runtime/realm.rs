//! One context with all that belongs to it: its state, its microtask queue, its channel from the
//! scheduler, its requests. Every mode runs guests through this; they differ in who owns the isolate
//! and which thread it is entered on.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use isolane_scheduler::{CallbackReceiver, RequestId};

use crate::definition::WorkerDefinition;
use crate::error::{Error, Owner};
use crate::isolate_params::IsolateGuards;
use crate::limits::Limits;
use crate::limits::rescue::Unanswered;
use crate::limits::thread_clock::CpuMark;
use crate::limits::watchdog::TurnBudget;
use crate::outbound;
use crate::request::LogSink;

use super::active_request::ActiveRequest;
use super::events::{self, StartRequest, Starting};
use super::loading::Phase;
use super::modules::ModuleMap;
use super::realm_state::{RealmState, WorkerParts, unix_ms};
use super::snapshot;
use super::web::wasm;

/// What an aborted request's listeners may use.
const LAST_TURN_CPU: Duration = Duration::from_millis(10);

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

/// What a realm is made from.
pub(crate) struct RealmOptions {
    pub(crate) definition: Arc<WorkerDefinition>,
    pub(crate) worker_id: Option<Arc<str>>,
    pub(crate) on_log: Option<LogSink>,
    /// Those of its requests that have none of their own, and of its modules' evaluation.
    pub(crate) limits: Limits,
    /// Whose turns the watchdog may be asked to end together; 0 for none.
    pub(crate) group: u64,
    pub(crate) owner: Owner,
}

impl RealmOptions {
    pub(super) fn worker_parts(&self) -> Result<WorkerParts, Error> {
        Ok(WorkerParts {
            id: self.worker_id.clone(),
            client: outbound::client(&self.definition.outbound)?,
            on_log: self.on_log.clone(),
            host_functions: events::host_functions(&self.definition),
            cache_store: self.definition.caches.store().clone(),
        })
    }
}

/// One context and its requests.
pub(crate) struct Realm {
    pub(super) state: Box<RealmState>,
    pub(super) callbacks: CallbackReceiver,
    pub(super) microtasks: v8::MicrotaskQueueHandle,
    pub(super) phase: Phase,
    pub(super) health: Health,
    /// The request whose last turn runs, and why it ends.
    pub(super) ending: Option<(RequestId, Error)>,
    /// Why the isolate was given up, once it was.
    pub(super) condemned_by: Option<Error>,
    pub(super) limits: Limits,
    pub(super) group: u64,
    pub(super) owner: Owner,
    pub(super) turns: u32,
    /// The requests that their first turn has left without an end.
    pub(super) parked: Vec<RequestId>,
    /// Whether a request has begun here.
    has_served: bool,
}

impl Realm {
    /// Makes a context on `isolate`, which is entered on this thread; nothing of the worker runs yet.
    pub(crate) fn new(
        isolate: &mut v8::Isolate,
        guards: &IsolateGuards,
        options: RealmOptions,
    ) -> Result<Self, Error> {
        let worker = options.worker_parts()?;
        let microtasks = v8::MicrotaskQueue::new(isolate, v8::MicrotasksPolicy::Explicit);
        let (scheduler, callbacks) = outbound::scheduler().connect();
        let (context, entry, resolve) =
            new_context(isolate, &microtasks, options.definition.codegen)?;
        let state = Box::new(RealmState {
            context,
            entry,
            resolve,
            scheduler,
            worker,
            guards: guards.clone(),
            cache_answers: RefCell::default(),
            panicked: Cell::new(false),
            modules: RefCell::new(ModuleMap::new(options.definition)),
            families_to_keep: RefCell::default(),
            families_used: Cell::default(),
            origin: Instant::now(),
            origin_unix_ms: unix_ms(),
            current: Cell::new(0),
            heap_used_bytes: Cell::new(0),
            limited: Cell::new(false),
            requests: RefCell::default(),
            operations: RefCell::default(),
            orphaned: RefCell::default(),
            unhandled: RefCell::default(),
            has_reported: Cell::new(false),
            handled_late: RefCell::default(),
            ends: RefCell::new(Vec::with_capacity(1)),
            response_streams: RefCell::default(),
            outgoing: RefCell::default(),
            codecs: RefCell::default(),
            made_keys: RefCell::default(),
        });
        Ok(Self {
            state,
            callbacks,
            microtasks,
            phase: Phase::Ready,
            health: Health::Good,
            ending: None,
            condemned_by: None,
            limits: options.limits,
            group: options.group,
            owner: options.owner,
            turns: 0,
            parked: Vec::new(),
            has_served: false,
        })
    }

    /// Why the worker did not load, if it did not.
    pub(crate) fn failure(&self) -> Option<&Error> {
        match &self.phase {
            Phase::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Whether a request has begun here, so that the next one could see what it left.
    pub(crate) fn has_served(&self) -> bool {
        self.has_served
    }

    /// Whether top-level await still keeps the worker's modules.
    pub(crate) fn is_loading(&self) -> bool {
        matches!(self.phase, Phase::Loading(_))
    }

    pub(crate) fn health(&self) -> Health {
        self.health
    }

    /// Why the isolate is condemned, if this realm is why.
    pub(crate) fn condemned_by(&self) -> Option<&Error> {
        self.condemned_by.as_ref()
    }

    /// How many requests run here or wait for the worker to load.
    pub(crate) fn active(&self) -> usize {
        let waiting = match &self.phase {
            Phase::Loading(loading) => loading.waiting.len(),
            _ => 0,
        };
        self.state.requests.borrow().len() + waiting
    }

    /// Whether a limit ended a request since this was last asked.
    pub(crate) fn take_limited(&self) -> bool {
        self.state.limited.take()
    }

    pub(crate) fn heap_used_bytes(&self) -> usize {
        self.state.heap_used_bytes.get()
    }

    pub(crate) fn note_heap(&self, used_bytes: usize) {
        self.state.heap_used_bytes.set(used_bytes);
    }

    pub(crate) fn state(&self) -> &RealmState {
        &self.state
    }

    pub(crate) fn callbacks_mut(&mut self) -> &mut CallbackReceiver {
        &mut self.callbacks
    }

    /// Runs the first turn of a request, or keeps it until the worker has loaded.
    pub(crate) fn start(&mut self, isolate: &mut v8::Isolate, start: StartRequest) {
        self.has_served = true;
        match &mut self.phase {
            Phase::Loading(loading) => {
                if let Some(who) = start.responder.unanswered() {
                    self.state.guards.bystanders.add(start.id, who);
                }
                loading.waiting.push(start);
            }
            Phase::Failed(error) => start.fail(error.clone()),
            Phase::Ready => {
                let (starting, mut event) = start.open();
                let Starting {
                    id,
                    responder,
                    limits,
                    on_log,
                    start,
                    ticket,
                } = starting;
                let begin = CpuMark::now();
                let limits = limits.map_or(self.limits, |own| *own);
                let mut active = ActiveRequest::new(responder, limits, begin.time());
                active.on_log = on_log;
                active.start = start;
                ticket.began();
                active.ticket = ticket;
                self.state.requests.borrow_mut().insert(id, active);
                self.turn_from(begin, isolate, id, |scope, state| {
                    events::forget_orphaned(scope, state);
                    events::dispatch(scope, state, id, event.get_mut());
                    if let Some(active) = state.requests.borrow_mut().get_mut(&id) {
                        active.responder.leave(event.into_leftovers());
                    }
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
            begin: CpuMark::now(),
            // An abort that is still on its way to the watchdog must not find this turn.
            request: 0,
            current: self.unanswered(request),
            owner: self.owner,
            group: self.group,
            cpu: Some(LAST_TURN_CPU),
            wall_until: None,
        };
        self.ending = Some((request, error.clone()));
        self.watched_turn(isolate, request, budget, |scope, state| {
            events::abort(scope, state, request)
        });
        self.ending = None;
        self.state.fail(request, error.clone());
        if self.loading_request() == Some(request) {
            self.loading_failed(error.clone());
        }
    }

    fn unanswered(&self, request: RequestId) -> Option<Arc<dyn Unanswered>> {
        let requests = self.state.requests.borrow();
        requests
            .get(&request)
            .and_then(|active| active.responder.unanswered())
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

    /// Runs V8's own foreground tasks and what they queued.
    ///
    /// Guest code may run here: finalizers, what a background compilation starts. V8 does not say whose
    /// it is. Where one request is active it is charged to that one, else to all of them alike.
    pub(crate) fn housekeep(&mut self, isolate: &mut v8::Isolate) {
        let has_tasks = self.state.guards.tasks.has_ready();
        match self.only_request() {
            Some(request) if has_tasks => {
                self.turn(isolate, request, |_, state| state.guards.tasks.run());
            }
            // What it waits for may have ended without a turn of its own.
            Some(request) => self.check_request(isolate, request),
            None if has_tasks => self.run_tasks_for_all(isolate),
            None => {}
        }
    }

    /// Has the guest side drop what ended requests have left with it, which it does else before the next one begins.
    pub(crate) fn forget_orphaned(&mut self, isolate: &mut v8::Isolate) {
        if !self.state.orphaned.borrow().is_empty() {
            let budget = self.own_budget();
            self.watched_turn(isolate, 0, budget, |scope, state| {
                events::forget_orphaned(scope, state);
            });
        }
    }

    /// The request that runs here, where it is the only one.
    fn only_request(&self) -> Option<RequestId> {
        let requests = self.state.requests.borrow();
        let first = requests.keys().next().copied();
        first.filter(|_| requests.len() == 1)
    }

    fn run_tasks_for_all(&mut self, isolate: &mut v8::Isolate) {
        let budget = self.own_budget();
        let used = self.watched_turn(isolate, 0, budget, |_, state| state.guards.tasks.run());
        let active: Vec<RequestId> = self.state.requests.borrow().keys().copied().collect();
        for request in active {
            self.charge(request, used);
            self.check_request(isolate, request);
        }
    }

    /// A turn's budget that is no request's.
    pub(super) fn own_budget(&self) -> TurnBudget {
        TurnBudget {
            begin: CpuMark::now(),
            request: 0,
            current: None,
            owner: self.owner,
            group: self.group,
            cpu: Limits::default().cpu,
            wall_until: None,
        }
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
    codegen: bool,
) -> Result<ContextHandles, Error> {
    v8::scope!(let scope, isolate);
    let options = v8::ContextOptions {
        microtask_queue: Some(std::ptr::from_ref(microtasks).cast_mut()),
        ..v8::ContextOptions::default()
    };
    let context = v8::Context::new(scope, options);
    context.set_allow_generation_from_strings(codegen);
    let scope = &mut v8::ContextScope::new(scope, context);
    wasm::install(scope).ok_or_else(|| Error::internal("a global could not be installed"))?;
    let function = |index| {
        scope
            .get_context_data_from_snapshot_once::<v8::Function>(index)
            .map(|function| v8::Global::new(scope, function))
            .map_err(|error| Error::internal(format!("the startup snapshot: {error}")))
    };
    let (entry, resolve) = (function(snapshot::ENTRY)?, function(snapshot::RESOLVE)?);
    Ok((v8::Global::new(scope, context), entry, resolve))
}
