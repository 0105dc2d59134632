//! Bounded byte streams: the channel that carries bodies in both directions.
//!
//! Either end may be on any thread. The writer of a guest's stream is called while its isolate is
//! locked, so nothing here blocks: the lock inside guards a queue and is never held across a wait.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt};
use futures_util::task::AtomicWaker;
use thiserror::Error;
use tokio::sync::Notify;

use crate::{StreamError, WriteOutcome};

/// The reader of a stream is gone, so nothing more can be written.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the stream's reader is gone")]
pub struct Closed;

/// Why [`BodyWriter::try_send`] did not take a chunk.
#[derive(Debug, Error)]
pub enum TrySendError {
    /// The stream has no room now; the chunk comes back.
    #[error("the stream is full")]
    Full(Bytes),
    /// The reader is gone.
    #[error("the stream's reader is gone")]
    Closed,
}

/// How many bytes a stream holds before it counts as full, however few chunks they are in.
const CAPACITY_BYTES: usize = 1 << 20;

struct State {
    chunks: VecDeque<Bytes>,
    /// The length of all chunks.
    bytes: usize,
    /// Set once by the writer: the clean end, or a failure.
    end: Option<Result<(), StreamError>>,
    /// Set once when the reader is dropped.
    reader_gone: bool,
}

impl State {
    fn clear(&mut self) {
        self.chunks.clear();
        self.bytes = 0;
    }
}

struct Channel {
    capacity: usize,
    state: Mutex<State>,
    /// The one reader, waiting for a chunk or the end.
    readable: AtomicWaker,
    /// Writers, waiting for room or for the reader to go.
    writable: Notify,
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self, state: &State) -> bool {
        state.chunks.len() < self.capacity && state.bytes < CAPACITY_BYTES
    }

    fn finish(&self, end: Result<(), StreamError>) {
        let mut state = self.lock();
        if state.end.is_none() {
            if end.is_err() {
                state.clear();
            }
            state.end = Some(end);
        }
        drop(state);
        self.readable.wake();
        self.writable.notify_waiters();
    }
}

/// The writing end of a stream; dropping it ends the stream.
pub struct BodyWriter {
    channel: Arc<Channel>,
}

