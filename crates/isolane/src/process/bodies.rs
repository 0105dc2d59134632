//! Bodies that cross between the processes: small ones inside their frame, the rest as streams, in
//! either direction and with credit: a sender sends no more than the reader has room for.
//!
//! Senders run on the scheduler's threads; frames are taken in by the thread that reads the socket.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use isolane_scheduler::{Body, BodyReader, StreamError, next_id};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;

use crate::outbound::scheduler;

use super::frame::Malformed;
use super::protocol::{Flow, WireBody};

/// Bodies up to this length travel inside their frame.
const LONGEST_INLINE: usize = 256 << 10;

/// The longest chunk of a stream; a source's longer ones are cut.
const LONGEST_CHUNK: usize = 64 << 10;

/// What credit is counted in; a shorter chunk costs one too, as it costs a frame.
const UNIT: usize = 4 << 10;

/// How many units a stream's sender may be ahead of its reader.
const WINDOW: u32 = 64;

fn units(bytes: usize) -> u32 {
    // At most LONGEST_CHUNK / UNIT.
    bytes.div_ceil(UNIT).max(1) as u32
}

type Send = dyn Fn(Flow, Bytes) + core::marker::Send + Sync;

/// The streams of one connection, by their sender's ids.
pub(crate) struct Streams {
    me: Weak<Streams>,
    send: Box<Send>,
    outgoing: Mutex<HashMap<u64, Outgoing>>,
    incoming: Mutex<HashMap<u64, Incoming>>,
}

struct Outgoing {
    credit: Arc<Semaphore>,
    source: Source,
}

enum Source {
    /// Its frame is on its way; a reader that goes as quickly as that is noticed too.
    Announced(BodyReader),
    Sending(AbortHandle),
}

impl Outgoing {
    fn cancel(self) {
        match self.source {
            Source::Announced(reader) => drop(reader),
            Source::Sending(task) => task.abort(),
        }
    }
}

struct Incoming {
    chunks: mpsc::UnboundedSender<Result<Bytes, StreamError>>,
    /// Units that arrived and were not read yet.
    unread: Arc<AtomicU32>,
}

/// A stream that was announced, to be given to [`Streams::start`] after the frame that names it has
/// been queued. Dropped instead, the stream is given up.
pub(crate) struct Announced {
    id: u64,
    streams: Weak<Streams>,
}

impl Drop for Announced {
    fn drop(&mut self) {
        let given_up = self
            .streams
            .upgrade()
            .and_then(|streams| streams.outgoing.lock().remove(&self.id));
        drop(given_up);
    }
}

impl Streams {
    /// Streams that send their parts through `send`.
    pub(crate) fn new(
        send: impl Fn(Flow, Bytes) + core::marker::Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            send: Box::new(send),
            outgoing: Mutex::default(),
            incoming: Mutex::default(),
        })
    }

    /// How a body is put into a frame: what its head says, its payload, and what follows.
    pub(crate) fn announce(&self, body: Body) -> (WireBody, Bytes, Option<Announced>) {
        let (kind, whole) = match body {
            Body::Empty => return (WireBody::Empty, Bytes::new(), None),
            Body::Stream(reader) => return self.announce_stream(reader),
            Body::Bytes(bytes) => (WireBody::Bytes, bytes),
            Body::Text(text) => (WireBody::Text, text.into()),
        };
        if whole.len() <= LONGEST_INLINE {
            return (kind, whole, None);
        }
        let chunks = futures_util::stream::iter([Ok(whole)]);
        self.announce_stream(BodyReader::from_stream(chunks))
    }

    fn announce_stream(&self, reader: BodyReader) -> (WireBody, Bytes, Option<Announced>) {
        let id = next_id();
        let outgoing = Outgoing {
            credit: Arc::new(Semaphore::new(WINDOW as usize)),
            source: Source::Announced(reader),
        };
        self.outgoing.lock().insert(id, outgoing);
        let streams = self.me.clone();
        (
            WireBody::Stream(id),
            Bytes::new(),
            Some(Announced { id, streams }),
        )
    }

    /// Begins to send a stream, unless its reader has gone already.
    pub(crate) fn start(&self, announced: Option<Announced>) {
        let Some(mut announced) = announced else {
            return;
        };
        let id = announced.id;
        // It is not given up any more.
        announced.streams = Weak::new();
        std::mem::forget(announced);
        // Held until the task is noted, so that a short stream does not end before.
        let mut outgoing = self.outgoing.lock();
        let Some(Outgoing { credit, source }) = outgoing.remove(&id) else {
            return;
        };
        let Source::Announced(reader) = source else {
            return;
        };
        let (streams, own_credit) = (self.me.clone(), credit.clone());
        let task = scheduler().spawn(async move {
            let end = pump(id, reader, &own_credit, &streams).await;
            if let Some(streams) = streams.upgrade() {
                streams.outgoing.lock().remove(&id);
                (streams.send)(end, Bytes::new());
            }
        });
        let source = Source::Sending(task.abort_handle());
        outgoing.insert(id, Outgoing { credit, source });
    }

    /// The body that a frame brought.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for a text that is none, a payload that nothing announced, an id that is in use.
    pub(crate) fn receive(&self, body: WireBody, payload: Bytes) -> Result<Body, Malformed> {
        match body {
            WireBody::Bytes => Ok(Body::Bytes(payload)),
            WireBody::Text => String::from_utf8(payload.into())
                .map(Body::Text)
                .map_err(|_| Malformed::Meaning("a text that is not UTF-8")),
            WireBody::Empty | WireBody::Stream(_) if !payload.is_empty() => {
                Err(Malformed::Meaning("a payload without a body"))
            }
            WireBody::Empty => Ok(Body::Empty),
            WireBody::Stream(id) => self.receive_stream(id),
        }
    }

    fn receive_stream(&self, id: u64) -> Result<Body, Malformed> {
        let (chunks, receiver) = mpsc::unbounded_channel();
        let unread = Arc::new(AtomicU32::new(0));
        let incoming = Incoming {
            chunks,
            unread: unread.clone(),
        };
        if self.incoming.lock().insert(id, incoming).is_some() {
            return Err(Malformed::Meaning("a stream that is open already"));
        }
        Ok(Body::Stream(BodyReader::from_stream(Received {
            id,
            streams: self.me.clone(),
            chunks: receiver,
            unread,
            read: 0,
            ended: false,
        })))
    }

    /// Takes in a part of a stream. One of a stream that was given up is dropped.
    ///
    /// # Errors
    ///
    /// [`Malformed`] where the other side sends more than there is room for, or gives credit for more
    /// than it got.
    pub(crate) fn take_in(&self, flow: Flow, payload: Bytes) -> Result<(), Malformed> {
        match flow {
            Flow::Chunk { stream } => {
                let incoming = self.incoming.lock();
                let Some(incoming) = incoming.get(&stream) else {
                    return Ok(());
                };
                let more = units(payload.len());
                let before = incoming.unread.fetch_add(more, Ordering::Relaxed);
                if payload.len() > LONGEST_CHUNK || before + more > WINDOW {
                    return Err(Malformed::Meaning("a chunk without credit"));
                }
                // Where the reader has just gone, the stream is about to be cancelled.
                let _ = incoming.chunks.send(Ok(payload));
            }
            Flow::End { stream, error } => {
                let ended = self.incoming.lock().remove(&stream);
                if let (Some(incoming), Some(error)) = (ended, error) {
                    let _ = incoming.chunks.send(Err(error.into()));
                }
            }
            Flow::Credit { stream, units } => {
                let outgoing = self.outgoing.lock();
                if let Some(Outgoing { credit, .. }) = outgoing.get(&stream) {
                    if credit.available_permits() + units as usize > WINDOW as usize {
                        return Err(Malformed::Meaning("credit for more than was sent"));
                    }
                    credit.add_permits(units as usize);
                }
            }
            Flow::Cancel { stream } => {
                let cancelled = self.outgoing.lock().remove(&stream);
                if let Some(cancelled) = cancelled {
                    cancelled.cancel();
                }
            }
        }
        Ok(())
    }

    /// Ends all streams: the connection is gone.
    pub(crate) fn fail_all(&self, error: &StreamError) {
        let outgoing = std::mem::take(&mut *self.outgoing.lock());
        outgoing.into_values().for_each(Outgoing::cancel);
        let incoming = std::mem::take(&mut *self.incoming.lock());
        for Incoming { chunks, .. } in incoming.into_values() {
            let _ = chunks.send(Err(error.clone()));
        }
    }
}

