//! A disposable context on a [`SharedIsolate`]: module state and globals of its own, in tens of
//! microseconds. Bound to the isolate's thread.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use isolane_scheduler::{CallbackMessage, CallbackReceiver, RequestId, next_id};

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind, Owner};
use crate::event_loop::{EventLoopRuntime, SchedulerGone, drain_and_process};
use crate::limits::LimitKind;
use crate::request::{LogSink, Request, Response, RunOptions, ScheduledEvent, Start, Usage};
use crate::runtime::active_request::Responder;
use crate::runtime::entered_realm::EnteredRealm;
use crate::runtime::events::{Event, StartRequest, Starting};
use crate::runtime::modules;
use crate::runtime::realm::{Health, Realm, RealmOptions};
use crate::runtime::ticket::Ticket;
use crate::settlement::{Received, RunFuture};
use crate::shared_isolate::SharedIsolate;
use crate::validation;

/// One worker in a context of its own on a shared isolate.
///
/// # Examples
///
/// ```
/// use isolane::{ExecutionContext, Request, RunOptions, SharedIsolate, SharedIsolateOptions};
///
/// let thread = isolane::platform::spawn("guests", || {
///     let isolate = SharedIsolate::new(SharedIsolateOptions::default())?;
///     let script = "export default { fetch: () => new Response('hi') }";
///     let mut context = ExecutionContext::new(&isolate, script)?;
///     let request = Request::get("http://worker.test/");
///     futures_executor::block_on(context.fetch(request, RunOptions::default()))
/// })?;
/// let response = thread.join().expect("no panic")?;
/// assert_eq!(response.status, 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ExecutionContext {
    // The context goes before the isolate it is on.
    realm: Option<Realm>,
    shared: SharedIsolate,
    definition: Arc<WorkerDefinition>,
    used: bool,
    buffer: Vec<CallbackMessage>,
}

impl ExecutionContext {
    /// Makes a context and begins to evaluate the worker's modules in it.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG`, `ERR_WORKER_SYNTAX`, `ERR_WORKER_EXCEPTION`, or the limit that ended it.
    /// With top-level await, the modules' failure is that of the first request.
    pub fn new(
        isolate: &SharedIsolate,
        worker: impl Into<WorkerDefinition>,
    ) -> Result<Self, Error> {
        Self::with_log(isolate, worker.into(), None)
    }

    pub(crate) fn with_log(
        isolate: &SharedIsolate,
        worker: WorkerDefinition,
        on_log: Option<LogSink>,
    ) -> Result<Self, Error> {
        modules::validate(&worker)?;
        if isolate.is_condemned() {
            return Err(Error::limit(LimitKind::Heap));
        }
        let definition = Arc::new(worker);
        let options = RealmOptions {
            definition: definition.clone(),
            worker_id: None,
            on_log,
            limits: definition.limits.unwrap_or(isolate.0.limits),
            group: isolate.0.group,
            owner: Owner::SharedIsolate,
        };
        let realm = {
            let mut entered = isolate.0.isolate.borrow_mut();
            let unclaimed = isolate.0.unclaimed.take();
            let mut realm = Realm::for_worker(unclaimed, &mut entered, &isolate.0.guards, options)?;
            realm.load(&mut entered, &definition);
            realm
        };
        let mut context = Self {
            realm: Some(realm),
            shared: isolate.clone(),
            definition,
            used: false,
            buffer: Vec::new(),
        };
        context.note_health();
        match context.realm.as_ref().and_then(Realm::failure) {
            Some(error) => Err(error.clone()),
            None => Ok(context),
        }
    }

    /// Runs the `fetch` handler, driving the event loop until it answers.
    ///
    /// What goes on after the answer (a streamed body, `waitUntil`) goes on while
    /// [`ExecutionContext::run_until_idle`] or another request is awaited.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future aborts the request.
    ///
    /// # Errors
    ///
    /// Whatever ends the request without an answer.
    pub async fn fetch(
        &mut self,
        request: Request,
        options: RunOptions,
    ) -> Result<Response, Error> {
        let request = validation::request(request)?;
        let (future, settlement) = RunFuture::new(next_id(), None);
        self.run(
            Event::Fetch(request),
            Responder::Fetch(settlement),
            options,
            future,
        )
        .await
    }

    /// Runs the `scheduled` handler, driving the event loop until all of it has ended.
    ///
    /// # Errors
    ///
    /// Whatever ends the event before its handler has.
    pub async fn scheduled(
        &mut self,
        event: ScheduledEvent,
        options: RunOptions,
    ) -> Result<Usage, Error> {
        let (future, settlement) = RunFuture::new(next_id(), None);
        self.run(
            Event::Scheduled(event),
            Responder::Scheduled(settlement),
            options,
            future,
        )
        .await
    }

