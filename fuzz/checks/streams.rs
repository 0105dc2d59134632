//! A context's streams, timers and calls under a script of operations, one a byte and its operands.
//!
//! Whatever the order: each operation is answered at most once and never after it was cancelled,
//! and a stream gives what was written, in order, and nothing else.

mod stream_slot;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{pending, ready};
use isolane_scheduler::fuzz_support::connect;
use isolane_scheduler::{
    BodyReader, CallbackMessage, CallbackReceiver, ForwardEnd, SchedulerHandle, SchedulerMessage,
    StreamId, next_id,
};
use tokio::runtime::{Builder, Runtime};

use self::stream_slot::{Progress, Slot, Stream};

/// Slots that operands choose among.
const REQUESTS: usize = 3;
const STREAMS: usize = 6;
const MAX_OPERATIONS: usize = 512;

pub(crate) fn check(data: &[u8]) {
    let mut script = Script::new(data);
    for _ in 0..MAX_OPERATIONS {
        if !script.step() {
            break;
        }
    }
    script.finish();
}

/// What an operation's answer must be like.
enum Asked {
    Read(usize, StreamId),
    Writable,
    Timer,
    Call,
    Forward {
        slot: usize,
        from: StreamId,
        to: StreamId,
        most: Option<u64>,
    },
}

struct Script<'data> {
    data: std::slice::Iter<'data, u8>,
    runtime: Runtime,
    handle: SchedulerHandle,
    answers: CallbackReceiver,
    requests: [u64; REQUESTS],
    slots: [Option<Slot>; STREAMS],
    asked: HashMap<u64, (usize, Asked)>,
}

impl<'data> Script<'data> {
    fn new(data: &'data [u8]) -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let (handle, answers) = connect(runtime.handle());
        Self {
            data: data.iter(),
            runtime,
            handle,
            answers,
            requests: std::array::from_fn(|_| next_id()),
            slots: Default::default(),
            asked: HashMap::new(),
        }
    }

    fn operand(&mut self) -> usize {
        self.data.next().copied().map_or(0, usize::from)
    }

    /// Carries out one operation; false at the script's end.
    fn step(&mut self) -> bool {
        let Some(&operation) = self.data.next() else {
            return false;
        };
        let (request, slot) = (self.operand() % REQUESTS, self.operand() % STREAMS);
        match operation % 17 {
            0 => self.open(request, slot),
            1 => self.register(request, slot),
            2 | 3 => self.write(slot),
            4 => self.end_writing(slot),
            5 | 6 => self.host_reads(slot),
            7 => self.host_leaves(slot),
            8 => self.read(request, slot),
            9 => self.ask(request, Asked::Writable, slot),
            10 => self.ask(request, Asked::Timer, slot),
            11 => self.ask(request, Asked::Call, slot),
            12 => self.cancel_stream(slot),
            13 => self.cancel_request(request),
            14 => self.cancel_some(slot),
            15 => self.forward(request, slot),
            _ => self.run(),
        }
        true
    }

    fn open(&mut self, request: usize, slot: usize) {
        let capacity = self.operand() % 4;
        let (id, reader) = match self.operand() % 2 {
            0 => self.handle.open_stream(capacity),
            _ => self
                .handle
                .open_stream_for(self.requests[request], capacity),
        };
        let reader = Some(reader);
        self.slots[slot] = Some(Slot::new(Stream::Outgoing { id, reader }));
    }

    fn register(&mut self, request: usize, slot: usize) {
        let (writer, reader) = BodyReader::channel(self.operand() % 4);
        let id = match self.operand() % 2 {
            0 => self.handle.register_stream(reader),
            _ => self
                .handle
                .register_stream_for(self.requests[request], reader),
        };
        let writer = Some(writer);
        self.slots[slot] = Some(Slot::new(Stream::Incoming { id, writer }));
    }

    fn write(&mut self, slot: usize) {
        if let Some(slot) = &mut self.slots[slot] {
            slot.write(&self.handle);
        }
    }

    fn end_writing(&mut self, slot: usize) {
        let fails = self.operand() % 2 == 1;
        if let Some(slot) = &mut self.slots[slot] {
            slot.end_writing(&self.handle, fails);
        }
    }

    fn host_reads(&mut self, slot: usize) {
        // What the guest reads of a stream before it is forwarded was there first.
        self.drain();
        if let Some(slot) = &mut self.slots[slot] {
            slot.host_reads();
        }
    }

    fn host_leaves(&mut self, slot: usize) {
        if !self.slots[slot].as_mut().is_some_and(Slot::drop_reader) {
            self.slots[slot] = None;
        }
    }

    fn read(&mut self, request: usize, slot: usize) {
        if let Some(slot) = &mut self.slots[slot] {
            slot.forwarded.lossy = true;
        }
        let stream = self.slots[slot].as_ref().map_or(0, Slot::id);
        self.ask(request, Asked::Read(slot, stream), slot);
    }

