//! What runs guests: contexts, their requests, modules and web APIs. [`Runtime`] is the simplest
//! owner of them: an isolate, one context and the event loop, on one thread.

pub(crate) mod active_request;
pub(crate) mod answers;
mod builtin_modules;
pub(crate) mod code_cache;
mod ends;
pub(crate) mod entered_realm;
pub(crate) mod events;
pub(crate) mod exception;
pub(crate) mod families;
mod handle;
mod loading;
pub(crate) mod module_kinds;
pub(crate) mod modules;
pub(crate) mod popular_families;
pub(crate) mod realm;
pub(crate) mod realm_state;
pub(crate) mod snapshot;
pub(crate) mod stopping;
mod subrequests;
pub(crate) mod ticket;
mod turns;
mod unclaimed_realm;
pub(crate) mod values;
pub(crate) mod web;

pub use handle::{HeapStatistics, RuntimeHandle};

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::Context;

use isolane_scheduler::{CallbackMessage, CallbackReceiver, RequestId, next_id};

use crate::definition::{Outbound, WorkerDefinition};
use crate::error::{Error, Owner};
use crate::event_loop::{EventLoopRuntime, SchedulerGone, drain_and_process};
use crate::isolate_params::GuardedIsolate;
use crate::limits::Limits;
use crate::limits::rescue::Bystanders;
use crate::platform;
use crate::request::{LogSink, RunOptions};
use crate::settlement::RunFuture;

use active_request::Responder;
use entered_realm::EnteredRealm;
use events::{Event, StartRequest, Starting};
use popular_families::popular;
use realm::{Health, Realm, RealmOptions};
use ticket::Ticket;

thread_local! {
    /// Whether an isolate is entered on this thread for as long as its owner lives.
    static CLAIMED: Cell<bool> = const { Cell::new(false) };
}

/// The right to enter an isolate on this thread; there is one a thread, because isolates that are
/// entered automatically could otherwise be dropped in the wrong order.
#[derive(Debug)]
pub(crate) struct ThreadClaim(PhantomData<*const ()>);

impl ThreadClaim {
    pub(crate) fn take() -> Result<Self, Error> {
        let wrong = |got| {
            Err(Error::invalid_arg(
                "thread",
                "an isolate thread without isolate",
                got,
            ))
        };
        if !platform::is_isolate_thread() {
            return wrong("a thread that isolane::platform::spawn did not make");
        }
        if CLAIMED.replace(true) {
            return wrong("a thread that has an isolate already");
        }
        Ok(Self(PhantomData))
    }
}

impl Drop for ThreadClaim {
    fn drop(&mut self) {
        CLAIMED.set(false);
    }
}

/// How a [`Runtime`] is set up.
#[derive(Clone, Default)]
pub struct RuntimeOptions {
    /// Limits of each evaluation, and of the isolate.
    pub limits: Limits,
    /// Where the guest's console goes.
    pub on_log: Option<LogSink>,
    /// Whether `eval` and `new Function` work.
    pub codegen: bool,
    /// Where `fetch` may go.
    pub outbound: Outbound,
}

/// An isolate with one context and its event loop, bound to the thread that made it.
///
/// The thread must have been made by [`platform::spawn`], and may have no other isolate. From other
/// threads, use [`RuntimeHandle`].
pub struct Runtime {
    // In this order: what refers to the isolate goes before it, the claim last.
    realm: Realm,
    isolate: GuardedIsolate,
    definition: Arc<WorkerDefinition>,
    buffer: Vec<CallbackMessage>,
    _claim: ThreadClaim,
}

impl Runtime {
    /// Makes an isolate and a context in which nothing has run.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG` on a thread that cannot have an isolate, see [`Runtime`].
    pub fn new(options: RuntimeOptions) -> Result<Self, Error> {
        Self::in_group(options, 0)
    }

    /// As [`Runtime::new`], in the group whose turns the watchdog ends when it is closed.
    pub(crate) fn in_group(options: RuntimeOptions, group: u64) -> Result<Self, Error> {
        let mut definition = WorkerDefinition::script("");
        definition.codegen = options.codegen;
        definition.outbound = options.outbound;
        let definition = Arc::new(definition);
        Self::with_definition(
            definition,
            options.limits,
            options.on_log,
            (Owner::Runtime, group),
        )
    }

