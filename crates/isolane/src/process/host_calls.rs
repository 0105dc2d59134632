//! The parent's side of host functions and outbound clients: runs what a child asks for, on the
//! scheduler's threads, and sends back what it gives.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use isolane_scheduler::{FetchError, FetchRequest, FetchResponse, HostCallError};
use parking_lot::Mutex;
use tokio::task::AbortHandle;

use crate::definition::{HostFunction, Outbound, WorkerDefinition};
use crate::outbound::scheduler;
use crate::runtime::events;

use super::bodies::Streams;
use super::failures::{WireFetchError, WireHostCallError};
use super::frame::Malformed;
use super::outbox::Outbox;
use super::protocol::{FetchHead, FetchedHead, ToChild};

/// Calls that a child may have open: more than its guests can use, and less than the host can bear.
const MOST_CALLS: usize = 1 << 16;

/// The calls that run for one child, by the child's ids.
pub(crate) struct HostCalls {
    outbox: Arc<Outbox>,
    streams: Arc<Streams>,
    running: Arc<Mutex<HashMap<u64, AbortHandle>>>,
}

impl HostCalls {
    pub(crate) fn new(outbox: Arc<Outbox>, streams: Arc<Streams>) -> Self {
        Self {
            outbox,
            streams,
            running: Arc::default(),
        }
    }

    /// Calls a host function.
    ///
    /// # Errors
    ///
    /// [`Malformed`] where the worker has no such function, or the child has too many calls open.
    pub(crate) fn call(
        &self,
        call: u64,
        definition: &WorkerDefinition,
        function: u32,
        arguments: Bytes,
    ) -> Result<(), Malformed> {
        let mut functions = events::host_functions(definition);
        let at = function as usize;
        if at >= functions.len() {
            return Err(Malformed::Meaning(
                "a function that the worker does not have",
            ));
        }
        let function = functions.swap_remove(at);
        let outbox = self.outbox.clone();
        self.run(call, async move {
            let result = match answer_of(function, arguments).await {
                Ok(value) => {
                    let done = ToChild::HostCallDone {
                        call,
                        result: Ok(()),
                    };
                    match outbox.send(&done, value) {
                        Ok(()) => return,
                        Err(_) => Err(too_large()),
                    }
                }
                Err(error) => Err(error.into()),
            };
            let failed = ToChild::HostCallDone { call, result };
            if outbox.send(&failed, Bytes::new()).is_err() {
                let result = Err(WireHostCallError::Failed);
                let _ = outbox.send(&ToChild::HostCallDone { call, result }, Bytes::new());
            }
        })
    }

    /// Gives a guest's fetch to the worker's own client.
    ///
    /// # Errors
    ///
    /// [`Malformed`] where the worker has none, what is asked for is not a request, or the child has
    /// too many calls open.
    pub(crate) fn fetch(
        &self,
        call: u64,
        definition: &WorkerDefinition,
        head: FetchHead,
        payload: Bytes,
    ) -> Result<(), Malformed> {
        let Outbound::Client(client) = &definition.outbound else {
            return Err(Malformed::Meaning("a fetch for a client that there is not"));
        };
        let client = client.clone();
        let request = FetchRequest {
            method: head.method,
            url: head.url,
            headers: head.headers,
            body: self.streams.receive(head.body, payload)?,
            redirect: head.redirect.into(),
        };
        let (outbox, streams) = (self.outbox.clone(), self.streams.clone());
        self.run(call, async move {
            let fetched = AssertUnwindSafe(async { client.fetch(request).await });
            let panicked = |_| Err(FetchError::Client("it panicked".into()));
            let fetched = fetched.catch_unwind().await.unwrap_or_else(panicked);
            send_response(&outbox, &streams, call, fetched);
        })
    }

    /// Drops what the guest no longer waits for.
    pub(crate) fn abandon(&self, call: u64) {
        let abandoned = self.running.lock().remove(&call);
        if let Some(task) = abandoned {
            task.abort();
        }
    }

    /// Drops all of it: the child is gone.
    pub(crate) fn abandon_all(&self) {
        let abandoned = std::mem::take(&mut *self.running.lock());
        for task in abandoned.into_values() {
            task.abort();
        }
    }

    fn run(
        &self,
        call: u64,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Malformed> {
        // Held until the entry is there, so that a quick task does not end before.
        let mut running = self.running.lock();
        if running.len() >= MOST_CALLS {
            return Err(Malformed::Meaning("more calls than a child may have open"));
        }
        let ended = self.running.clone();
        let task = scheduler().spawn(async move {
            task.await;
            ended.lock().remove(&call);
        });
        if running.insert(call, task.abort_handle()).is_some() {
            return Err(Malformed::Meaning("a call that is open already"));
        }
        Ok(())
    }
}

async fn answer_of(function: HostFunction, arguments: Bytes) -> Result<Bytes, HostCallError> {
    // Called inside, so that what panics before its first await is caught too.
    AssertUnwindSafe(async { (function.call)(arguments).await })
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(HostCallError::Failed("it panicked".into())))
}

fn too_large() -> WireHostCallError {
    WireHostCallError::Rejected {
        name: "DataCloneError".to_owned(),
        message: "The value is too large".to_owned(),
    }
}

fn send_response(
    outbox: &Outbox,
    streams: &Streams,
    call: u64,
    fetched: Result<FetchResponse, FetchError>,
) {
    let response = match fetched {
        Ok(response) => response,
        Err(error) => return send_failure(outbox, call, error.into()),
    };
    let (body, payload, announced) = streams.announce(response.body);
    let head = FetchedHead {
        status: response.status,
        status_text: response.status_text,
        headers: response.headers,
        url: response.url,
        redirected: response.redirected,
        body,
    };
    let done = ToChild::OutboundDone {
        call,
        result: Ok(head),
    };
    match outbox.send(&done, payload) {
        Ok(()) => streams.start(announced),
        Err(_) => send_failure(outbox, call, WireFetchError::Other),
    }
}

fn send_failure(outbox: &Outbox, call: u64, error: WireFetchError) {
    let result = Err(error);
    // A failure without a text of the host's is short.
    let _ = outbox.send(&ToChild::OutboundDone { call, result }, Bytes::new());
}
