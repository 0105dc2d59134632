//! What one context has under way: its operations, by id and by request, and its streams.
//!
//! The table is shared by the thread that holds the isolate and the scheduler's threads. Its lock
//! is held for a look and a change, never across a wait, and answers are sent under it: so once a
//! cancellation has returned, nothing that it cancelled is answered any more.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;

use crate::compute::{self, Places};
use crate::light_task::LightTask;
use crate::stream_registry::StreamRegistry;
use crate::timers::{Timer, TimerKind, TimerQueue};
use crate::{
    CallbackId, CallbackMessage, FetchClient, FetchError, FetchRequest, ForwardEnd, HostCallError,
    IdMap, IdSet, RequestId, SchedulerMessage, StopFlag, StreamError, next_id,
};

struct Operation {
    request: RequestId,
    work: Work,
}

enum Work {
    Task(AbortHandle),
    Light(Arc<LightTask>),
    /// A task that waits for a thread, which has to be told by itself.
    Compute(AbortHandle, StopFlag),
    Timer,
}

struct Table {
    /// Gone once the context is closed.
    callbacks: Option<UnboundedSender<CallbackMessage>>,
    operations: IdMap<Operation>,
    by_request: IdMap<IdSet>,
}

impl Table {
    fn insert(&mut self, request: RequestId, id: CallbackId, work: Work) -> Option<Operation> {
        let previous = self.remove(id);
        self.operations.insert(id, Operation { request, work });
        self.by_request.entry(request).or_default().insert(id);
        previous
    }

    fn remove(&mut self, id: CallbackId) -> Option<Operation> {
        let operation = self.operations.remove(&id)?;
        if let Some(ids) = self.by_request.get_mut(&operation.request) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_request.remove(&operation.request);
            }
        }
        Some(operation)
    }
}

/// One context's side of the scheduler.
pub(crate) struct Context {
    runtime: Handle,
    timers: Arc<TimerQueue>,
    /// One piece of work at a time computes for this context.
    computing: Arc<Semaphore>,
    processors: Arc<Semaphore>,
    table: Mutex<Table>,
    pub(crate) streams: StreamRegistry,
}

