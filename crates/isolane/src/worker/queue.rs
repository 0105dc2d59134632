//! Which requests of a [`Worker`](crate::Worker) run and which wait: as many run as it may have
//! isolates, the others begin in the order in which they came. Any thread may call.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use isolane_scheduler::RequestId;
use parking_lot::Mutex;

use crate::demand::Demand;
use crate::error::{Error, ErrorKind, Owner};
use crate::isolate_thread::Mailbox;
use crate::limits::rescue::{self, ThreadUser};
use crate::runtime::stopping::Group;

use super::ahead::{self, Ahead, Permit};
use super::run::{Begun, Command, Recipe, Run, serve_on_new_thread};

/// The requests of one worker.
pub(super) struct WorkerQueue {
    me: Weak<WorkerQueue>,
    recipe: Recipe,
    /// Requests that have not ended, those that wait included.
    in_flight: Arc<AtomicUsize>,
    max_running: usize,
    max_waiting: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    closed: bool,
    running: Vec<(RequestId, Arc<Seat>)>,
    /// Empty while fewer run than may.
    waiting: VecDeque<Box<Run>>,
    ahead: Ahead,
    /// When requests begin.
    demand: Demand,
}

/// An isolate's thread, as others reach it.
pub(super) struct Seat {
    pub(super) mailbox: Arc<Mailbox<Command>>,
    /// Names its turns to the watchdog.
    pub(super) group: Group,
    queue: Weak<WorkerQueue>,
}

/// What becomes of a request.
pub(super) enum Admission {
    /// It is the caller's to begin, and to hand to [`WorkerQueue::ended`] after.
    Begins(Begun),
    /// A thread has it, or takes it when it has ended another.
    Accepted,
    /// It cannot run.
    Refused(Box<Run>, Error),
}

impl WorkerQueue {
    pub(super) fn new(recipe: Recipe, max_running: usize, max_waiting: usize) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            recipe,
            in_flight: Arc::default(),
            max_running,
            max_waiting,
            state: Mutex::default(),
        })
    }

    pub(super) fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// What counts the requests that have not ended.
    pub(super) fn counter(&self) -> &Arc<AtomicUsize> {
        &self.in_flight
    }

    /// Lets a request run or wait.
    pub(super) fn admit(&self, run: Run) -> Admission {
        let run = Box::new(run);
        let mut state = self.state.lock();
        if state.closed {
            Admission::Refused(run, Owner::Worker.closed_error())
        } else if state.running.len() < self.max_running {
            match self.begin(&mut state, run) {
                Some(begun) => Admission::Begins(begun),
                None => Admission::Accepted,
            }
        } else if state.waiting.len() < self.max_waiting {
            state.waiting.push_back(run);
            Admission::Accepted
        } else {
            Admission::Refused(run, ErrorKind::PoolFull.into())
        }
    }

    /// Lets a request run: where an isolate was made ahead its thread has it now, else it is returned.
    fn begin(&self, state: &mut State, run: Box<Run>) -> Option<Begun> {
        state.demand.note(Instant::now());
        if run.takes_usual_limits(&self.recipe.limits)
            && let Some(seat) = state.ahead.take_ready()
        {
            state.running.push((run.id, seat.clone()));
            seat.mailbox.send(Command::Serve(run));
            return None;
        }
        let seat = self.seat();
        state.running.push((run.id, seat.clone()));
        Some((run, seat))
    }

    fn seat(&self) -> Arc<Seat> {
        let seat = Arc::new(Seat {
            mailbox: Mailbox::new(),
            group: Group::new(),
            queue: self.me.clone(),
        });
        let user: Arc<dyn ThreadUser> = seat.clone();
        rescue::register(seat.group.id(), Arc::downgrade(&user));
        seat
    }

    /// A request that ran has ended; the one that is to begin in its place.
    pub(super) fn ended(&self, seat: &Arc<Seat>) -> Option<Begun> {
        let mut state = self.state.lock();
        let at = state
            .running
            .iter()
            .position(|(_, running)| Arc::ptr_eq(running, seat))?;
        state.running.swap_remove(at);
        let next = state.waiting.pop_front()?;
        self.begin(&mut state, next)
    }

    /// Takes a request out that has not begun.
    pub(super) fn take_waiting(&self, request: RequestId) -> Option<Box<Run>> {
        let mut state = self.state.lock();
        let at = state.waiting.iter().position(|run| run.id == request)?;
        state.waiting.remove(at)
    }

    /// Where the request runs, if it does.
    pub(super) fn seat_of(&self, request: RequestId) -> Option<Arc<Seat>> {
        let state = self.state.lock();
        let found = state.running.iter().find(|(id, _)| *id == request);
        found.map(|(_, seat)| seat.clone())
    }

    /// Has the next request's isolate made, where there is none and one is likely to come soon.
    pub(super) fn make_ahead(self: &Arc<Self>) {
        let seat = {
            let mut state = self.state.lock();
            if !state.demand.is_frequent() || !matches!(state.ahead, Ahead::None) {
                return;
            }
            let Some(permit) = Permit::take() else {
                return;
            };
            let seat = self.seat();
            state.ahead = Ahead::Coming(seat.clone(), permit);
            seat
        };
        ahead::make_on_new_thread(seat, self);
    }

    /// An isolate that was made ahead waits for its request; says whether one is still wanted.
    pub(super) fn is_ready(&self, seat: &Arc<Seat>) -> bool {
        let mut state = self.state.lock();
        match std::mem::take(&mut state.ahead) {
            Ahead::Coming(coming, permit) if Arc::ptr_eq(&coming, seat) => {
                state.ahead = Ahead::Ready(coming, permit);
                true
            }
            other => {
                state.ahead = other;
                false
            }
        }
    }

    /// None could be made ahead, and none is tried again: the next one would fare alike.
    pub(super) fn is_not_ready(&self, seat: &Arc<Seat>) {
        let mut state = self.state.lock();
        if matches!(&state.ahead, Ahead::Coming(coming, _) if Arc::ptr_eq(coming, seat)) {
            state.ahead = Ahead::Unwanted;
        }
    }

    /// An isolate has waited for long enough; says whether it has not been given a request meanwhile.
    pub(super) fn takes_back(&self, seat: &Arc<Seat>) -> bool {
        let mut state = self.state.lock();
        let waits = matches!(&state.ahead, Ahead::Ready(ready, _) if Arc::ptr_eq(ready, seat));
        if waits {
            state.ahead = Ahead::None;
        }
        waits
    }

    /// Has no isolate made ahead any more, and ends the one that was.
    pub(super) fn expect_no_more(&self) {
        self.state.lock().ahead.end();
    }

    /// Ends what runs and what waits; what comes later is refused.
    pub(super) fn close(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.closed = true;
            state.ahead.end();
            for (_, seat) in &state.running {
                seat.close();
            }
            std::mem::take(&mut state.waiting)
        };
        for run in waiting {
            run.fail(Owner::Worker.closed_error());
        }
    }
}

impl Seat {
    /// Ends what runs or waits there.
    pub(super) fn close(&self) {
        self.group.close();
        self.mailbox.send(Command::Close);
    }
}

impl ThreadUser for Seat {
    /// The thread does not come back from a turn, so another one takes what waits for it.
    fn given_up(self: Arc<Self>, _error: &Error) {
        let Some(queue) = self.queue.upgrade() else {
            return;
        };
        queue.is_not_ready(&self);
        if let Some(next) = queue.ended(&self) {
            serve_on_new_thread(next, &queue);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        rescue::forget(self.group.id());
    }
}