    pub(crate) fn with_definition(
        definition: Arc<WorkerDefinition>,
        limits: Limits,
        on_log: Option<LogSink>,
        (owner, group): (Owner, u64),
    ) -> Result<Self, Error> {
        let claim = ThreadClaim::take()?;
        let mut isolate = GuardedIsolate::new(&limits);
        let guards = isolate.guards().clone();
        let options = RealmOptions {
            definition: definition.clone(),
            worker_id: None,
            on_log,
            limits,
            group,
            owner,
        };
        let realm = Realm::new(&mut isolate, &guards, options)?;
        Ok(Self {
            realm,
            isolate,
            definition,
            buffer: Vec::new(),
            _claim: claim,
        })
    }

    /// Runs a script; the answer is its value, in V8's structured clone wire format. A promise is
    /// waited for, while [`Runtime::poll`] drives the event loop.
    pub fn evaluate(
        &mut self,
        source: impl Into<String>,
        filename: Option<String>,
        options: RunOptions,
    ) -> RunFuture<bytes::Bytes> {
        let id = next_id();
        let (future, settlement) = RunFuture::new(id, None);
        let event = Event::Evaluate {
            source: source.into(),
            filename: filename.unwrap_or_else(|| "script.js".to_owned()),
        };
        self.start(id, event, Responder::Evaluate(settlement), options);
        future
    }

    pub(crate) fn start(
        &mut self,
        id: RequestId,
        event: Event,
        responder: Responder,
        options: RunOptions,
    ) {
        let starting = Starting {
            id,
            responder,
            limits: options.limits.map(Box::new),
            on_log: options.on_log,
            start: crate::request::Start::Isolate,
            ticket: Ticket::default(),
        };
        let request = StartRequest::new(starting, event.into());
        self.realm.start(&mut self.isolate, request);
    }

    /// Who waits for this runtime and can be answered from outside.
    pub(crate) fn bystanders(&self) -> &Bystanders {
        &self.isolate.guards().bystanders
    }

    pub(crate) fn load(&mut self) {
        let definition = self.definition.clone();
        self.realm.load(&mut self.isolate, &definition);
    }

    /// Has what a request uses made, before the worker loads.
    pub(crate) fn rehearse(&mut self) {
        self.realm.rehearse(&mut self.isolate, popular());
    }

    /// Whether the worker's modules have been evaluated, and left an isolate that may go on.
    pub(crate) fn has_loaded(&self) -> bool {
        !self.realm.is_loading()
            && self.realm.failure().is_none()
            && self.realm.health() == Health::Good
    }

    pub(crate) fn abort(&mut self, request: RequestId, error: &Error) {
        self.realm.abort(&mut self.isolate, request, error);
    }

    pub(crate) fn fail_all(&mut self, error: &Error) {
        self.realm.fail_all(error);
    }

    /// How many evaluations and requests have not ended.
    pub fn active(&self) -> usize {
        self.realm.active()
    }

    /// Whether a limit ended what ran here: the runtime is then to be dropped.
    pub fn is_condemned(&self) -> bool {
        self.realm.health() == Health::Condemned
    }

    /// Processes what has arrived for this runtime and registers `cx` to be woken by what follows.
    ///
    /// # Errors
    ///
    /// [`SchedulerGone`] where nothing can arrive any more.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Result<(), SchedulerGone> {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.isolate.guards().tasks.register(cx.waker());
        let outcome = drain_and_process(cx, self, &mut buffer);
        self.realm.tell_of_parked();
        self.buffer = buffer;
        outcome
    }

    pub(crate) fn heap_statistics(&mut self) -> HeapStatistics {
        HeapStatistics::of(&mut self.isolate)
    }

    fn entered(&mut self) -> EnteredRealm<'_> {
        EnteredRealm {
            isolate: &mut self.isolate,
            realm: &mut self.realm,
            definition: &self.definition,
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if self.realm.has_served() {
            self.realm.keep_code(&mut self.isolate);
            self.realm.note_families();
        }
    }
}

impl EventLoopRuntime for Runtime {
    fn callback_rx_mut(&mut self) -> &mut CallbackReceiver {
        self.realm.callbacks_mut()
    }

    fn process_callback(&mut self, msg: CallbackMessage) {
        self.entered().process_callback(msg);
    }

    fn pump_and_checkpoint(&mut self) {
        self.entered().pump_and_checkpoint();
    }
}
