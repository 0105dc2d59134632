//! Timers of all contexts: one ordered queue, and the one thread that fires what is due.
//!
//! The queue is a tree ordered by deadline and then by the order of scheduling, not a hashed wheel:
//! a wheel loses the order within its slots, and scripts rely on it. The threads that hold isolates
//! start and cancel timers in it directly; its lock is held for one change. A thread of its own waits,
//! because tokio's timers are a millisecond late and wait for the tasks of their thread; nothing fires
//! before its exact deadline, and as little as the system allows after it.

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
    /// Nothing is to fire any more.
    stopped: bool,
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
    /// requests, which are cancelled long before they are due.
    pub(crate) fn start(&self, timer: Timer) {
        let mut state = self.lock();
        let deadline = timer.deadline;
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
            if state.stopped {
                return false;
            }
            let now = Instant::now();
            state = match state.next_look {
                Some(look) if look <= now => return true,
                Some(look) => {
                    let waited = self.earlier.wait_timeout(state, look - now);
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

    use super::*;

    // Clocks finer than a microsecond make equal deadlines too rare to be seen from outside.
    #[tokio::test]
    async fn equal_deadlines_fire_in_the_order_they_were_started() {
        let queue = Arc::new(TimerQueue::default());
        let (callbacks, _answers) = tokio::sync::mpsc::unbounded_channel();
        let context = Context::new(
            Handle::current(),
            Arc::clone(&queue),
            crate::compute::processors(),
            callbacks,
        );
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
