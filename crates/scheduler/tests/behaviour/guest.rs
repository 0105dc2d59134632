//! Stands in for a context: asks the scheduler and awaits its answers.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use isolane_scheduler::{
    Body, CallbackId, CallbackMessage, CallbackReceiver, FetchClient, FetchError, FetchRequest,
    FetchResponse, ForwardEnd, HttpClient, OutboundPolicy, RequestId, Scheduler, SchedulerHandle,
    SchedulerMessage, SchedulerOptions, StreamError, StreamId, next_id,
};

/// Fails a test that waits for what never comes; no test depends on its length otherwise.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(30), future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

pub(crate) fn scheduler() -> Scheduler {
    Scheduler::new(SchedulerOptions {
        threads: 2,
        thread_name: "test-io".to_owned(),
    })
    .expect("the scheduler starts")
}

/// A client that may reach this machine.
pub(crate) fn local_client() -> Arc<dyn FetchClient> {
    Arc::new(HttpClient::new(OutboundPolicy::Any).expect("the client is set up"))
}

pub(crate) struct Guest {
    pub(crate) handle: SchedulerHandle,
    pub(crate) callbacks: CallbackReceiver,
    pub(crate) request: RequestId,
    pub(crate) client: Arc<dyn FetchClient>,
    _scheduler: Option<Scheduler>,
}

impl Guest {
    pub(crate) fn new() -> Guest {
        let scheduler = scheduler();
        let mut guest = Guest::on(&scheduler);
        guest._scheduler = Some(scheduler);
        guest
    }

    /// As the library runs them: with one thread for everything.
    pub(crate) fn on_one_thread() -> Guest {
        let scheduler = Scheduler::new(SchedulerOptions::default()).expect("the scheduler starts");
        let mut guest = Guest::on(&scheduler);
        guest._scheduler = Some(scheduler);
        guest
    }

    pub(crate) fn on(scheduler: &Scheduler) -> Guest {
        let (handle, callbacks) = scheduler.connect();
        Guest {
            handle,
            callbacks,
            request: next_id(),
            client: local_client(),
            _scheduler: None,
        }
    }

    pub(crate) fn with_client(client: impl FetchClient + 'static) -> Guest {
        Guest {
            client: Arc::new(client),
            ..Guest::new()
        }
    }

    pub(crate) async fn answer(&mut self) -> CallbackMessage {
        let answer = within("an answer", self.callbacks.recv()).await;
        answer.expect("the context is connected")
    }

    pub(crate) fn start_timer(&self, delay: Duration) -> CallbackId {
        let (request, id) = (self.request, next_id());
        self.handle
            .send(SchedulerMessage::Timer { request, id, delay });
        id
    }

    pub(crate) fn start_fetch(&self, fetch: FetchRequest) -> CallbackId {
        let (request, id, client) = (self.request, next_id(), Arc::clone(&self.client));
        self.handle.send(SchedulerMessage::Fetch {
            request,
            id,
            fetch,
            client,
        });
        id
    }

    pub(crate) async fn fetch(&mut self, fetch: FetchRequest) -> Result<FetchResponse, FetchError> {
        let started = self.start_fetch(fetch);
        match self.answer().await {
            CallbackMessage::FetchDone { id, response, .. } if id == started => Ok(response),
            CallbackMessage::FetchFailed { id, error, .. } if id == started => Err(error),
            other => panic!("not the answer to the fetch: {other:?}"),
        }
    }

    pub(crate) fn start_read(&self, stream: StreamId) -> CallbackId {
        let (request, id) = (self.request, next_id());
        self.handle.send(SchedulerMessage::StreamRead {
            request,
            id,
            stream,
        });
        id
    }

    pub(crate) async fn read(&mut self, stream: StreamId) -> Result<Option<Bytes>, StreamError> {
        let started = self.start_read(stream);
        match self.answer().await {
            CallbackMessage::StreamChunk { id, chunk, .. } if id == started => Ok(chunk),
            CallbackMessage::StreamFailed { id, error, .. } if id == started => Err(error),
            other => panic!("not the answer to the read: {other:?}"),
        }
    }

    /// Waits until the stream has room; false if its reader is gone.
    pub(crate) async fn writable(&mut self, stream: StreamId) -> bool {
        let started = self.start_wait(stream);
        match self.answer().await {
            CallbackMessage::StreamWritable { id, open, .. } if id == started => open,
            other => panic!("not the answer to the wait: {other:?}"),
        }
    }

    pub(crate) fn start_wait(&self, stream: StreamId) -> CallbackId {
        let (request, id) = (self.request, next_id());
        self.handle.send(SchedulerMessage::StreamWritable {
            request,
            id,
            stream,
        });
        id
    }

    pub(crate) fn start_forward(&self, from: StreamId, to: StreamId, most: Option<u64>) {
        self.handle.send(SchedulerMessage::StreamForward {
            request: self.request,
            id: next_id(),
            from,
            to,
            most,
        });
    }

    /// Why a forwarding that was started has come to its end.
    pub(crate) async fn forwarded(&mut self) -> ForwardEnd {
        match self.answer().await {
            CallbackMessage::StreamForwarded { end, .. } => end,
            other => panic!("not the end of a forwarding: {other:?}"),
        }
    }

    pub(crate) fn cancel_request(&self) {
        self.handle.send(SchedulerMessage::CancelRequest {
            request: self.request,
        });
    }
}

/// Reads a whole body as text.
pub(crate) async fn text(body: Body) -> String {
    let bytes = within("the body", body.into_bytes(u64::MAX))
        .await
        .expect("the body is whole");
    String::from_utf8(bytes.to_vec()).expect("the body is UTF-8")
}

/// The value of a response's header.
pub(crate) fn header<'a>(response: &'a FetchResponse, name: &str) -> Option<&'a str> {
    let mut headers = response.headers.iter();
    headers
        .find(|(given, _)| given == name)
        .map(|(_, value)| value.as_str())
}