/// Sends chunks while there is credit; gives the frame that ends the stream.
async fn pump(
    stream: u64,
    mut reader: BodyReader,
    credit: &Semaphore,
    streams: &Weak<Streams>,
) -> Flow {
    let mut paid = 0;
    loop {
        // Nothing is pulled from its source before there is room for some of it.
        pay(credit, 1 - paid).await;
        paid = 1;
        let mut rest = match reader.next().await {
            Some(Ok(chunk)) => chunk,
            Some(Err(error)) => {
                let error = Some(error.into());
                return Flow::End { stream, error };
            }
            None => {
                return Flow::End {
                    stream,
                    error: None,
                };
            }
        };
        while !rest.is_empty() {
            let chunk = rest.split_to(rest.len().min(LONGEST_CHUNK));
            pay(credit, units(chunk.len()) - paid).await;
            paid = 0;
            if let Some(streams) = streams.upgrade() {
                (streams.send)(Flow::Chunk { stream }, chunk);
            }
        }
    }
}

async fn pay(credit: &Semaphore, units: u32) {
    // It is never closed, so this does not fail.
    if let Ok(permit) = credit.acquire_many(units).await {
        permit.forget();
    }
}

/// The reading end of a stream from the other process.
struct Received {
    id: u64,
    streams: Weak<Streams>,
    chunks: mpsc::UnboundedReceiver<Result<Bytes, StreamError>>,
    unread: Arc<AtomicU32>,
    /// Units that were read and for which the sender was given no credit yet.
    read: u32,
    ended: bool,
}

impl Stream for Received {
    type Item = Result<Bytes, StreamError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.chunks.poll_recv(cx);
        match &polled {
            Poll::Ready(Some(Ok(chunk))) => {
                let read = units(chunk.len());
                let unread = self.unread.fetch_sub(read, Ordering::Relaxed) - read;
                self.read += read;
                // The sender is told before it has to stop, and not for every chunk.
                if self.read >= WINDOW / 4 || unread == 0 {
                    self.give_credit();
                }
            }
            Poll::Ready(_) => self.ended = true,
            Poll::Pending => {}
        }
        polled
    }
}

impl Received {
    fn give_credit(&mut self) {
        let (stream, units) = (self.id, std::mem::take(&mut self.read));
        if let Some(streams) = self.streams.upgrade() {
            (streams.send)(Flow::Credit { stream, units }, Bytes::new());
        }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Some(streams) = self.streams.upgrade()
            && streams.incoming.lock().remove(&self.id).is_some()
        {
            (streams.send)(Flow::Cancel { stream: self.id }, Bytes::new());
        }
    }
}

#[cfg(test)]
mod tests;
