//! Timers of all contexts: one ordered queue, and the one thread that fires what is due.
//!
//! The queue is a tree ordered by deadline and then by the order of scheduling, not a hashed wheel:
//! a wheel loses the order within its slots, and scripts rely on it. The threads that hold isolates
//! start and cancel timers in it directly; its lock is held for one change. A thread of its own waits,
//! because tokio's timers are a millisecond late and wait for the tasks of their thread; nothing fires
//! before its exact deadline, and as little as the system allows after it. What is due when it is started fires there,
//! on the thread that starts it, unless something due before it has yet to fire.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use crate::context::Context;
use crate::{CallbackId, CallbackMessage, IdMap, RequestId};

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

/// A place in the queue: the deadline, then the count of timers started before.
type Place = (Instant, u64);

#[derive(Default)]
struct State {
    timers: BTreeMap<Place, Timer>,
    places: IdMap<Place>,
    /// Counts the timers ever started, to keep the order of those with equal deadlines.
    started: u64,
    /// When the driver looks again by itself; none while it waits to be told.
    ///
    /// Written by the driver, and by whoever starts a timer that is due before that.
    next_look: Option<Instant>,
    /// The driver waits: nothing that it took out of the queue is still to be said.
    driver_waits: bool,
    /// Nothing is to fire any more.
    stopped: bool,
}

impl State {
    /// Whether a timer with that deadline fires here and now, before none that precedes it.
    fn may_fire_at_once(&self, deadline: Instant) -> bool {
        let is_first = || {
            let first = self.timers.first_key_value();
            first.is_none_or(|((first, _), _)| deadline < *first)
        };
        self.driver_waits && deadline <= Instant::now() && is_first()
    }
}

/// All timers of all contexts of one scheduler.
#[derive(Default)]
pub(crate) struct TimerQueue {
    state: Mutex<State>,
    /// Tells the driver to look again.
    earlier: Condvar,
}

