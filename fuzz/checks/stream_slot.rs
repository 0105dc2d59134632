//! One of the streams that a script's operations choose among, and what its ends have read and written.

use bytes::Bytes;
use futures_util::FutureExt;
use isolane_scheduler::{
    BodyReader, BodyWriter, SchedulerHandle, StreamError, StreamId, WriteOutcome,
};

/// A stream of the guest's: written by it and read by the host, or the other way round, or both by the host.
pub(super) enum Stream {
    Outgoing {
        id: StreamId,
        reader: Option<BodyReader>,
    },
    Incoming {
        id: StreamId,
        writer: Option<BodyWriter>,
    },
    Forwarded {
        from: StreamId,
        writer: Option<BodyWriter>,
        to: StreamId,
        reader: Option<BodyReader>,
    },
}

pub(super) struct Slot {
    pub(super) stream: Stream,
    pub(super) written: u32,
    pub(super) read: Progress,
    /// Of what was forwarded.
    pub(super) forwarded: Progress,
    /// Whether all that was written has been forwarded.
    pub(super) sent: bool,
}

/// What one end has read.
#[derive(Clone, Copy, Default)]
pub(super) struct Progress {
    /// The number of the next chunk that may be read.
    pub(super) expected: u32,
    /// Whether a chunk may be missing, because its read was cancelled or it went elsewhere.
    pub(super) lossy: bool,
}

impl Slot {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            written: 0,
            read: Progress::default(),
            forwarded: Progress::default(),
            sent: false,
        }
    }

    pub(super) fn id(&self) -> StreamId {
        match self.stream {
            Stream::Outgoing { id, .. }
            | Stream::Incoming { id, .. }
            | Stream::Forwarded { from: id, .. } => id,
        }
    }

    pub(super) fn write(&mut self, handle: &SchedulerHandle) {
        let chunk = Bytes::copy_from_slice(&self.written.to_le_bytes());
        let taken = match &self.stream {
            Stream::Outgoing { id, .. } => handle.write(*id, chunk) != WriteOutcome::Closed,
            Stream::Incoming { writer, .. } | Stream::Forwarded { writer, .. } => writer
                .as_ref()
                .is_some_and(|writer| writer.try_send(chunk).is_ok()),
        };
        self.written += u32::from(taken);
    }

    pub(super) fn end_writing(&mut self, handle: &SchedulerHandle, fails: bool) {
        let error = || StreamError::Guest("failed".into());
        match &mut self.stream {
            Stream::Outgoing { id, .. } if fails => handle.fail_stream(*id, error()),
            Stream::Outgoing { id, .. } => handle.close_stream(*id),
            Stream::Incoming { writer, .. } | Stream::Forwarded { writer, .. } => {
                match writer.take() {
                    Some(writer) if fails => writer.fail(error()),
                    _ => {}
                }
            }
        }
    }

    /// The host reads what there is, where it is who reads.
    pub(super) fn host_reads(&mut self) {
        let (Stream::Outgoing { reader, .. } | Stream::Forwarded { reader, .. }) = &mut self.stream
        else {
            return;
        };
        let Some(reader) = reader else { return };
        let read = reader.next().now_or_never();
        let progress = match self.stream {
            Stream::Forwarded { .. } => &mut self.forwarded,
            _ => &mut self.read,
        };
        match read {
            Some(Some(Ok(chunk))) => progress.accept(&chunk, self.written),
            Some(None) if self.sent => {
                assert!(progress.lossy || progress.expected == self.written);
            }
            _ => {}
        }
    }

    /// The host reads no more; false where it never did.
    pub(super) fn drop_reader(&mut self) -> bool {
        match &mut self.stream {
            Stream::Outgoing { reader, .. } | Stream::Forwarded { reader, .. } => {
                *reader = None;
                true
            }
            Stream::Incoming { .. } => false,
        }
    }
}

impl Progress {
    pub(super) fn accept(&mut self, chunk: &[u8], written: u32) {
        let number = u32::from_le_bytes(chunk.try_into().expect("as it was written"));
        let in_order = number == self.expected || self.lossy && number > self.expected;
        assert!(
            in_order && number < written,
            "{number}, not {}",
            self.expected
        );
        self.expected = number + 1;
    }
}
