//! What the native operations of one context share: who it is, what its requests may still use, and
//! what they wait for. Touched only by the thread that holds the isolate, inside a turn.
//!
//! The state hangs off the isolate (not off the context: embedder data needs weak handles, which
//! isolates that can be locked do not support) for the time of a turn; see [`RealmState::enter`].

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use isolane_scheduler::{
    BodyReader, CallbackId, FetchClient, IdMap, RequestId, SchedulerHandle, SchedulerMessage,
    StreamError, next_id,
};

use crate::cache::CacheStore;
use crate::crypto::Output;
use crate::definition::{HostCodec, HostFunction};
use crate::error::{Error, ErrorKind};
use crate::isolate_params::IsolateGuards;
use crate::process;
use crate::request::{LogEntry, LogLevel, LogSink};
use crate::settlement::SentResponse;

use super::active_request::ActiveRequest;
use super::families::{self, FamilyToKeep};
use super::modules::ModuleMap;
use super::popular_families::FamilySet;
use super::web::cache::CacheSlot;
use super::web::compression::OpenCodec;

/// The isolate's data slot that points to the realm whose turn runs.
const REALM_SLOT: u32 = 0;

/// How many answers of the host a request may wait for when it calls a host function or sets a timer; more is a
/// mistake, or an attack.
const MAX_PENDING: usize = 10_000;

/// How many answers of the host a request may wait for when it asks for long work.
const MAX_COMPUTING: usize = 1000;

/// What an awaited answer belongs to.
pub(crate) struct Operation {
    pub(crate) request: RequestId,
    pub(crate) kind: OperationKind,
    /// Where its id is among those of its request.
    at: usize,
}

/// The kinds of asynchronous operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OperationKind {
    Timer,
    Fetch,
    Stream,
    HostCall(HostCodec),
    Compute,
    Cache,
}

/// What a turn said about a request; carried out when the turn is over and charged.
pub(crate) enum End {
    /// The `fetch` handler's answer. Not the end where a stream or `waitUntil` goes on.
    Answer {
        response: SentResponse,
        finished: bool,
    },
    /// Nothing of the request goes on.
    Finish,
    /// What `Runtime::evaluate` asked for.
    Evaluated(bytes::Bytes),
    Fail(Error),
}

type Rejection = (v8::Global<v8::Promise>, v8::Global<v8::Value>);

/// What a realm has of the worker that it runs, beside its modules.
pub(crate) struct WorkerParts {
    pub(crate) id: Option<Arc<str>>,
    pub(crate) client: Arc<dyn FetchClient>,
    pub(crate) on_log: Option<LogSink>,
    pub(crate) host_functions: Vec<HostFunction>,
    pub(crate) cache_store: Arc<dyn CacheStore>,
}

