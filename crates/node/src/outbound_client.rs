//! The network of a worker whose fetches a function of the host answers.

use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;
use isolane::{FetchClient, FetchError, FetchRequest, FetchResponse, Outbound};
use tokio::sync::oneshot;

use crate::connection::{Connection, Reply, SharedConnection};
use crate::delivery::Delivery;
use crate::function_ref::FunctionRef;
use crate::message_head::outbound_head;

/// Where fetches go: to a function of JavaScript's, or as `kind` says.
pub(crate) fn outbound(
    connection: &SharedConnection,
    kind: Option<&str>,
    function: Option<u32>,
) -> Outbound {
    match (function, kind) {
        (Some(function), _) => {
            Outbound::Client(Arc::new(OutboundClient::new(connection, function)))
        }
        (None, Some("none")) => Outbound::None,
        (None, Some("any")) => Outbound::Any,
        (None, _) => Outbound::Public,
    }
}

struct OutboundClient {
    function: FunctionRef,
}

impl OutboundClient {
    fn new(connection: &SharedConnection, function: u32) -> Self {
        Self {
            function: FunctionRef::new(connection, function),
        }
    }
}

impl FetchClient for OutboundClient {
    fn fetch(
        &self,
        request: FetchRequest,
    ) -> BoxFuture<'static, Result<FetchResponse, FetchError>> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = None;
        if let Some(connection) = self.function.connection() {
            let call = connection.expect(Reply::Outbound(sender));
            waiting = Some(Waiting {
                call,
                connection: Arc::downgrade(&connection),
            });
            let head = outbound_head(self.function.number(), &request);
            connection.push(Delivery::Outbound {
                call,
                head,
                body: request.body,
            });
        }
        Box::pin(async move {
            let answer = receiver.await;
            drop(waiting);
            answer.unwrap_or_else(|_| Err(FetchError::Client("its thread is gone".into())))
        })
    }

    fn is_light(&self) -> bool {
        true
    }
}

/// Tells JavaScript when the guest stops waiting before there is an answer.
struct Waiting {
    call: i64,
    connection: Weak<Connection>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(connection) = self.connection.upgrade() else {
            return;
        };
        if connection.reply(self.call).is_some() {
            connection.push(Delivery::OutboundAbandoned { call: self.call });
        }
    }
}
