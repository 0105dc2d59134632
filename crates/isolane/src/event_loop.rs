//! The one event loop of all modes: poll the callback channel, process what arrived as one batch,
//! pump V8's platform, run microtasks. Runs on the thread that holds the isolate.

use std::task::{Context, Poll};

use isolane_scheduler::{CallbackMessage, CallbackReceiver};

/// What the event loop needs of a context that waits for answers of the scheduler.
pub trait EventLoopRuntime {
    /// Where the scheduler's answers arrive.
    fn callback_rx_mut(&mut self) -> &mut CallbackReceiver;
    /// Runs the guest's callback for one answer, as a turn charged to the answer's request.
    fn process_callback(&mut self, msg: CallbackMessage);
    /// Runs V8's foreground tasks and the microtasks they caused.
    fn pump_and_checkpoint(&mut self);
}

/// The scheduler has gone away: no answer will come any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scheduler is gone")]
pub struct SchedulerGone;

/// After how many rounds, each of which may ask for the next one's answers, others are let through.
const ROUNDS: usize = 32;

/// Processes the answers that have arrived, and registers `cx` to be woken by the next one.
///
/// Where processing them makes further ones arrive again and again, it returns all the same, and `cx` is woken
/// at once.
///
/// `buffer` is empty before and after; it is the caller's so that its memory is reused.
///
/// # Errors
///
/// [`SchedulerGone`] once the channel is closed and drained.
pub fn drain_and_process<R: EventLoopRuntime>(
    cx: &mut Context<'_>,
    runtime: &mut R,
    buffer: &mut Vec<CallbackMessage>,
) -> Result<(), SchedulerGone> {
    for _ in 0..ROUNDS {
        let closed = loop {
            match runtime.callback_rx_mut().poll_recv(cx) {
                Poll::Ready(Some(message)) => buffer.push(message),
                Poll::Ready(None) => break true,
                Poll::Pending => break false,
            }
        };
        let drained = buffer.is_empty();
        for message in buffer.drain(..) {
            runtime.process_callback(message);
        }
        runtime.pump_and_checkpoint();
        if closed {
            return Err(SchedulerGone);
        }
        if drained {
            return Ok(());
        }
    }
    // A worker whose answers are there at once, as those of a body that keeps arriving.
    cx.waker().wake_by_ref();
    Ok(())
}
