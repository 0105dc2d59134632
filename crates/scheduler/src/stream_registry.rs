//! The streams of one context, by id: incoming ones that it reads, outgoing ones that it writes.
//!
//! The thread that holds the isolate registers, writes and closes; the scheduler's threads read and
//! wait. A stream belongs to the request it was registered for, or to the first that waits on it.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;
use futures_util::future::maybe_done;
use tokio_util::sync::CancellationToken;

use crate::{
    BodyReader, BodyWriter, CallbackId, CallbackMessage, ForwardEnd, IdMap, IdSet, RequestId,
    StreamError, StreamId, WriteOutcome, next_id,
};

struct Entry {
    request: Option<RequestId>,
    end: End,
}

#[derive(Clone)]
enum End {
    Incoming(Incoming),
    Outgoing(Arc<BodyWriter>),
}

#[derive(Clone)]
struct Incoming {
    /// Fair, so that reads are answered in the order they were asked.
    reader: Arc<tokio::sync::Mutex<BodyReader>>,
    /// Whether a read does no work of its own.
    is_light: bool,
    /// Ends the reads under way, which would otherwise keep the reader and its source alive.
    cancelled: CancellationToken,
}

impl End {
    fn cancel(self) {
        match self {
            End::Incoming(incoming) => incoming.cancelled.cancel(),
            End::Outgoing(writer) => writer.abort(StreamError::Aborted),
        }
    }
}

/// All open streams of one context.
#[derive(Default)]
pub(crate) struct StreamRegistry {
    streams: Arc<Mutex<Streams>>,
}

#[derive(Default)]
struct Streams {
    entries: IdMap<Entry>,
    /// Those of each request.
    by_request: IdMap<IdSet>,
}

impl Streams {
    fn remove(&mut self, stream: StreamId) -> Option<End> {
        let Entry { request, end } = self.entries.remove(&stream)?;
        if let Some(request) = request
            && let Some(streams) = self.by_request.get_mut(&request)
        {
            streams.remove(&stream);
            if streams.is_empty() {
                self.by_request.remove(&request);
            }
        }
        Some(end)
    }

    /// Gives a stream that has none yet a request.
    fn give(&mut self, stream: StreamId, request: RequestId) {
        if let Some(entry) = self.entries.get_mut(&stream)
            && entry.request.is_none()
        {
            entry.request = Some(request);
            self.by_request.entry(request).or_default().insert(stream);
        }
    }
}