    /// Drives the event loop until nothing of any request goes on.
    pub async fn run_until_idle(&mut self) {
        std::future::poll_fn(|cx| {
            let gone = self.poll(cx).is_err();
            if gone || self.active() == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Processes what has arrived for this context and registers `cx` to be woken by what follows.
    ///
    /// # Errors
    ///
    /// [`SchedulerGone`] where nothing can arrive any more.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Result<(), SchedulerGone> {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.shared.0.guards.tasks.register(cx.waker());
        let outcome = drain_and_process(cx, self, &mut buffer);
        if let Some(realm) = &mut self.realm {
            realm.tell_of_parked();
        }
        self.buffer = buffer;
        outcome
    }

    /// How many requests have not ended.
    pub fn active(&self) -> usize {
        self.realm.as_ref().map_or(0, Realm::active)
    }

    pub(crate) fn is_loading(&self) -> bool {
        self.realm.as_ref().is_some_and(Realm::is_loading)
    }

    pub(crate) fn failure(&self) -> Option<Error> {
        self.realm.as_ref().and_then(Realm::failure).cloned()
    }

    pub(crate) fn start(
        &mut self,
        id: RequestId,
        event: Event,
        responder: Responder,
        options: RunOptions,
    ) {
        if self.shared.is_condemned() {
            return responder.fail(Error::limit(LimitKind::Heap));
        }
        let starting = Starting {
            id,
            responder,
            limits: options.limits.map(Box::new),
            on_log: options.on_log,
            start: if self.used {
                Start::Warm
            } else {
                Start::Context
            },
            ticket: Ticket::default(),
        };
        self.used = true;
        let start = StartRequest::new(starting, event.into());
        self.with_realm(|realm, isolate, _| realm.start(isolate, start));
    }

    pub(crate) fn abort(&mut self, request: RequestId, error: &Error) {
        self.with_realm(|realm, isolate, _| realm.abort(isolate, request, error));
    }

    pub(crate) fn fail_all(&mut self, error: &Error) {
        self.with_realm(|realm, _, _| realm.fail_all(error));
    }

    async fn run<T: Received>(
        &mut self,
        event: Event,
        responder: Responder,
        options: RunOptions,
        mut future: RunFuture<T>,
    ) -> Result<T, Error> {
        let id = future.request();
        self.start(id, event, responder, options);
        let mut aborting = AbortOnDrop {
            context: self,
            request: id,
            armed: true,
        };
        let answer = std::future::poll_fn(|cx| {
            if let Poll::Ready(answer) = Pin::new(&mut future).poll(cx) {
                return Poll::Ready(answer);
            }
            if aborting.context.poll(cx).is_err() {
                return Poll::Ready(Err(ErrorKind::Closed("the scheduler").into()));
            }
            Pin::new(&mut future).poll(cx)
        })
        .await;
        aborting.armed = false;
        answer
    }

    fn with_realm(&mut self, body: impl FnOnce(&mut Realm, &mut v8::Isolate, &WorkerDefinition)) {
        if let Some(realm) = &mut self.realm {
            body(
                realm,
                &mut self.shared.0.isolate.borrow_mut(),
                &self.definition,
            );
        }
        self.note_health();
    }

    fn note_health(&mut self) {
        if self
            .realm
            .as_ref()
            .is_some_and(|realm| realm.health() == Health::Condemned)
        {
            self.shared.0.condemned.set(true);
        }
    }
}

/// Aborts a request whose future is dropped before it answered.
struct AbortOnDrop<'a> {
    context: &'a mut ExecutionContext,
    request: RequestId,
    armed: bool,
}

impl Drop for AbortOnDrop<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.context.abort(self.request, &ErrorKind::Aborted.into());
        }
    }
}

impl EventLoopRuntime for ExecutionContext {
    fn callback_rx_mut(&mut self) -> &mut CallbackReceiver {
        self.realm
            .as_mut()
            .expect("a context has its realm until it is dropped")
            .callbacks_mut()
    }

    fn process_callback(&mut self, msg: CallbackMessage) {
        self.with_realm(|realm, isolate, definition| {
            EnteredRealm {
                isolate,
                realm,
                definition,
            }
            .process_callback(msg);
        });
    }

    fn pump_and_checkpoint(&mut self) {
        self.with_realm(|realm, isolate, definition| {
            EnteredRealm {
                isolate,
                realm,
                definition,
            }
            .pump_and_checkpoint();
        });
    }
}

impl Drop for ExecutionContext {
    fn drop(&mut self) {
        // The context's handles go while its isolate is not in use by another call.
        let mut isolate = self.shared.0.isolate.borrow_mut();
        if let Some(realm) = self.realm.take()
            && realm.has_served()
        {
            realm.keep_code(&mut isolate);
            realm.note_families();
        }
    }
}
