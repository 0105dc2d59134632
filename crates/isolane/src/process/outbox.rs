//! What waits to be written to the other process. Any thread queues frames and never waits for the
//! socket: a caller writes what it takes at once, a thread of the outbox writes the rest.

use std::collections::VecDeque;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{io, thread};

use bytes::Bytes;
use parking_lot::{Condvar, Mutex, MutexGuard};
use rustix::io::Errno;
use rustix::net::SendFlags;

use super::frame::{self, Head, TooLong};

/// Payloads from this length on are queued without being copied.
const LARGE_PAYLOAD: usize = 16 << 10;

/// Memory for small frames is kept up to this size.
const LARGEST_SPARE: usize = 1 << 20;

/// Frames on their way to the other process.
#[derive(Default)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    /// Signalled when the outbox's thread has something to do.
    wanted: Condvar,
}

#[derive(Default)]
struct Queue {
    socket: Option<Arc<UnixStream>>,
    /// What comes before `tail`.
    segments: VecDeque<Bytes>,
    /// Small frames, one after the other.
    tail: Vec<u8>,
    spare: Vec<u8>,
    /// A thread has taken something and is writing it.
    writing: bool,
    /// The outbox's thread is the one that goes on writing.
    handed_over: bool,
    closed: bool,
    /// Bytes that were ever queued, and written.
    queued: u64,
    written: u64,
    /// Counters to be lowered when so many bytes have been written.
    marks: VecDeque<(u64, Arc<AtomicUsize>)>,
}

/// A run of bytes that is written at once.
enum Batch {
    Small(Vec<u8>),
    Large(Bytes),
}