impl TimerQueue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a timer; the driver is woken only if it would look too late.
    ///
    /// Waking a sleeping thread costs more than all else here, and most timers are deadlines of
    /// requests, which are cancelled long before they are due. One without a delay, which a guest starts to let
    /// others go first, would cost its request ten times as much.
    pub(crate) fn start(&self, timer: Timer) {
        let mut state = self.lock();
        let deadline = timer.deadline;
        if state.may_fire_at_once(deadline) {
            drop(state);
            return timer.fire();
        }
        state.started += 1;
        let place = (deadline, state.started);
        let replaced = state.places.insert(timer.id, place);
        let replaced = replaced.and_then(|place| state.timers.remove(&place));
        state.timers.insert(place, timer);
        let too_late = state.next_look.is_none_or(|look| deadline < look);
        if too_late {
            state.next_look = Some(deadline);
        }
        drop(state);
        drop(replaced);
        if too_late {
            self.earlier.notify_one();
        }
    }

    /// Takes timers out of the queue; those that have fired are not in it.
    pub(crate) fn cancel(&self, ids: &[CallbackId]) {
        if ids.is_empty() {
            return;
        }
        let mut state = self.lock();
        let cancelled: Vec<_> = ids
            .iter()
            .filter_map(|id| {
                let place = state.places.remove(id)?;
                state.timers.remove(&place)
            })
            .collect();
        drop(state);
        drop(cancelled);
    }

    /// Takes what is due, in order, and notes when to look again.
    fn take_due(&self) -> Vec<Timer> {
        let mut due = Vec::new();
        let mut state = self.lock();
        let now = Instant::now();
        while let Some(first) = state.timers.first_entry() {
            if first.key().0 > now {
                break;
            }
            let timer = first.remove();
            state.places.remove(&timer.id);
            due.push(timer);
        }
        state.next_look = state
            .timers
            .first_key_value()
            .map(|((deadline, _), _)| *deadline);
        due
    }

    /// Fires what is due, in order.
    pub(crate) fn fire_due(&self) {
        self.take_due().into_iter().for_each(Timer::fire);
    }

    /// Waits until something may be due; false where nothing is to fire any more.
    fn wait(&self) -> bool {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let left = state
                .next_look
                .map(|look| look.saturating_duration_since(now));
            state.driver_waits = !state.stopped && left != Some(Duration::ZERO);
            if !state.driver_waits {
                return !state.stopped;
            }
            state = match left {
                Some(left) => {
                    let waited = self.earlier.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .earlier
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Ends the driver, which may be firing; nothing that is due later fires.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.earlier.notify_one();
    }
}

/// Has the system wake the calling thread when it is due. Linux lets others that sleep go up to 50 us longer, to
/// wake several at once.
fn be_woken_in_time() {
    #[cfg(target_os = "linux")]
    // Where that is refused, timers are late by as much.
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
}

/// Starts the driver on a thread of that name.
///
/// # Errors
/// What the system says when it refuses a thread.
pub(crate) fn start(thread_name: String) -> io::Result<Arc<TimerQueue>> {
    let queue = Arc::new(TimerQueue::default());
    let driven = Arc::clone(&queue);
    thread::Builder::new().name(thread_name).spawn(move || {
        be_woken_in_time();
        while driven.wait() {
            driven.take_due().into_iter().for_each(Timer::fire);
        }
    })?;
    Ok(queue)
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;
    use tokio::sync::mpsc::UnboundedReceiver;

    use crate::SchedulerMessage;

    use super::*;

    /// A queue that nobody drives, and a context with its answers.
    fn undriven() -> (
        Arc<TimerQueue>,
        Arc<Context>,
        UnboundedReceiver<CallbackMessage>,
    ) {
        let queue = Arc::new(TimerQueue::default());
        let (callbacks, answers) = tokio::sync::mpsc::unbounded_channel();
        let context = Context::new(
            Handle::current(),
            Arc::clone(&queue),
            crate::compute::processors(),
            callbacks,
        );
        (queue, context, answers)
    }

    fn start_now(context: &Arc<Context>, id: CallbackId) {
        let (request, delay) = (1, Duration::ZERO);
        context.handle(SchedulerMessage::Timer { request, id, delay });
    }

    fn fired(answers: &mut UnboundedReceiver<CallbackMessage>) -> Vec<CallbackId> {
        std::iter::from_fn(|| answers.try_recv().ok())
            .map(|answer| match answer {
                CallbackMessage::TimerFired { id, .. } => id,
                other => panic!("not a timer: {other:?}"),
            })
            .collect()
    }

    #[tokio::test]
    async fn what_is_due_when_it_is_started_fires_there() {
        let (queue, context, mut answers) = undriven();
        queue.lock().driver_waits = true;
        start_now(&context, 1);
        start_now(&context, 2);
        assert_eq!(fired(&mut answers), [1, 2]);
        queue.lock().stopped = true;
        queue.wait();
        start_now(&context, 3);
        assert_eq!(fired(&mut answers), [], "it fired although all is to end");
    }

    #[tokio::test]
    async fn what_is_due_goes_after_what_was_due_before() {
        let (queue, context, mut answers) = undriven();
        start_now(&context, 1);
        queue.lock().driver_waits = true;
        start_now(&context, 2);
        assert_eq!(fired(&mut answers), [], "the first one has not fired");
        assert!(queue.wait());
        let due = queue.take_due();
        start_now(&context, 3);
        assert_eq!(fired(&mut answers), [], "the first two have not fired");
        due.into_iter().for_each(Timer::fire);
        queue.fire_due();
        assert_eq!(fired(&mut answers), [1, 2, 3]);
    }

    // Clocks finer than a microsecond make equal deadlines too rare to be seen from outside.
    #[tokio::test]
    async fn equal_deadlines_fire_in_the_order_they_were_started() {
        let (queue, context, _answers) = undriven();
        let deadline = Instant::now();
        for id in [5, 3, 9, 1] {
            let context = Arc::clone(&context);
            let (request, kind) = (1, TimerKind::Timer);
            queue.start(Timer {
                context,
                request,
                id,
                kind,
                deadline,
            });
        }
        queue.cancel(&[9]);
        let due = queue.take_due();
        assert_eq!(
            due.iter().map(|timer| timer.id).collect::<Vec<_>>(),
            [5, 3, 1]
        );
        assert_eq!(queue.lock().next_look, None);
    }
}