/// The state behind one context.
pub(crate) struct RealmState {
    pub(crate) context: v8::Global<v8::Context>,
    pub(crate) entry: v8::Global<v8::Function>,
    pub(crate) resolve: v8::Global<v8::Function>,
    pub(crate) scheduler: SchedulerHandle,
    pub(crate) worker: WorkerParts,
    pub(crate) guards: IsolateGuards,
    /// Where the answers of caches will be, by the operations that wait for them.
    pub(crate) cache_answers: RefCell<IdMap<CacheSlot>>,
    pub(crate) modules: RefCell<ModuleMap>,
    pub(crate) families_to_keep: RefCell<Vec<FamilyToKeep>>,
    /// What the worker has used here.
    pub(crate) families_used: Cell<FamilySet>,
    pub(crate) origin: Instant,
    pub(crate) origin_unix_ms: f64,
    /// The request that the running turn is charged to.
    pub(crate) current: Cell<RequestId>,
    pub(crate) heap_used_bytes: Cell<usize>,
    /// A limit ended a request since this was last asked.
    pub(crate) limited: Cell<bool>,
    /// An operation panicked in this turn.
    pub(crate) panicked: Cell<bool>,
    pub(crate) requests: RefCell<IdMap<ActiveRequest>>,
    pub(crate) operations: RefCell<IdMap<Operation>>,
    /// Operations of ended requests, whose callbacks the guest side still holds.
    pub(crate) orphaned: RefCell<Vec<CallbackId>>,
    pub(crate) unhandled: RefCell<Vec<Rejection>>,
    /// Whether a rejection was ever reported here, so that somebody may handle it late.
    pub(crate) has_reported: Cell<bool>,
    /// Promises that got their handler after the turn in which they were rejected.
    pub(crate) handled_late: RefCell<Vec<v8::Global<v8::Promise>>>,
    pub(crate) ends: RefCell<Vec<(RequestId, End)>>,
    /// The requests whose responses' bodies still stream, by the stream.
    pub(crate) response_streams: RefCell<IdMap<RequestId>>,
    /// Outgoing streams that no response or fetch has taken yet.
    pub(crate) outgoing: RefCell<IdMap<BodyReader>>,
    /// What compression streams are in the middle of.
    pub(crate) codecs: RefCell<IdMap<OpenCodec>>,
    /// Keys that long work made, until the guest side takes them.
    pub(crate) made_keys: RefCell<IdMap<(RequestId, Output)>>,
}

impl RealmState {
    /// The state of the realm whose turn runs, if `scope` is in its context.
    pub(crate) fn of<'a>(scope: &v8::PinScope<'a, '_>) -> Option<&'a Self> {
        let pointer = scope.get_data(REALM_SLOT).cast::<Self>().cast_const();
        // SAFETY: `enter` sets the pointer for the time of a turn to a state that outlives it, and
        // operations run only inside turns; 'a is a handle scope inside that turn.
        let state = unsafe { pointer.as_ref() }?;
        // Another context of this isolate may still have a callback of V8's own (a finalizer, say).
        (state.context == scope.get_current_context()).then_some(state)
    }

    /// Makes this the isolate's running realm until [`RealmState::leave`].
    pub(crate) fn enter(&self, isolate: &mut v8::Isolate, request: RequestId) {
        self.current.set(request);
        process::note_turn(request);
        isolate.set_data(REALM_SLOT, std::ptr::from_ref(self).cast_mut().cast());
    }

    /// No realm of the isolate runs after this.
    pub(crate) fn leave(isolate: &mut v8::Isolate) {
        process::note_turn(0);
        isolate.set_data(REALM_SLOT, std::ptr::null_mut());
    }

