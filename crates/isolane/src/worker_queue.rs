//! Which requests of a [`Worker`](crate::Worker) run and which wait: as many run as it may have
//! isolates, the others begin in the order in which they came. Any thread may call.

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};

use isolane_scheduler::RequestId;
use parking_lot::Mutex;

use crate::error::{Error, ErrorKind, Owner};
use crate::isolate_thread::Mailbox;
use crate::limits::rescue::{self, ThreadUser};
use crate::runtime::stopping::Group;
use crate::worker::{Begun, Command, Run, serve_on_new_thread};

/// The requests of one worker.
pub(crate) struct WorkerQueue {
    me: Weak<WorkerQueue>,
    /// Requests that have not ended, those that wait included.
    pub(crate) in_flight: Arc<AtomicUsize>,
    max_running: usize,
    max_waiting: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    closed: bool,
    running: Vec<Arc<Running>>,
    /// Empty while fewer run than may.
    waiting: VecDeque<Box<Run>>,
}

/// What other threads reach a request by that runs.
pub(crate) struct Running {
    pub(crate) id: RequestId,
    pub(crate) mailbox: Arc<Mailbox<Command>>,
    /// Names its turns to the watchdog.
    pub(crate) group: Group,
    queue: Weak<WorkerQueue>,
}

/// What becomes of a request.
pub(crate) enum Admission {
    /// It is the caller's to begin, and to hand to [`WorkerQueue::ended`] after.
    Begins(Begun),
    /// A thread takes it when it has ended another.
    Waits,
    /// It cannot run.
    Refused(Box<Run>, Error),
}

impl WorkerQueue {
    pub(crate) fn new(max_running: usize, max_waiting: usize) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            in_flight: Arc::default(),
            max_running,
            max_waiting,
            state: Mutex::default(),
        })
    }

    /// Lets a request run or wait.
    pub(crate) fn admit(&self, run: Run) -> Admission {
        let run = Box::new(run);
        let mut state = self.state.lock();
        if state.closed {
            Admission::Refused(run, Owner::Worker.closed_error())
        } else if state.running.len() < self.max_running {
            Admission::Begins(self.begin(&mut state, run))
        } else if state.waiting.len() < self.max_waiting {
            state.waiting.push_back(run);
            Admission::Waits
        } else {
            Admission::Refused(run, ErrorKind::PoolFull.into())
        }
    }

    fn begin(&self, state: &mut State, run: Box<Run>) -> Begun {
        let running = Arc::new(Running {
            id: run.id,
            mailbox: Mailbox::new(),
            group: Group::new(),
            queue: self.me.clone(),
        });
        let user: Arc<dyn ThreadUser> = running.clone();
        rescue::register(running.group.id(), Arc::downgrade(&user));
        state.running.push(running.clone());
        (run, running)
    }

    /// A request that ran has ended; the one that is to begin in its place.
    pub(crate) fn ended(&self, request: RequestId) -> Option<Begun> {
        let mut state = self.state.lock();
        let at = state.position(request)?;
        state.running.swap_remove(at);
        let next = state.waiting.pop_front()?;
        Some(self.begin(&mut state, next))
    }

    /// Takes a request out that has not begun.
    pub(crate) fn take_waiting(&self, request: RequestId) -> Option<Box<Run>> {
        let mut state = self.state.lock();
        let at = state.waiting.iter().position(|run| run.id == request)?;
        state.waiting.remove(at)
    }

    /// What reaches the request, where it runs.
    pub(crate) fn running(&self, request: RequestId) -> Option<Arc<Running>> {
        let state = self.state.lock();
        state.position(request).map(|at| state.running[at].clone())
    }

    /// Ends what runs and what waits; what comes later is refused.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.closed = true;
            for running in &state.running {
                running.group.close();
                running.mailbox.send(Command::Close);
            }
            std::mem::take(&mut state.waiting)
        };
        for run in waiting {
            run.fail(Owner::Worker.closed_error());
        }
    }
}

impl State {
    fn position(&self, request: RequestId) -> Option<usize> {
        self.running
            .iter()
            .position(|running| running.id == request)
    }
}

impl ThreadUser for Running {
    /// The thread does not come back from a turn, so another one takes what waits for it.
    fn given_up(self: Arc<Self>, _error: &Error) {
        let Some(queue) = self.queue.upgrade() else {
            return;
        };
        if let Some(next) = queue.ended(self.id) {
            serve_on_new_thread(next, &queue);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        rescue::forget(self.group.id());
    }
}