impl Context {
    pub(crate) fn new(
        runtime: Handle,
        timers: Arc<TimerQueue>,
        processors: Arc<Semaphore>,
        callbacks: UnboundedSender<CallbackMessage>,
    ) -> Arc<Self> {
        let table = Table {
            callbacks: Some(callbacks),
            operations: IdMap::default(),
            by_request: IdMap::default(),
        };
        let streams = StreamRegistry::default();
        Arc::new(Self {
            runtime,
            timers,
            computing: Arc::new(Semaphore::new(1)),
            processors,
            table: Mutex::new(table),
            streams,
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts or ends what the message asks for.
    pub(crate) fn handle(self: &Arc<Self>, message: SchedulerMessage) {
        match message {
            SchedulerMessage::Fetch {
                request,
                id,
                fetch,
                client,
            } => {
                let is_light = client.is_light();
                self.run_where(is_light, request, id, run_fetch(request, id, fetch, client));
            }
            SchedulerMessage::HostCall {
                request,
                id,
                call,
                is_light,
            } => {
                let answer = async move {
                    let result = caught(call).await;
                    let result =
                        result.unwrap_or_else(|text| Err(HostCallError::Failed(text.into())));
                    CallbackMessage::HostCallDone {
                        request,
                        id,
                        result,
                    }
                };
                self.run_where(is_light, request, id, answer);
            }
            SchedulerMessage::Compute { request, id, job } => {
                let stop = StopFlag::default();
                let places = Places {
                    context: Arc::clone(&self.computing),
                    processors: Arc::clone(&self.processors),
                };
                let work = compute::run(places, stop.clone(), job);
                let answer = async move {
                    let output = work.await;
                    CallbackMessage::ComputeDone {
                        request,
                        id,
                        output,
                    }
                };
                self.run_as(request, id, answer, |task| Work::Compute(task, stop));
            }
            SchedulerMessage::StreamRead {
                request,
                id,
                stream,
            } => {
                let (is_light, read) = self.streams.read(request, id, stream);
                let answer = async move {
                    caught(read).await.unwrap_or_else(|text| {
                        let error = StreamError::Host(text.into());
                        CallbackMessage::StreamFailed { request, id, error }
                    })
                };
                self.run_where(is_light, request, id, answer);
            }
            SchedulerMessage::StreamWritable {
                request,
                id,
                stream,
            } => {
                self.run_light(request, id, self.streams.writable(request, id, stream));
            }
            SchedulerMessage::StreamForward {
                request,
                id,
                from,
                to,
                most,
            } => {
                let (is_light, forward) = self.streams.forward(request, from, to, most);
                let answer = async move {
                    let end = caught(forward).await;
                    let end = end
                        .unwrap_or_else(|text| ForwardEnd::Failed(StreamError::Host(text.into())));
                    CallbackMessage::StreamForwarded { request, id, end }
                };
                self.run_where(is_light, request, id, answer);
            }
            SchedulerMessage::Timer { request, id, delay } => {
                self.start_timer(delay, TimerKind::Timer, request, id);
            }
            SchedulerMessage::Deadline { request, after } => {
                self.start_timer(after, TimerKind::Deadline, request, next_id());
            }
            SchedulerMessage::CancelFetch { id } | SchedulerMessage::CancelTimer { id } => {
                let operation = self.table().remove(id);
                self.stop(operation.map(|operation| (id, operation)));
            }
            SchedulerMessage::CancelStream { stream } => self.streams.cancel(stream),
            SchedulerMessage::CancelRequest { request } => self.cancel_request(request),
        }
    }

    /// Runs a task whose output is the answer to `id`.
    fn run(
        self: &Arc<Self>,
        request: RequestId,
        id: CallbackId,
        task: impl Future<Output = CallbackMessage> + Send + 'static,
    ) {
        self.run_as(request, id, task, Work::Task);
    }

    /// Runs a light task, or one that does work, whose output is the answer to `id`.
    fn run_where(
        self: &Arc<Self>,
        is_light: bool,
        request: RequestId,
        id: CallbackId,
        task: impl Future<Output = CallbackMessage> + Send + 'static,
    ) {
        if is_light {
            self.run_light(request, id, task);
        } else {
            self.run(request, id, task);
        }
    }

    /// As [`Context::run`], on this thread and on those that wake it. The answer may be there on return.
    fn run_light(
        self: &Arc<Self>,
        request: RequestId,
        id: CallbackId,
        task: impl Future<Output = CallbackMessage> + Send + 'static,
    ) {
        let context = Arc::clone(self);
        let task = LightTask::new(async move {
            let answer = task.await;
            context.complete(id, answer);
        });
        if self.enter(request, id, || Work::Light(Arc::clone(&task))) {
            task.run();
        }
    }

    fn run_as(
        self: &Arc<Self>,
        request: RequestId,
        id: CallbackId,
        task: impl Future<Output = CallbackMessage> + Send + 'static,
        work: impl FnOnce(AbortHandle) -> Work,
    ) {
        self.enter(request, id, || {
            let context = Arc::clone(self);
            // Spawned under the lock, so that the task cannot answer before the table knows it.
            let task = self.runtime.spawn(async move {
                let answer = task.await;
                context.complete(id, answer);
            });
            work(task.abort_handle())
        });
    }

    /// Notes an operation, whose work is made with the table locked, in the place of an earlier one of its id.
    /// False where the context is closed: there is to be no work then.
    fn enter(&self, request: RequestId, id: CallbackId, work: impl FnOnce() -> Work) -> bool {
        let mut table = self.table();
        if table.callbacks.is_none() {
            return false;
        }
        let previous = table.insert(request, id, work());
        drop(table);
        self.stop(previous.map(|operation| (id, operation)));
        true
    }

    fn start_timer(
        self: &Arc<Self>,
        delay: Duration,
        kind: TimerKind,
        request: RequestId,
        id: CallbackId,
    ) {
        let timer = Timer::after(delay, kind, self, (request, id));
        if self.enter(request, id, || Work::Timer) {
            self.timers.start(timer);
        }
    }

    /// Sends the answer to `id`, unless it was cancelled.
    pub(crate) fn complete(&self, id: CallbackId, answer: CallbackMessage) {
        let mut table = self.table();
        let operation = table.remove(id);
        let late = match (&operation, &table.callbacks) {
            (Some(_), Some(callbacks)) => callbacks.send(answer).err().map(|error| error.0),
            _ => Some(answer),
        };
        drop(table);
        // An answer nobody gets may hold a body, whose drop closes a connection.
        drop(late);
    }

    fn cancel_request(&self, request: RequestId) {
        let mut table = self.table();
        let ids = table.by_request.remove(&request).unwrap_or_default();
        let operations: Vec<_> = ids
            .into_iter()
            .filter_map(|id| {
                table
                    .operations
                    .remove(&id)
                    .map(|operation| (id, operation))
            })
            .collect();
        drop(table);
        self.stop(operations);
        self.streams.cancel_request(request);
    }

    /// Ends everything, for good.
    pub(crate) fn close(&self) {
        let mut table = self.table();
        table.callbacks = None;
        table.by_request.clear();
        let operations = std::mem::take(&mut table.operations);
        drop(table);
        self.stop(operations);
        self.streams.close();
    }

    /// Stops the work of operations that are no longer in the table.
    fn stop(&self, operations: impl IntoIterator<Item = (CallbackId, Operation)>) {
        let mut timers = Vec::new();
        for (id, operation) in operations {
            match operation.work {
                Work::Task(task) => task.abort(),
                Work::Light(task) => task.stop(),
                Work::Compute(task, stop) => {
                    stop.raise();
                    task.abort();
                }
                Work::Timer => timers.push(id),
            }
        }
        self.timers.cancel(&timers);
    }
}

async fn run_fetch(
    request: RequestId,
    id: CallbackId,
    fetch: FetchRequest,
    client: Arc<dyn FetchClient>,
) -> CallbackMessage {
    // The client is called in here, because it is the host's code: it may panic, and the sender holds an isolate.
    let fetched = caught(async move { client.fetch(fetch).await }).await;
    match fetched {
        Ok(Ok(response)) => CallbackMessage::FetchDone {
            request,
            id,
            response,
        },
        Ok(Err(error)) => CallbackMessage::FetchFailed { request, id, error },
        Err(text) => {
            let error = FetchError::Client(text.into());
            CallbackMessage::FetchFailed { request, id, error }
        }
    }
}

/// What a future gives, or what it panicked with.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let ended = AssertUnwindSafe(future).catch_unwind().await;
    ended.map_err(|panic| panic_text(panic.as_ref()))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("it panicked: {}", text.unwrap_or("no message"))
}