impl Batch {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Small(bytes) => bytes,
            Self::Large(bytes) => bytes,
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Small(bytes) => bytes.into(),
            Self::Large(bytes) => bytes,
        }
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.tail.is_empty()
    }

    fn take(&mut self) -> Batch {
        match self.segments.pop_front() {
            Some(bytes) => Batch::Large(bytes),
            None => {
                let spare = std::mem::take(&mut self.spare);
                Batch::Small(std::mem::replace(&mut self.tail, spare))
            }
        }
    }

    /// Notes what was written of a batch, and puts the rest back.
    fn put_back(&mut self, batch: Batch, written: usize) {
        self.written += written as u64;
        while let Some((_, counter)) = self
            .marks
            .pop_front_if(|(position, _)| *position <= self.written)
        {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
        if written < batch.as_slice().len() {
            self.segments
                .push_front(batch.into_bytes().slice(written..));
        } else if let Batch::Small(mut bytes) = batch
            && bytes.capacity() <= LARGEST_SPARE
        {
            bytes.clear();
            self.spare = bytes;
        }
    }

    fn close(&mut self) {
        self.closed = true;
        self.segments.clear();
        self.tail.clear();
        self.socket = None;
        for (_, counter) in self.marks.drain(..) {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Outbox {
    /// Queues a frame; [`Outbox::flush`] is to follow, once no lock is held.
    ///
    /// # Errors
    ///
    /// [`TooLong`] where the other side would not take it.
    pub(crate) fn queue<H: Head>(&self, head: &H, payload: Bytes) -> Result<(), TooLong> {
        self.append(&mut self.queue.lock(), head, payload)
    }

    /// As [`Outbox::queue`]; `waiting` is one higher until the frame has been written.
    ///
    /// # Errors
    ///
    /// As [`Outbox::queue`].
    pub(crate) fn queue_counted<H: Head>(
        &self,
        head: &H,
        payload: Bytes,
        waiting: &Arc<AtomicUsize>,
    ) -> Result<(), TooLong> {
        let mut queue = self.queue.lock();
        self.append(&mut queue, head, payload)?;
        if !queue.closed {
            waiting.fetch_add(1, Ordering::Relaxed);
            let position = queue.queued;
            queue.marks.push_back((position, waiting.clone()));
        }
        Ok(())
    }

    /// Queues a frame and writes it if that is possible without waiting.
    ///
    /// # Errors
    ///
    /// As [`Outbox::queue`].
    pub(crate) fn send<H: Head>(&self, head: &H, payload: Bytes) -> Result<(), TooLong> {
        self.queue(head, payload)?;
        self.flush();
        Ok(())
    }

    fn append<H: Head>(
        &self,
        queue: &mut MutexGuard<'_, Queue>,
        head: &H,
        payload: Bytes,
    ) -> Result<(), TooLong> {
        if queue.closed {
            // Whoever waits for an answer learns of the end from whoever closed the outbox.
            return Ok(());
        }
        let before = queue.tail.len();
        frame::encode(head, payload.len(), &mut queue.tail)?;
        queue.queued += (queue.tail.len() - before + payload.len()) as u64;
        if payload.len() < LARGE_PAYLOAD {
            queue.tail.extend_from_slice(&payload);
        } else {
            let tail = std::mem::take(&mut queue.tail);
            queue.segments.extend([tail.into(), payload]);
        }
        Ok(())
    }

    /// Writes what the socket takes now, unless another thread is writing.
    pub(crate) fn flush(&self) {
        let mut queue = self.queue.lock();
        if queue.writing || queue.is_empty() {
            return;
        }
        let Some(socket) = queue.socket.clone() else {
            return;
        };
        queue.writing = true;
        let batch = queue.take();
        drop(queue);
        let sent = send(&socket, batch.as_slice(), SendFlags::DONTWAIT);
        let mut queue = self.queue.lock();
        match sent {
            Ok(written) => queue.put_back(batch, written),
            Err(Errno::AGAIN) => queue.put_back(batch, 0),
            Err(_) => queue.close(),
        }
        if queue.is_empty() {
            queue.writing = false;
        } else {
            queue.handed_over = true;
            drop(queue);
            self.wanted.notify_one();
        }
    }

    /// Begins to write to `socket`, on a thread that ends with [`Outbox::close`].
    ///
    /// # Errors
    ///
    /// Where the system cannot make the thread.
    pub(crate) fn attach(self: &Arc<Self>, socket: Arc<UnixStream>) -> io::Result<()> {
        #[cfg(target_vendor = "apple")]
        rustix::net::sockopt::set_socket_nosigpipe(&socket, true)?;
        let outbox = self.clone();
        let writer = socket.clone();
        thread::Builder::new()
            .name("isolane-ipc-out".to_owned())
            .spawn(move || outbox.write_rest(&writer))?;
        self.queue.lock().socket = Some(socket);
        self.flush();
        Ok(())
    }

    /// Drops what was not written; nothing is written after this.
    pub(crate) fn close(&self) {
        self.queue.lock().close();
        self.wanted.notify_all();
    }

    /// The outbox's thread: writes what callers could not.
    fn write_rest(&self, socket: &UnixStream) {
        let mut queue = self.queue.lock();
        loop {
            while !queue.handed_over && !queue.closed {
                self.wanted.wait(&mut queue);
            }
            if queue.closed {
                return;
            }
            if queue.is_empty() {
                queue.writing = false;
                queue.handed_over = false;
                continue;
            }
            let batch = queue.take();
            drop(queue);
            let sent = send(socket, batch.as_slice(), SendFlags::empty());
            queue = self.queue.lock();
            match sent {
                Ok(written) => queue.put_back(batch, written),
                Err(_) => queue.close(),
            }
        }
    }
}

/// Sends without a signal where the other side is gone.
fn send(socket: &UnixStream, bytes: &[u8], flags: SendFlags) -> Result<usize, Errno> {
    #[cfg(not(target_vendor = "apple"))]
    let flags = flags | SendFlags::NOSIGNAL;
    rustix::io::retry_on_intr(|| rustix::net::send(socket, bytes, flags))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::protocol::{Flow, ToChild};
    use super::*;

    fn chunk(stream: u64) -> ToChild {
        ToChild::Flow(Flow::Chunk { stream })
    }

    #[test]
    fn frames_come_out_whole_and_in_order_however_slowly_they_are_read() {
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        let outbox = Arc::new(Outbox::default());
        let mut expected = Vec::new();
        let mut push = |number: u64, length: usize| {
            let payload = Bytes::from(vec![number as u8; length]);
            frame::encode(&chunk(number), length, &mut expected).expect("short enough");
            expected.extend_from_slice(&payload);
            outbox.send(&chunk(number), payload).expect("short enough");
        };
        // More than a socket holds, some of it before there is one.
        (0..50).for_each(|number| push(number, 100));
        outbox.attach(Arc::new(ours)).expect("a thread");
        (50..150).for_each(|number| push(number, number as usize * 200));
        let mut read = vec![0; expected.len()];
        (&theirs).read_exact(&mut read).expect("all of it");
        assert!(read == expected);
        outbox.close();
    }

    #[test]
    fn a_counted_frame_counts_until_it_is_written_or_dropped() {
        let (ours, mut theirs) = UnixStream::pair().expect("a socket pair");
        let outbox = Arc::new(Outbox::default());
        let waiting = Arc::new(AtomicUsize::new(0));
        let queue = || outbox.queue_counted(&chunk(1), Bytes::new(), &waiting);
        queue().and_then(|()| queue()).expect("short enough");
        assert_eq!(waiting.load(Ordering::Relaxed), 2);
        outbox.attach(Arc::new(ours)).expect("a thread");
        theirs.read_exact(&mut [0; 8]).expect("the first bytes");
        // They were written by this thread, in `attach`.
        assert_eq!(waiting.load(Ordering::Relaxed), 0);
        queue().expect("short enough");
        outbox.close();
        assert_eq!(waiting.load(Ordering::Relaxed), 0);
    }
}