    /// Forwards a stream from the host to one of which the host has read all.
    fn forward(&mut self, request: usize, slot: usize) {
        let other = self.operand() % STREAMS;
        let most = (self.operand() as u64).checked_sub(64);
        self.drain();
        let to = self.slots[other].take_if(|to| {
            matches!(to.stream, Stream::Outgoing { .. }) && to.read.expected == to.written
        });
        let Some(Slot {
            stream: Stream::Outgoing { id: to, reader },
            ..
        }) = to
        else {
            return;
        };
        let Some(from) = &mut self.slots[slot] else {
            return;
        };
        let Stream::Incoming { id, writer } = &mut from.stream else {
            return;
        };
        let (id, writer) = (*id, writer.take());
        let is_read = |asked: &Asked| matches!(asked, Asked::Read(_, stream) if *stream == id);
        from.forwarded = Progress {
            lossy: from.read.lossy || self.asked.values().any(|(_, asked)| is_read(asked)),
            ..from.read
        };
        from.read.lossy = true;
        from.stream = Stream::Forwarded {
            from: id,
            writer,
            to,
            reader,
        };
        let asked = Asked::Forward {
            slot,
            from: id,
            to,
            most,
        };
        self.ask(request, asked, slot);
    }

    fn ask(&mut self, request: usize, asked: Asked, slot: usize) {
        let id = next_id();
        let of = self.requests[request];
        let stream = self.slots[slot].as_ref().map_or(0, Slot::id);
        let message = match asked {
            Asked::Read(..) => SchedulerMessage::StreamRead {
                request: of,
                id,
                stream,
            },
            Asked::Writable => SchedulerMessage::StreamWritable {
                request: of,
                id,
                stream,
            },
            Asked::Timer => SchedulerMessage::Timer {
                request: of,
                id,
                delay: Duration::from_secs(slot as u64 % 2 * 3600),
            },
            Asked::Call => SchedulerMessage::HostCall {
                request: of,
                id,
                call: match slot % 2 {
                    0 => ready(Ok(Bytes::new())).boxed(),
                    _ => pending().boxed(),
                },
                is_light: (slot / 2).is_multiple_of(2),
            },
            Asked::Forward { from, to, most, .. } => SchedulerMessage::StreamForward {
                request: of,
                id,
                from,
                to,
                most,
            },
        };
        self.asked.insert(id, (request, asked));
        self.handle.send(message);
    }

    fn cancel_stream(&mut self, slot: usize) {
        let end = self.operand() % 2;
        if let Some(slot) = &mut self.slots[slot] {
            let stream = match slot.stream {
                Stream::Forwarded { to, .. } if end == 1 => {
                    slot.forwarded.lossy = true;
                    to
                }
                _ => slot.id(),
            };
            self.handle.send(SchedulerMessage::CancelStream { stream });
        }
    }

    fn cancel_request(&mut self, request: usize) {
        // What is already in the receiver may still be received: it was sent before.
        self.drain();
        let ended = self.requests[request];
        self.handle
            .send(SchedulerMessage::CancelRequest { request: ended });
        for (_, asked) in self.asked.extract_if(|_, (of, _)| *of == request) {
            if let (_, Asked::Read(slot, stream)) = asked
                && let Some(slot) = &mut self.slots[slot]
                && slot.id() == stream
            {
                slot.read.lossy = true;
            }
        }
        // Any of them may have been forwarded for it, or to a stream of its own.
        for slot in self.slots.iter_mut().flatten() {
            slot.forwarded.lossy = true;
        }
        // Reads of others that waited behind its own may be answered now, but nothing that it asked for.
        self.drain();
        self.requests[request] = next_id();
    }

    /// Cancels the timer or the call that was asked for first, as `CancelTimer` or `CancelFetch`.
    fn cancel_some(&mut self, choice: usize) {
        self.drain();
        let timers_and_calls = self
            .asked
            .iter()
            .filter(|(_, (_, asked))| matches!(asked, Asked::Timer | Asked::Call));
        let Some(id) = timers_and_calls.map(|(id, _)| *id).min() else {
            return;
        };
        self.asked.remove(&id);
        self.handle.send(match choice % 2 {
            0 => SchedulerMessage::CancelTimer { id },
            _ => SchedulerMessage::CancelFetch { id },
        });
    }

    fn run(&mut self) {
        self.runtime.block_on(async {
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
        });
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(answer) = self.answers.try_recv() {
            self.accept(answer);
        }
    }

    fn accept(&mut self, answer: CallbackMessage) {
        let (id, chunk) = match &answer {
            CallbackMessage::StreamChunk { id, chunk, .. } => (*id, chunk.clone()),
            CallbackMessage::StreamFailed { id, .. }
            | CallbackMessage::StreamWritable { id, .. }
            | CallbackMessage::StreamForwarded { id, .. }
            | CallbackMessage::TimerFired { id, .. }
            | CallbackMessage::HostCallDone { id, .. } => (*id, None),
            other => panic!("nobody asked for {other:?}"),
        };
        let (request, asked) = self
            .asked
            .remove(&id)
            .expect("asked for, once, and not cancelled");
        assert_eq!(answer.request(), self.requests[request]);
        let (Asked::Read(slot, stream)
        | Asked::Forward {
            slot, from: stream, ..
        }) = asked
        else {
            return;
        };
        // The slot may have got another stream since.
        let Some(slot) = self.slots[slot].as_mut().filter(|slot| slot.id() == stream) else {
            return;
        };
        match (chunk, answer) {
            (Some(chunk), _) => slot.read.accept(&chunk, slot.written),
            (None, CallbackMessage::StreamForwarded { end, .. }) => {
                slot.sent = matches!(end, ForwardEnd::Sent);
            }
            _ => {}
        }
    }

    /// Ends all requests: nothing is answered any more, and every stream is over.
    fn finish(mut self) {
        self.run();
        for request in 0..REQUESTS {
            self.cancel_request(request);
        }
        self.run();
        drop(self.handle);
        let mut answers = self.answers;
        let last = self.runtime.block_on(async move { answers.recv().await });
        assert!(last.is_none(), "answered after the end: {last:?}");
    }
}
