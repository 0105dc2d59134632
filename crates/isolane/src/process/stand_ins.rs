//! The child's side of host functions and outbound clients: each stands for one of the parent's, and
//! its calls go there. Any thread of the child may call.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use isolane_scheduler::{
    FetchClient, FetchError, FetchRequest, FetchResponse, HostCallError, next_id,
};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::definition::{HostCodec, HostFunction};

use super::bodies::Streams;
use super::definitions::StandIns;
use super::failures::{WireFetchError, WireHostCallError};
use super::frame::Malformed;
use super::outbox::Outbox;
use super::protocol::{FetchHead, FetchedHead, FromChild, WorkerKey};

/// What guests of this process wait for.
enum Awaited {
    HostCall(oneshot::Sender<Result<Bytes, HostCallError>>),
    Outbound(oneshot::Sender<Result<FetchResponse, FetchError>>),
}

/// The calls of this process to the parent.
pub(crate) struct Calls {
    outbox: Arc<Outbox>,
    streams: Arc<Streams>,
    awaited: Mutex<HashMap<u64, Awaited>>,
}

impl Calls {
    pub(crate) fn new(outbox: Arc<Outbox>, streams: Arc<Streams>) -> Arc<Self> {
        Arc::new(Self {
            outbox,
            streams,
            awaited: Mutex::default(),
        })
    }

    /// Gives a guest what its host function gave.
    ///
    /// # Errors
    ///
    /// [`Malformed`] where the answer is to something else.
    pub(crate) fn host_call_done(
        &self,
        call: u64,
        result: Result<(), WireHostCallError>,
        value: Bytes,
    ) -> Result<(), Malformed> {
        let awaited = self.awaited.lock().remove(&call);
        match awaited {
            // A guest that no longer waits needs no answer.
            None => Ok(()),
            Some(Awaited::HostCall(reply)) => {
                let _ = reply.send(result.map(|()| value).map_err(Into::into));
                Ok(())
            }
            Some(Awaited::Outbound(_)) => Err(Malformed::Meaning("a value for a fetch")),
        }
    }

    /// Gives a guest the response of its outbound client.
    ///
    /// # Errors
    ///
    /// As [`Calls::host_call_done`].
    pub(crate) fn outbound_done(
        &self,
        call: u64,
        result: Result<FetchedHead, WireFetchError>,
        payload: Bytes,
    ) -> Result<(), Malformed> {
        let answer = match result {
            Ok(head) => Ok(FetchResponse {
                status: head.status,
                status_text: head.status_text,
                headers: head.headers,
                url: head.url,
                redirected: head.redirected,
                // Taken in even where nobody waits, so that a stream is cancelled.
                body: self.streams.receive(head.body, payload)?,
            }),
            Err(error) => Err(error.into()),
        };
        let awaited = self.awaited.lock().remove(&call);
        match awaited {
            None => Ok(()),
            Some(Awaited::Outbound(reply)) => {
                let _ = reply.send(answer);
                Ok(())
            }
            Some(Awaited::HostCall(_)) => Err(Malformed::Meaning("a response for a call")),
        }
    }

    fn expect(self: &Arc<Self>, awaited: Awaited) -> Waiting {
        let call = next_id();
        self.awaited.lock().insert(call, awaited);
        Waiting {
            call,
            calls: Arc::downgrade(self),
        }
    }
}

/// Tells the parent when the guest stops waiting before there is an answer.
struct Waiting {
    call: u64,
    calls: Weak<Calls>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(calls) = self.calls.upgrade()
            && calls.awaited.lock().remove(&self.call).is_some()
        {
            let abandoned = FromChild::Abandoned { call: self.call };
            let _ = calls.outbox.send(&abandoned, Bytes::new());
        }
    }
}

/// Says that nothing uses a worker any more, when its last holder goes.
pub(crate) struct Lease {
    pub(crate) worker: WorkerKey,
    pub(crate) outbox: Arc<Outbox>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let worker = self.worker;
        let _ = self
            .outbox
            .send(&FromChild::Released { worker }, Bytes::new());
    }
}

/// Makes the stand-ins of one worker.
pub(crate) struct WorkerStandIns {
    pub(crate) calls: Arc<Calls>,
    pub(crate) lease: Arc<Lease>,
}

impl StandIns for WorkerStandIns {
    fn function(&self, place: u32, codec: HostCodec) -> HostFunction {
        let (calls, lease) = (self.calls.clone(), self.lease.clone());
        HostFunction {
            codec,
            call: Arc::new(move |arguments| call(&calls, &lease, place, arguments)),
            is_light: true,
        }
    }

    fn client(&self) -> Arc<dyn FetchClient> {
        Arc::new(StandInClient {
            calls: self.calls.clone(),
            lease: self.lease.clone(),
        })
    }
}

fn call(
    calls: &Arc<Calls>,
    lease: &Lease,
    function: u32,
    arguments: Bytes,
) -> BoxFuture<'static, Result<Bytes, HostCallError>> {
    let (reply, answer) = oneshot::channel();
    let waiting = calls.expect(Awaited::HostCall(reply));
    let head = FromChild::HostCall {
        call: waiting.call,
        worker: lease.worker,
        function,
    };
    let sent = calls.outbox.send(&head, arguments);
    Box::pin(async move {
        if sent.is_err() {
            let refused = HostCallError::Rejected {
                name: "DataCloneError".to_owned(),
                message: "The arguments are too large".to_owned(),
            };
            return Err(refused);
        }
        let answer = answer.await;
        drop(waiting);
        answer.unwrap_or_else(|_| Err(HostCallError::Failed("the parent is gone".into())))
    })
}

/// Stands for a worker's own client.
struct StandInClient {
    calls: Arc<Calls>,
    lease: Arc<Lease>,
}

impl FetchClient for StandInClient {
    fn fetch(
        &self,
        request: FetchRequest,
    ) -> BoxFuture<'static, Result<FetchResponse, FetchError>> {
        let (reply, answer) = oneshot::channel();
        let waiting = self.calls.expect(Awaited::Outbound(reply));
        let (body, payload, announced) = self.calls.streams.announce(request.body);
        let head = FromChild::Outbound {
            call: waiting.call,
            worker: self.lease.worker,
            head: FetchHead {
                method: request.method,
                url: request.url,
                headers: request.headers,
                redirect: request.redirect.into(),
                body,
            },
        };
        let sent = self.calls.outbox.send(&head, payload);
        if sent.is_ok() {
            self.calls.streams.start(announced);
        }
        Box::pin(async move {
            if sent.is_err() {
                return Err(FetchError::InvalidHeader);
            }
            let answer = answer.await;
            drop(waiting);
            answer.unwrap_or_else(|_| Err(FetchError::Client("the parent is gone".into())))
        })
    }

    fn is_light(&self) -> bool {
        true
    }
}
