//! A body that JavaScript writes.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use bytes::Bytes;
use isolane::{BodyReader, BodyWriter, StreamError};
use isolane_scheduler::TrySendError;
use napi::Env;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::binding_connection::BindingConnection;
use crate::connection::SharedConnection;
use crate::delivery::Answer;

const ACCEPTED: i64 = 0;
const WAIT: i64 = 1;
const CLOSED: i64 = 2;

/// Chunks that a body holds before its writer has to wait.
const CAPACITY: usize = 16;

/// The two ends of a body.
pub(crate) fn body_channel() -> (BodyWriter, BodyReader) {
    BodyReader::channel(CAPACITY)
}

/// The writing end of a body; its reading end goes to the guest.
#[napi]
pub struct BindingBodyWriter {
    connection: SharedConnection,
    writer: RefCell<Option<Arc<BodyWriter>>>,
    reader: RefCell<Option<BodyReader>>,
    /// The ticket of the watch for the reader's end.
    watch: Cell<Option<i64>>,
}

impl BindingBodyWriter {
    /// The reading end, for whoever comes first.
    pub(crate) fn take_reader(&self) -> Option<BodyReader> {
        self.reader.borrow_mut().take()
    }

    /// The writing end, which nobody watches any more.
    fn take_writer(&self) -> Option<Arc<BodyWriter>> {
        if let Some(ticket) = self.watch.take() {
            self.connection.unwatch(ticket);
        }
        self.writer.borrow_mut().take()
    }
}

#[napi]
impl BindingBodyWriter {
    /// Opens a body.
    #[napi(constructor, catch_unwind)]
    pub fn new(connection: &BindingConnection) -> Self {
        let (writer, reader) = body_channel();
        Self {
            connection: Arc::clone(connection.shared()),
            writer: RefCell::new(Some(Arc::new(writer))),
            reader: RefCell::new(Some(reader)),
            watch: Cell::new(None),
        }
    }

    /// The body of a request that was sent with one to come.
    #[napi(factory, catch_unwind)]
    pub fn of_request(connection: &BindingConnection, ticket: i64) -> Self {
        let writer = connection.shared().take_body(ticket);
        Self {
            connection: Arc::clone(connection.shared()),
            writer: RefCell::new(writer.map(Arc::new)),
            reader: RefCell::new(None),
            watch: Cell::new(None),
        }
    }

    /// Writes a chunk and answers with a code: taken, or it will be and the ticket says when, or
    /// nobody reads any more.
    #[napi(catch_unwind)]
    pub fn write(&self, env: &Env, ticket: i64, chunk: Uint8Array) -> i64 {
        let writer = self.writer.borrow().clone();
        let Some(writer) = writer else { return CLOSED };
        match writer.try_send(Bytes::copy_from_slice(&chunk)) {
            Ok(()) => ACCEPTED,
            Err(TrySendError::Closed) => CLOSED,
            Err(TrySendError::Full(chunk)) => {
                let send = async move {
                    Answer::code(writer.send(chunk).await.map_or(CLOSED, |()| ACCEPTED))
                };
                self.connection.run(env, ticket, Box::pin(send));
                WAIT
            }
        }
    }

    /// Settles the ticket when the reader goes, without keeping the process alive for it.
    #[napi(catch_unwind)]
    pub fn watch_closed(&self, ticket: i64) {
        let writer = self.writer.borrow().clone();
        let Some(writer) = writer else { return };
        self.watch.set(Some(ticket));
        let closed = async move {
            writer.closed().await;
            Answer::nothing()
        };
        self.connection.watch(ticket, Box::pin(closed));
    }

    /// Ends the body; what was written can still be read.
    #[napi(catch_unwind)]
    pub fn end(&self) {
        drop(self.take_writer());
    }

    /// Fails the body; the message stays on this side.
    #[napi(catch_unwind)]
    pub fn fail(&self, message: String) {
        if let Some(writer) = self.take_writer().and_then(Arc::into_inner) {
            writer.fail(StreamError::Host(message.into()));
        }
    }
}
