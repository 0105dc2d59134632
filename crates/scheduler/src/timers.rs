//! Timers of all contexts: one ordered queue, owned by one task.
//!
//! The queue is a tree ordered by deadline and then by the order of scheduling, not a hashed wheel:
//! a wheel loses the order within its slots, and scripts rely on it. Waiting itself is tokio's, to
//! the millisecond; nothing fires before its exact deadline.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, sleep_until};

use crate::context::Context;
use crate::{CallbackId, CallbackMessage, RequestId};

/// Longer delays than this count as this, because clocks cannot add any duration.
const MAX_DELAY: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A timer that is to be started.
pub(crate) struct Timer {
    context: Arc<Context>,
    request: RequestId,
    id: CallbackId,
    kind: TimerKind,
    deadline: Instant,
}

/// What a timer says when it fires.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TimerKind {
    Timer,
    Deadline,
}

impl Timer {
    /// Makes a timer whose delay begins now, on the thread that asks for it.
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
pub(crate) struct TimerSender {
    commands: UnboundedSender<Command>,
}

impl TimerSender {
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
pub(crate) fn start(runtime: &Handle) -> TimerSender {
    let (commands, receiver) = mpsc::unbounded_channel();
    runtime.spawn(drive(receiver));
    TimerSender { commands }
}

async fn drive(mut commands: UnboundedReceiver<Command>) {
    let mut queue = TimerQueue::default();
    loop {
        // What was asked before `now` is queued before what was due at `now` fires: so the order
        // holds however far behind this task is, and a flood of commands delays nobody's timers.
        let now = Instant::now();
        for _ in 0..commands.len() {
            if let Ok(command) = commands.try_recv() {
                queue.apply(command);
            }
        }
        queue.fire_until(now);
        let next = queue.next_deadline();
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                Some(command) => queue.apply(command),
                None => return,
            },
            () = sleep_until(next.unwrap_or(now)), if next.is_some() => {}
        }
    }
}

/// A place in the queue: the deadline, then the count of timers started before.
type Place = (Instant, u64);

#[derive(Default)]
struct TimerQueue {
    timers: BTreeMap<Place, Timer>,
    places: HashMap<CallbackId, Place>,
    started: u64,
}

impl TimerQueue {
    fn apply(&mut self, command: Command) {
        match command {
            Command::Start(timer) => {
                self.started += 1;
                let place = (timer.deadline, self.started);
                if let Some(replaced) = self.places.insert(timer.id, place) {
                    self.timers.remove(&replaced);
                }
                self.timers.insert(place, timer);
            }
            Command::Cancel(ids) => {
                for place in ids.iter().filter_map(|id| self.places.remove(id)) {
                    self.timers.remove(&place);
                }
            }
        }
    }

    fn fire_until(&mut self, now: Instant) {
        while let Some(first) = self.timers.first_entry() {
            if first.key().0 > now {
                return;
            }
            let timer = first.remove();
            self.places.remove(&timer.id);
            timer.fire();
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.timers
            .first_key_value()
            .map(|((deadline, _), _)| *deadline)
    }
}
