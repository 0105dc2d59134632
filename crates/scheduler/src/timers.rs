//! Timers of all contexts: one wheel, owned by one task.
//!
//! The wheel counts milliseconds and rounds up, so nothing fires early. Within one turn of the
//! driver, what is due fires by deadline, and by the order of scheduling where deadlines are equal:
//! the wheel itself promises no order within a millisecond.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

use crate::context::Context;
use crate::{CallbackId, CallbackMessage, RequestId};

/// Longer delays than this count as this; the wheel ends at a little over two years.
const MAX_DELAY: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How many commands are taken before what is due is looked at again.
const COMMAND_BATCH: usize = 4096;

/// A timer that is to be started.
pub(crate) struct Timer {
    pub(crate) context: Arc<Context>,
    pub(crate) request: RequestId,
    pub(crate) id: CallbackId,
    pub(crate) kind: TimerKind,
    deadline: Instant,
}

/// What a timer says when it fires.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TimerKind {
    Timer,
    Deadline,
}

impl Timer {
    pub(crate) fn after(
        delay: Duration,
        kind: TimerKind,
        context: &Arc<Context>,
        (request, id): (RequestId, CallbackId),
    ) -> Self {
        let deadline = Instant::now() + delay.min(MAX_DELAY);
        Self {
            context: Arc::clone(context),
            request,
            id,
            kind,
            deadline,
        }
    }

    fn fire(self) {
        let Self {
            context,
            request,
            id,
            kind,
            ..
        } = self;
        context.complete(
            id,
            match kind {
                TimerKind::Timer => CallbackMessage::TimerFired { request, id },
                TimerKind::Deadline => CallbackMessage::DeadlineReached { request },
            },
        );
    }
}

enum Command {
    Start(Timer),
    Cancel(Vec<CallbackId>),
}

/// The way to the driver, for every context.
#[derive(Clone, Debug)]
pub(crate) struct TimerQueue {
    commands: UnboundedSender<Command>,
}

impl TimerQueue {
    // Sending fails only once the scheduler is gone, and with it everyone who could be answered.
    pub(crate) fn start(&self, timer: Timer) {
        let _ = self.commands.send(Command::Start(timer));
    }

    pub(crate) fn cancel(&self, ids: Vec<CallbackId>) {
        if !ids.is_empty() {
            let _ = self.commands.send(Command::Cancel(ids));
        }
    }
}

/// Starts the driver on the given runtime.
pub(crate) fn start(runtime: &Handle) -> TimerQueue {
    let (commands, receiver) = mpsc::unbounded_channel();
    // Without tokio's budget, which could cut a batch in the middle of a millisecond and so break
    // the order; the driver yields by itself instead.
    runtime.spawn(tokio::task::coop::unconstrained(drive(receiver)));
    TimerQueue { commands }
}

async fn drive(mut commands: UnboundedReceiver<Command>) {
    let mut wheel = Wheel::default();
    let mut batch = Vec::new();
    loop {
        let due = tokio::select! {
            biased;
            received = commands.recv_many(&mut batch, COMMAND_BATCH) => {
                if received == 0 {
                    return;
                }
                batch.drain(..).for_each(|command| wheel.apply(command));
                // A guest that floods the queue must not keep the timers of others from firing.
                wheel.take_due_now().await
            }
            due = poll_fn(|cx| wheel.poll_due(cx)) => due,
        };
        due.into_iter().for_each(Timer::fire);
        tokio::task::yield_now().await;
    }
}

#[derive(Default)]
struct Wheel {
    queue: DelayQueue<(u64, Timer)>,
    keys: HashMap<CallbackId, Key>,
    /// Counts the timers ever started, to keep the order of those with equal deadlines.
    started: u64,
}

impl Wheel {
    fn apply(&mut self, command: Command) {
        match command {
            Command::Start(timer) => {
                self.started += 1;
                let (id, deadline) = (timer.id, timer.deadline);
                let key = self.queue.insert_at((self.started, timer), deadline);
                if let Some(previous) = self.keys.insert(id, key) {
                    self.queue.remove(&previous);
                }
            }
            Command::Cancel(ids) => {
                for key in ids.iter().filter_map(|id| self.keys.remove(id)) {
                    self.queue.remove(&key);
                }
            }
        }
    }

    /// Takes all that is due, in the order it is to fire; pending while nothing is.
    fn poll_due(&mut self, cx: &mut task::Context<'_>) -> Poll<Vec<Timer>> {
        let mut due = Vec::new();
        while let Poll::Ready(Some(expired)) = self.queue.poll_expired(cx) {
            let (order, timer) = expired.into_inner();
            self.keys.remove(&timer.id);
            due.push((order, timer));
        }
        if due.is_empty() {
            return Poll::Pending;
        }
        due.sort_unstable_by_key(|(order, timer)| (timer.deadline, *order));
        Poll::Ready(due.into_iter().map(|(_, timer)| timer).collect())
    }

    async fn take_due_now(&mut self) -> Vec<Timer> {
        poll_fn(|cx| {
            Poll::Ready(match self.poll_due(cx) {
                Poll::Ready(due) => due,
                Poll::Pending => Vec::new(),
            })
        })
        .await
    }
}
