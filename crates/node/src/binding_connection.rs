//! The JavaScript face of a connection: made once in each environment.

use std::sync::Arc;

use bytes::Bytes;
use isolane::{Body, FetchError, FetchResponse, HostCallError};
use napi::Env;
use napi::bindgen_prelude::{Either, FnArgs, Function, Result, Uint8Array};
use napi_derive::napi;

use crate::binding_body_writer::BindingBodyWriter;
use crate::connection::{Connection, Reply, SharedConnection};
use crate::delivery::{BindingCell, from_latin1};
use crate::message_head::parse_headers;
use crate::patience::Patience;

/// One environment's connection to native code.
#[napi]
pub struct BindingConnection {
    shared: SharedConnection,
    /// Of replies, for what the guest does next.
    patience: Patience,
}

impl BindingConnection {
    pub(crate) fn shared(&self) -> &SharedConnection {
        &self.shared
    }
}

#[napi]
impl BindingConnection {
    /// Connects; `deliver` gets batches of cells, four to a delivery.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: &Env, deliver: Function<FnArgs<(Vec<BindingCell>,)>, ()>) -> Result<Self> {
        let shared = Arc::new(Connection::default());
        let taken = Arc::downgrade(&shared);
        let wake = deliver
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .build_callback(move |context| {
                let cells = taken
                    .upgrade()
                    .map(|connection| connection.take_when_woken(&context.env));
                Ok(FnArgs::from((cells.unwrap_or_default(),)))
            })?;
        shared.set_wake(wake);
        env.add_env_cleanup_hook(Arc::downgrade(&shared), |connection| {
            if let Some(connection) = connection.upgrade() {
                connection.close();
            }
        })?;
        Ok(Self {
            shared,
            patience: Patience::default(),
        })
    }

    /// The batch that has gathered while Node's loop turned.
    #[napi(catch_unwind)]
    pub fn take_after_turn(&self, env: &Env) -> Vec<BindingCell> {
        self.shared.take_after_turn(env)
    }

    /// What has gathered while a call waited.
    #[napi(catch_unwind)]
    pub fn take_gathered(&self, env: &Env) -> Vec<BindingCell> {
        self.shared.take_gathered(env)
    }

    /// Ends the guest's work for a request.
    #[napi(catch_unwind)]
    pub fn abort(&self, ticket: i64) {
        self.shared.abort(ticket);
    }

    /// Gives a request all of the body that it was sent with to come. What the guest does next is returned if it comes
    /// at once.
    #[napi(catch_unwind)]
    pub fn send_body(&self, env: &Env, ticket: i64, bytes: Uint8Array) -> Option<Vec<BindingCell>> {
        let writer = self.shared.take_body(ticket)?;
        let bytes = Bytes::copy_from_slice(&bytes);
        self.shared.reply_and_wait(env, &self.patience, || {
            // A guest that no longer reads needs no body.
            let _ = writer.try_send(bytes);
            drop(writer);
        })
    }

    /// Gives a guest the value of its host call, as structured clone; a string has a character a byte. What the
    /// guest does next is returned if it comes at once.
    #[napi(catch_unwind)]
    pub fn answer_host_call(
        &self,
        env: &Env,
        call: i64,
        value: Either<String, Uint8Array>,
    ) -> Option<Vec<BindingCell>> {
        let Some(Reply::HostCall(reply)) = self.shared.take_reply(call) else {
            return None;
        };
        let value = match value {
            Either::A(text) => from_latin1(&text),
            Either::B(bytes) => Bytes::copy_from_slice(&bytes),
        };
        self.shared.reply_and_wait(env, &self.patience, || {
            // A guest that no longer waits needs no answer.
            let _ = reply.send(Ok(value));
        })
    }

    /// Rejects a guest's host call.
    #[napi(catch_unwind)]
    pub fn fail_host_call(&self, call: i64, name: String, message: String) {
        if let Some(Reply::HostCall(reply)) = self.shared.take_reply(call) {
            let _ = reply.send(Err(HostCallError::Rejected { name, message }));
        }
    }

    /// Gives a guest the response of an outbound function. The head is `status`, `status text`, `url`,
    /// whether it was redirected, then headers. What the guest does next is returned if it comes at once.
    #[napi(catch_unwind)]
    pub fn answer_outbound(
        &self,
        env: &Env,
        call: i64,
        head: String,
        body: Option<Either<Uint8Array, &BindingBodyWriter>>,
    ) -> Option<Vec<BindingCell>> {
        // Taken in any case: where nobody waits any more, the source is told that nobody reads.
        let body = match body {
            None => Body::Empty,
            Some(Either::A(bytes)) => Body::Bytes(Bytes::copy_from_slice(&bytes)),
            Some(Either::B(writer)) => writer.take_reader().map_or(Body::Empty, Body::Stream),
        };
        let Some(Reply::Outbound(reply)) = self.shared.take_reply(call) else {
            return None;
        };
        let mut lines = head.split('\n');
        let mut line = || lines.next().unwrap_or_default();
        let response = FetchResponse {
            status: line().parse().unwrap_or(200),
            status_text: line().to_owned(),
            url: line().to_owned(),
            redirected: line() == "1",
            headers: parse_headers(lines),
            body,
        };
        self.shared.reply_and_wait(env, &self.patience, || {
            let _ = reply.send(Ok(response));
        })
    }

    /// Fails a guest's fetch; the message stays on this side.
    #[napi(catch_unwind)]
    pub fn fail_outbound(&self, call: i64, message: String) {
        if let Some(Reply::Outbound(reply)) = self.shared.take_reply(call) {
            let _ = reply.send(Err(FetchError::Client(message.into())));
        }
    }
}