impl BodyWriter {
    /// Sends a chunk once the stream has room.
    ///
    /// # Cancel safety
    /// A call that is dropped while it waits has not sent its chunk.
    ///
    /// # Errors
    /// [`Closed`] if the reader is gone.
    pub async fn send(&self, chunk: Bytes) -> Result<(), Closed> {
        let mut chunk = chunk;
        loop {
            match self.try_send(chunk) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed) => return Err(Closed),
                Err(TrySendError::Full(back)) => chunk = back,
            }
            if !self.writable().await {
                return Err(Closed);
            }
        }
    }

    /// Sends a chunk if the stream has room now.
    ///
    /// # Errors
    /// [`TrySendError::Full`] gives the chunk back, [`TrySendError::Closed`] says that the reader is
    /// gone or the stream was failed.
    pub fn try_send(&self, chunk: Bytes) -> Result<(), TrySendError> {
        let mut state = self.channel.lock();
        if state.reader_gone || state.end.is_some() {
            return Err(TrySendError::Closed);
        }
        if !self.channel.has_room(&state) {
            return Err(TrySendError::Full(chunk));
        }
        self.accept(&mut state, chunk);
        drop(state);
        self.channel.readable.wake();
        Ok(())
    }

    /// Takes a chunk whether there is room or not, and says whether to wait before the next.
    pub(crate) fn push(&self, chunk: Bytes) -> WriteOutcome {
        let mut state = self.channel.lock();
        if state.reader_gone || state.end.is_some() {
            return WriteOutcome::Closed;
        }
        self.accept(&mut state, chunk);
        let full = !self.channel.has_room(&state);
        drop(state);
        self.channel.readable.wake();
        if full {
            WriteOutcome::Full
        } else {
            WriteOutcome::Accepted
        }
    }

    // An empty chunk would read like the end to some consumers, and says nothing.
    fn accept(&self, state: &mut State, chunk: Bytes) {
        if !chunk.is_empty() {
            state.bytes += chunk.len();
            state.chunks.push_back(chunk);
        }
    }

    /// Waits for room; false if the reader is gone or the stream has ended.
    pub(crate) async fn writable(&self) -> bool {
        loop {
            let notified = self.channel.writable.notified();
            tokio::pin!(notified);
            // Registered before the look, so that a change after it is not missed.
            notified.as_mut().enable();
            {
                let state = self.channel.lock();
                if state.reader_gone || state.end.is_some() {
                    return false;
                }
                if self.channel.has_room(&state) {
                    return true;
                }
            }
            notified.await;
        }
    }

    /// Fails the stream: what was not read is dropped, and the reader gets the error.
    pub fn fail(self, error: StreamError) {
        self.channel.finish(Err(error));
    }

    /// Fails the stream through a shared writer.
    pub(crate) fn abort(&self, error: StreamError) {
        self.channel.finish(Err(error));
    }

    /// Ends the stream through a shared writer; what was written can still be read.
    pub(crate) fn end(&self) {
        self.channel.finish(Ok(()));
    }

    /// Waits until the reader is gone.
    pub async fn closed(&self) {
        loop {
            let notified = self.channel.writable.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.channel.lock().reader_gone {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for BodyWriter {
    fn drop(&mut self) {
        self.channel.finish(Ok(()));
    }
}

impl fmt::Debug for BodyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyWriter").finish_non_exhaustive()
    }
}

enum Source {
    Channel(Arc<Channel>),
    /// The mutex is never locked: it makes the reader `Sync`, and `&mut self` reaches through it.
    Stream(Mutex<BoxStream<'static, Result<Bytes, StreamError>>>),
    Done,
}

/// The reading end of a stream; dropping it tells the writer that nobody listens.
///
/// It is pulled: nothing is read ahead of its source but what the channel's capacity allows.
pub struct BodyReader {
    source: Source,
}

impl BodyReader {
    /// Makes a stream that holds at most `capacity` chunks (at least one).
    ///
    /// It also counts as full once it holds a mebibyte; the chunk that reaches that may be of any
    /// length.
    ///
    /// # Examples
    /// ```
    /// # use isolane_scheduler::BodyReader;
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let (writer, mut reader) = BodyReader::channel(4);
    /// writer.send("hello".into()).await?;
    /// drop(writer);
    /// assert_eq!(reader.next().await.expect("a chunk")?, "hello");
    /// assert!(reader.next().await.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn channel(capacity: usize) -> (BodyWriter, BodyReader) {
        let channel = Arc::new(Channel {
            capacity: capacity.max(1),
            state: Mutex::new(State {
                chunks: VecDeque::new(),
                bytes: 0,
                end: None,
                reader_gone: false,
            }),
            readable: AtomicWaker::new(),
            writable: Notify::new(),
        });
        let reader = BodyReader {
            source: Source::Channel(Arc::clone(&channel)),
        };
        (BodyWriter { channel }, reader)
    }

    /// Makes a reader that pulls from any stream, and drops it at its end or first error.
    pub fn from_stream(
        stream: impl Stream<Item = Result<Bytes, StreamError>> + Send + 'static,
    ) -> BodyReader {
        BodyReader {
            source: Source::Stream(Mutex::new(stream.boxed())),
        }
    }

    /// Reads the next chunk; none at the end, and nothing but none after an error.
    ///
    /// # Cancel safety
    /// A call that is dropped while it waits has taken nothing.
    ///
    /// # Errors
    /// What the writer failed the stream with.
    pub async fn next(&mut self) -> Option<Result<Bytes, StreamError>> {
        std::future::poll_fn(|cx| self.poll_next_chunk(cx)).await
    }

    /// Whether to read from it is to take what a writer has left there, and no work.
    pub(crate) fn is_light(&self) -> bool {
        !matches!(self.source, Source::Stream(_))
    }

    fn poll_next_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, StreamError>>> {
        let polled = match &mut self.source {
            Source::Channel(channel) => poll_channel(channel, cx),
            Source::Stream(stream) => stream
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .poll_next_unpin(cx),
            Source::Done => Poll::Ready(None),
        };
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.release();
        }
        polled
    }

    fn release(&mut self) {
        if let Source::Channel(channel) = std::mem::replace(&mut self.source, Source::Done) {
            let mut state = channel.lock();
            state.reader_gone = true;
            state.clear();
            drop(state);
            channel.writable.notify_waiters();
        }
    }
}

fn poll_channel(
    channel: &Channel,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, StreamError>>> {
    channel.readable.register(cx.waker());
    let mut state = channel.lock();
    if let Some(chunk) = state.chunks.pop_front() {
        state.bytes -= chunk.len();
        drop(state);
        channel.writable.notify_waiters();
        return Poll::Ready(Some(Ok(chunk)));
    }
    match &state.end {
        Some(Ok(())) => Poll::Ready(None),
        Some(Err(error)) => Poll::Ready(Some(Err(error.clone()))),
        None => Poll::Pending,
    }
}

impl Stream for BodyReader {
    type Item = Result<Bytes, StreamError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_next_chunk(cx)
    }
}

impl Drop for BodyReader {
    fn drop(&mut self) {
        self.release();
    }
}

impl fmt::Debug for BodyReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyReader").finish_non_exhaustive()
    }
}