    /// The value of a global that the guest side makes at its first use; undefined where it makes none of
    /// that name.
    pub(crate) fn resolve<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        global: &str,
    ) -> Option<v8::Local<'s, v8::Value>> {
        let undefined = v8::undefined(scope).into();
        let Some(family) = families::family_of(global) else {
            return Some(undefined);
        };
        let family = v8::String::new(scope, family)?.into();
        let global = v8::String::new(scope, global)?.into();
        let resolve = v8::Local::new(scope, &self.resolve);
        resolve.call(scope, undefined, &[family, global])
    }

    /// Begins an operation of the current request; its answer comes under the returned id.
    pub(crate) fn begin(&self, kind: OperationKind) -> CallbackId {
        let (id, request) = (next_id(), self.current.get());
        if let Some(active) = self.requests.borrow_mut().get_mut(&request) {
            active.waited = true;
            let at = active.operations.len();
            active.operations.push(id);
            self.operations
                .borrow_mut()
                .insert(id, Operation { request, kind, at });
        }
        id
    }

    /// Whether the current request may call the host once more.
    pub(crate) fn may_call_host(&self) -> bool {
        self.waits_for_less_than(MAX_PENDING)
    }

    /// Whether the current request may ask for one more piece of long work.
    pub(crate) fn may_compute(&self) -> bool {
        self.waits_for_less_than(MAX_COMPUTING)
    }

    /// Whether the turn may set one more timer, also one that is no request's.
    pub(crate) fn may_set_timer(&self) -> bool {
        self.pending().is_none_or(|pending| pending < MAX_PENDING)
    }

    fn waits_for_less_than(&self, most: usize) -> bool {
        self.pending().is_some_and(|pending| pending < most)
    }

    /// How many answers the current request waits for, if there is one.
    fn pending(&self) -> Option<usize> {
        let requests = self.requests.borrow();
        let active = requests.get(&self.current.get())?;
        Some(active.operations.len())
    }

    /// Ends an operation: its answer came, or it was cancelled. `None`: it had ended before.
    pub(crate) fn end(&self, id: CallbackId) -> Option<Operation> {
        let mut operations = self.operations.borrow_mut();
        let operation = operations.remove(&id)?;
        if let Some(active) = self.requests.borrow_mut().get_mut(&operation.request) {
            active.operations.swap_remove(operation.at);
            // The last one has taken its place.
            let moved = active.operations.get(operation.at);
            if let Some(moved) = moved.and_then(|moved| operations.get_mut(moved)) {
                moved.at = operation.at;
            }
        }
        Some(operation)
    }

    /// Answers a request with a failure and ends it.
    pub(crate) fn fail(&self, request: RequestId, error: Error) {
        let stream = self
            .requests
            .borrow_mut()
            .get_mut(&request)
            .and_then(|active| {
                // Before the request's streams are cancelled: its reader is to learn why.
                active.response_stream.take()
            });
        if let Some(stream) = stream {
            self.response_streams.borrow_mut().remove(&stream);
            let why = format!("{}: {error}", error.code());
            self.scheduler
                .fail_stream(stream, StreamError::Guest(why.into()));
        }
        let Some(active) = self.remove(request) else {
            return;
        };
        if matches!(error.kind(), ErrorKind::Limit(_)) {
            self.limited.set(true);
        }
        let usage = active.usage(Instant::now(), self.heap_used_bytes.get());
        active.responder.fail(error.with_usage(usage));
    }

    /// Takes a request out and cancels all that it still waits for.
    pub(crate) fn remove(&self, request: RequestId) -> Option<ActiveRequest> {
        let active = self.requests.borrow_mut().remove(&request)?;
        self.codecs
            .borrow_mut()
            .retain(|_, codec| codec.request != request);
        if let Some(stream) = active.response_stream {
            self.response_streams.borrow_mut().remove(&stream);
        }
        if active.waited || active.deadline_set || active.response_stream.is_some() {
            self.guards.bystanders.remove(request);
            self.made_keys
                .borrow_mut()
                .retain(|_, (owner, _)| *owner != request);
            let mut operations = self.operations.borrow_mut();
            for id in &active.operations {
                let ended = operations.remove(id);
                if ended.is_some_and(|ended| ended.kind == OperationKind::Cache) {
                    self.cache_answers.borrow_mut().remove(id);
                }
            }
            self.orphaned
                .borrow_mut()
                .extend_from_slice(&active.operations);
            self.scheduler
                .send(SchedulerMessage::CancelRequest { request });
        }
        for stream in &active.incoming {
            self.scheduler
                .send(SchedulerMessage::CancelStream { stream: *stream });
        }
        Some(active)
    }

    /// Writes a console message to where the current request's go.
    pub(crate) fn log(&self, level: LogLevel, message: String) {
        let request_id = self.current.get();
        let own = self
            .requests
            .borrow()
            .get(&request_id)
            .and_then(|active| active.on_log.clone());
        let Some(sink) = own.or_else(|| self.worker.on_log.clone()) else {
            return;
        };
        sink(LogEntry {
            level,
            message,
            worker_id: self.worker.id.clone(),
            request_id,
            timestamp_ms: unix_ms(),
        });
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn unix_ms() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
        * 1e3
}
