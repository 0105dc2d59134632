//! The two ends that a context holds: the handle it asks with, the receiver it is answered by.
//!
//! Both are used by the thread that holds the isolate; no call here waits for anything.

use std::fmt;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::context::Context;
use crate::{BodyReader, CallbackMessage, RequestId, SchedulerMessage, StreamError, StreamId};

/// What became of a written chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It was taken, and the next may follow.
    Accepted,
    /// It was taken, but the next should wait for `StreamWritable`.
    Full,
    /// It was not taken: the reader is gone or the stream is not open.
    Closed,
}

struct Connection {
    context: Arc<Context>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.context.close();
    }
}

/// Asks the scheduler for work on behalf of one context.
///
/// When the last clone is dropped, everything of the context is cancelled and its receiver ends.
#[derive(Clone)]
pub struct SchedulerHandle {
    connection: Arc<Connection>,
}

impl SchedulerHandle {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self {
            connection: Arc::new(Connection { context }),
        }
    }

    fn context(&self) -> &Arc<Context> {
        &self.connection.context
    }

    /// Sends a message; the answer, where it has one, comes through the context's receiver.
    ///
    /// A cancellation has happened when this returns: no answer to what it cancelled is sent later,
    /// though one may already be in the receiver.
    pub fn send(&self, message: SchedulerMessage) {
        self.context().handle(message);
    }

    /// Makes a stream that the context reads with `StreamRead`.
    ///
    /// It belongs to the request of its first read; see [`Self::register_stream_for`].
    pub fn register_stream(&self, reader: BodyReader) -> StreamId {
        self.context().streams.register(None, reader)
    }

    /// Makes a stream that the context reads and that ends with the given request.
    pub fn register_stream_for(&self, request: RequestId, reader: BodyReader) -> StreamId {
        self.context().streams.register(Some(request), reader)
    }

    /// Makes a stream that the context writes, and the reader of what it writes.
    ///
    /// It belongs to the request that first waits for room; see [`Self::open_stream_for`].
    pub fn open_stream(&self, capacity_chunks: usize) -> (StreamId, BodyReader) {
        self.context().streams.open(None, capacity_chunks)
    }

    /// Makes a stream that the context writes and that fails if the given request ends first.
    pub fn open_stream_for(
        &self,
        request: RequestId,
        capacity_chunks: usize,
    ) -> (StreamId, BodyReader) {
        self.context().streams.open(Some(request), capacity_chunks)
    }

    /// Writes a chunk to an outgoing stream without ever waiting.
    pub fn write(&self, stream: StreamId, chunk: Bytes) -> WriteOutcome {
        self.context().streams.write(stream, chunk)
    }

    /// Ends an outgoing stream; what was written can still be read.
    pub fn close_stream(&self, stream: StreamId) {
        self.context().streams.finish(stream, None);
    }

    /// Fails an outgoing stream: its reader gets the error, and nothing that it has not read.
    pub fn fail_stream(&self, stream: StreamId, error: StreamError) {
        self.context().streams.finish(stream, Some(error));
    }
}

impl fmt::Debug for SchedulerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedulerHandle").finish_non_exhaustive()
    }
}

/// Receives the answers to one context's messages.
#[derive(Debug)]
pub struct CallbackReceiver {
    receiver: UnboundedReceiver<CallbackMessage>,
}

impl CallbackReceiver {
    pub(crate) fn new(receiver: UnboundedReceiver<CallbackMessage>) -> Self {
        Self { receiver }
    }

    /// Waits for the next answer; none once the context's last handle is gone.
    ///
    /// # Cancel safety
    /// A call that is dropped while it waits has taken nothing.
    pub async fn recv(&mut self) -> Option<CallbackMessage> {
        self.receiver.recv().await
    }

    /// Polls for the next answer; none once the context's last handle is gone.
    pub fn poll_recv(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<CallbackMessage>> {
        self.receiver.poll_recv(cx)
    }

    /// Takes the next answer if there is one now.
    pub fn try_recv(&mut self) -> Option<CallbackMessage> {
        self.receiver.try_recv().ok()
    }
}