/// What is removed is to be dropped after the lock: it may wake whoever looks here next.
fn lock(streams: &Mutex<Streams>) -> MutexGuard<'_, Streams> {
    streams.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StreamRegistry {
    pub(crate) fn register(&self, request: Option<RequestId>, reader: BodyReader) -> StreamId {
        let incoming = Incoming {
            is_light: reader.is_light(),
            reader: Arc::new(tokio::sync::Mutex::new(reader)),
            cancelled: CancellationToken::new(),
        };
        self.insert(request, End::Incoming(incoming))
    }

    pub(crate) fn open(
        &self,
        request: Option<RequestId>,
        capacity_chunks: usize,
    ) -> (StreamId, BodyReader) {
        let (writer, reader) = BodyReader::channel(capacity_chunks);
        (
            self.insert(request, End::Outgoing(Arc::new(writer))),
            reader,
        )
    }

    fn insert(&self, request: Option<RequestId>, end: End) -> StreamId {
        let id = next_id();
        let mut streams = lock(&self.streams);
        streams.entries.insert(id, Entry { request: None, end });
        if let Some(request) = request {
            streams.give(id, request);
        }
        id
    }

    /// Writes a chunk to an outgoing stream; never waits.
    pub(crate) fn write(&self, stream: StreamId, chunk: Bytes) -> WriteOutcome {
        let Some(End::Outgoing(writer)) = self.end_of(stream, None) else {
            return WriteOutcome::Closed;
        };
        let outcome = writer.push(chunk);
        if outcome == WriteOutcome::Closed {
            self.remove(stream);
        }
        outcome
    }

    /// Ends an outgoing stream: cleanly, or with the given error.
    pub(crate) fn finish(&self, stream: StreamId, error: Option<StreamError>) {
        match (self.remove(stream), error) {
            (Some(End::Outgoing(writer)), None) => writer.end(),
            (Some(End::Outgoing(writer)), Some(error)) => writer.abort(error),
            (Some(incoming), _) => incoming.cancel(),
            (None, _) => {}
        }
    }

    pub(crate) fn cancel(&self, stream: StreamId) {
        if let Some(end) = self.remove(stream) {
            end.cancel();
        }
    }

    pub(crate) fn cancel_request(&self, request: RequestId) {
        let mut streams = lock(&self.streams);
        let ids = streams.by_request.remove(&request).unwrap_or_default();
        let ended: Vec<_> = ids.iter().filter_map(|id| streams.remove(*id)).collect();
        drop(streams);
        ended.into_iter().for_each(End::cancel);
    }

    pub(crate) fn close(&self) {
        let ended = std::mem::take(&mut *lock(&self.streams));
        let ended = ended.entries.into_values();
        ended.for_each(|entry| entry.end.cancel());
    }

    /// Reads one chunk of an incoming stream and makes the answer of it; says whether that does no work of
    /// its own, so that any thread may do it.
    pub(crate) fn read(
        &self,
        request: RequestId,
        id: CallbackId,
        stream: StreamId,
    ) -> (bool, impl Future<Output = CallbackMessage> + Send + use<>) {
        let end = self.end_of(stream, Some(request));
        let streams = Arc::clone(&self.streams);
        let (is_light, read) = match end {
            Some(End::Incoming(incoming)) => (incoming.is_light, Some(incoming.read())),
            _ => (true, None),
        };
        let answer = async move {
            let read = match read {
                Some(read) => read.await,
                None => Some(Err(StreamError::NotOpen)),
            };
            if matches!(read, None | Some(Err(_))) {
                let ended = lock(&streams).remove(stream);
                drop(ended);
            }
            match read.transpose() {
                Ok(chunk) => CallbackMessage::StreamChunk { request, id, chunk },
                Err(error) => CallbackMessage::StreamFailed { request, id, error },
            }
        };
        (is_light, answer)
    }

    /// Waits until an outgoing stream has room and makes the answer of it.
    pub(crate) fn writable(
        &self,
        request: RequestId,
        id: CallbackId,
        stream: StreamId,
    ) -> impl Future<Output = CallbackMessage> + Send + use<> {
        let end = self.end_of(stream, Some(request));
        async move {
            let open = match end {
                Some(End::Outgoing(writer)) => writer.writable().await,
                _ => false,
            };
            CallbackMessage::StreamWritable { request, id, open }
        }
    }

    /// Sends what an incoming stream gives to an outgoing one, and closes that at its end; says whether it
    /// does no work of its own in between.
    pub(crate) fn forward(
        &self,
        request: RequestId,
        from: StreamId,
        to: StreamId,
        most: Option<u64>,
    ) -> (bool, impl Future<Output = ForwardEnd> + Send + use<>) {
        let ends = (
            self.end_of(from, Some(request)),
            self.end_of(to, Some(request)),
        );
        let streams = Arc::clone(&self.streams);
        let (is_light, ends) = match ends {
            (Some(End::Incoming(incoming)), Some(End::Outgoing(writer))) => {
                (incoming.is_light, Some((incoming, writer)))
            }
            _ => (true, None),
        };
        let forward = async move {
            let Some((incoming, writer)) = ends else {
                return ForwardEnd::Failed(StreamError::NotOpen);
            };
            let end = incoming.forward(&writer, most).await;
            match &end {
                ForwardEnd::Sent => {
                    let mut streams = lock(&streams);
                    let ended = (streams.remove(from), streams.remove(to));
                    drop(streams);
                    drop(ended);
                    writer.end();
                }
                ForwardEnd::Failed(_) => {
                    let ended = lock(&streams).remove(from);
                    drop(ended);
                }
                ForwardEnd::ReaderGone | ForwardEnd::TooLong => {}
            }
            end
        };
        (is_light, forward)
    }

    /// Finds a stream, and gives it to the request if it has none yet.
    fn end_of(&self, stream: StreamId, request: Option<RequestId>) -> Option<End> {
        let mut streams = lock(&self.streams);
        if let Some(request) = request {
            streams.give(stream, request);
        }
        let entry = streams.entries.get(&stream)?;
        Some(entry.end.clone())
    }

    fn remove(&self, stream: StreamId) -> Option<End> {
        lock(&self.streams).remove(stream)
    }
}

impl Incoming {
    async fn forward(self, writer: &BodyWriter, most: Option<u64>) -> ForwardEnd {
        tokio::select! {
            biased;
            () = writer.closed() => ForwardEnd::ReaderGone,
            () = self.cancelled.cancelled() => ForwardEnd::Failed(StreamError::Aborted),
            end = self.send_all(writer, most) => end,
        }
    }

    async fn send_all(&self, writer: &BodyWriter, most: Option<u64>) -> ForwardEnd {
        let mut reader = self.reader.lock().await;
        let mut left = most;
        loop {
            let chunk = match reader.next().await {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return ForwardEnd::Failed(error),
                None => return ForwardEnd::Sent,
            };
            if let Some(left) = &mut left {
                let Some(rest) = left.checked_sub(chunk.len() as u64) else {
                    return ForwardEnd::TooLong;
                };
                *left = rest;
            }
            if writer.send(chunk).await.is_err() {
                return ForwardEnd::ReaderGone;
            }
        }
    }

    /// Takes a place in the line of reads, now, and gives the future that reads.
    fn read(self) -> impl Future<Output = Option<Result<Bytes, StreamError>>> + Send + use<> {
        let mut turn = Box::pin(maybe_done(self.reader.lock_owned()));
        // The first poll queues for the lock; without it the order would be that of the tasks.
        let _ = turn.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        async move {
            let reading = async {
                turn.as_mut().await;
                match turn.as_mut().take_output() {
                    Some(mut reader) => reader.next().await,
                    None => None,
                }
            };
            tokio::select! {
                biased;
                () = self.cancelled.cancelled() => Some(Err(StreamError::Aborted)),
                read = reading => read,
            }
        }
    }
}
