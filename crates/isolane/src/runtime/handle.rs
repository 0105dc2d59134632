//! A [`Runtime`] on a thread of its own, for hosts that are elsewhere.

use std::sync::Arc;

use bytes::Bytes;
use isolane_scheduler::{RequestId, next_id};

use crate::error::{Error, ErrorKind};
use crate::isolate_thread::{self, Command as _, Receiver, Rest};
use crate::limits::watchdog;
use crate::request::RunOptions;
use crate::settlement::{AbortTarget, RunFuture, Settlement, received_as_sent};

use super::active_request::Responder;
use super::events::Event;
use super::{Runtime, RuntimeOptions};

/// The size of an isolate's heap, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapStatistics {
    /// What the heap has taken from the system.
    pub total_heap_bytes: usize,
    /// What is in use.
    pub used_heap_bytes: usize,
    /// What the heap may grow to.
    pub heap_limit_bytes: usize,
    /// ArrayBuffers and other memory outside of the heap.
    pub external_bytes: usize,
    /// V8's own bookkeeping outside of the heap.
    pub malloced_bytes: usize,
}

received_as_sent!(HeapStatistics);

impl HeapStatistics {
    pub(crate) fn of(isolate: &mut v8::Isolate) -> Self {
        let statistics = isolate.get_heap_statistics();
        Self {
            total_heap_bytes: statistics.total_heap_size(),
            used_heap_bytes: statistics.used_heap_size(),
            heap_limit_bytes: statistics.heap_size_limit(),
            external_bytes: statistics.external_memory(),
            malloced_bytes: statistics.malloced_memory(),
        }
    }
}

enum Command {
    Evaluate(Box<Evaluation>),
    HeapStatistics(Settlement<HeapStatistics>),
    Abort(RequestId),
    Close(Settlement<()>),
}

struct Evaluation {
    id: RequestId,
    event: Event,
    settlement: Settlement<Bytes>,
    options: RunOptions,
}

/// A runtime on its own thread; any thread may use the handle.
///
/// # Examples
///
/// ```
/// use isolane::{RunOptions, RuntimeHandle, RuntimeOptions};
///
/// let runtime = RuntimeHandle::new(RuntimeOptions::default())?;
/// let answer = runtime.evaluate("6 * 7", None, RunOptions::default());
/// # let _ = answer;
/// # Ok::<(), isolane::Error>(())
/// ```
pub struct RuntimeHandle(Arc<Line>);

type Line = isolate_thread::Line<Command>;

impl RuntimeHandle {
    /// Starts a thread with a runtime on it.
    ///
    /// # Errors
    ///
    /// `ERR_INTERNAL` where the system cannot make a thread.
    pub fn new(options: RuntimeOptions) -> Result<Self, Error> {
        let line = Line::open("isolane-runtime", move |receiver, line| {
            serve(receiver, &options, line.group());
        })?;
        Ok(Self(line))
    }

    /// Runs a script; the answer is its value (of a promise: what it resolves to) in V8's structured
    /// clone wire format.
    pub fn evaluate(
        &self,
        source: impl Into<String>,
        filename: Option<String>,
        options: RunOptions,
    ) -> RunFuture<Bytes> {
        let id = next_id();
        let target: Arc<dyn AbortTarget> = Arc::new(RuntimeAbort(self.0.clone()));
        let (future, settlement) = RunFuture::new(id, Some(target));
        let event = Event::Evaluate {
            source: source.into(),
            filename: filename.unwrap_or_else(|| "script.js".to_owned()),
        };
        let expected = self.0.expected();
        self.0.send(Command::Evaluate(Box::new(Evaluation {
            id,
            event,
            settlement,
            options,
        })));
        future.expect(expected)
    }

    /// The size of the runtime's heap.
    pub fn heap_statistics(&self) -> RunFuture<HeapStatistics> {
        let (future, settlement) = RunFuture::new(next_id(), None);
        self.0.send(Command::HeapStatistics(settlement));
        future
    }

    /// Ends what runs with `ERR_CLOSED`, and the thread; a second call is answered at once.
    pub fn close(&self) -> RunFuture<()> {
        let (future, settlement) = RunFuture::new(next_id(), None);
        self.0.send_close(Command::Close(settlement));
        future
    }
}

impl Drop for RuntimeHandle {
    fn drop(&mut self) {
        drop(self.close());
    }
}

impl isolate_thread::Command for Command {
    fn refuse(self) {
        let error: Error = ErrorKind::Closed("the runtime").into();
        match self {
            Self::Evaluate(evaluation) => evaluation.settlement.settle(Err(error)),
            Self::HeapStatistics(settlement) => settlement.settle(Err(error)),
            Self::Close(settlement) => settlement.settle(Ok(())),
            Self::Abort(_) => {}
        }
    }
}

struct RuntimeAbort(Arc<Line>);

impl AbortTarget for RuntimeAbort {
    fn abort(self: Arc<Self>, request: RequestId) {
        watchdog::abort_running(request);
        self.0.send(Command::Abort(request));
    }
}

/// The thread's life: a runtime, replaced by a new one where a limit has condemned it.
fn serve(receiver: &Receiver<Command>, options: &RuntimeOptions, group: u64) {
    let mut runtime: Option<Runtime> = None;
    receiver.serve(|cx| {
        while let Some(command) = receiver.take() {
            if let Command::Close(settlement) = command {
                if let Some(runtime) = &mut runtime {
                    runtime.fail_all(&ErrorKind::Closed("the runtime").into());
                }
                runtime = None;
                settlement.settle(Ok(()));
                return Rest::End;
            }
            if runtime.as_ref().is_some_and(Runtime::is_condemned) {
                runtime = None;
            }
            if runtime.is_none() {
                match Runtime::in_group(options.clone(), group) {
                    Ok(made) => runtime = Some(made),
                    Err(_) => {
                        command.refuse();
                        continue;
                    }
                }
            }
            if let Some(runtime) = &mut runtime {
                carry_out(runtime, command);
            }
        }
        if let Some(runtime) = &mut runtime
            && runtime.poll(cx).is_err()
        {
            return Rest::End;
        }
        Rest::UntilWoken
    });
}

fn carry_out(runtime: &mut Runtime, command: Command) {
    match command {
        Command::Evaluate(evaluation) => {
            let Evaluation {
                id,
                event,
                settlement,
                options,
            } = *evaluation;
            runtime.start(id, event, Responder::Evaluate(settlement), options);
        }
        Command::HeapStatistics(settlement) => settlement.settle(Ok(runtime.heap_statistics())),
        Command::Abort(request) => runtime.abort(request, &ErrorKind::Aborted.into()),
        Command::Close(_) => {}
    }
}
