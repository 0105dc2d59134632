//! Which requests of a [`Worker`](crate::Worker) run and which wait: as many run as it may have
//! isolates, the others begin in the order in which they came. Any thread may call.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use isolane_scheduler::RequestId;
use parking_lot::Mutex;

use crate::error::{Error, ErrorKind};
use crate::isolate_thread::Mailbox;
use crate::runtime::realm::Owner;
use crate::runtime::stopping::{self, Group};
use crate::worker::{Command, Run};

/// The requests of one worker.
pub(crate) struct WorkerQueue {
    pub(crate) group: Group,
    /// Requests that have not ended, those that wait included.
    pub(crate) in_flight: Arc<AtomicUsize>,
    max_running: usize,
    max_waiting: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    closed: bool,
    running: Vec<Running>,
    /// Empty while fewer run than may.
    waiting: VecDeque<Box<Run>>,
}

struct Running {
    id: RequestId,
    mailbox: Arc<Mailbox<Command>>,
}

/// What becomes of a request.
pub(crate) enum Admission {
    /// It is the caller's to begin, and to hand to [`WorkerQueue::ended`] after.
    Begins(Box<Run>),
    /// A thread takes it when it has ended another.
    Waits,
    /// It cannot run.
    Refused(Box<Run>, Error),
}

impl WorkerQueue {
    pub(crate) fn new(max_running: usize, max_waiting: usize) -> Self {
        Self {
            group: Group::new(),
            in_flight: Arc::default(),
            max_running,
            max_waiting,
            state: Mutex::default(),
        }
    }

    /// Lets a request run or wait.
    pub(crate) fn admit(&self, run: Run) -> Admission {
        let run = Box::new(run);
        let mut state = self.state.lock();
        if state.closed {
            Admission::Refused(run, Owner::Worker.closed_error())
        } else if state.running.len() < self.max_running {
            state.begin(&run);
            Admission::Begins(run)
        } else if state.waiting.len() < self.max_waiting {
            state.waiting.push_back(run);
            Admission::Waits
        } else {
            Admission::Refused(run, ErrorKind::PoolFull.into())
        }
    }

    /// The request of `mailbox` has ended; the one that is to begin in its place.
    pub(crate) fn ended(&self, mailbox: &Arc<Mailbox<Command>>) -> Option<Box<Run>> {
        let mut state = self.state.lock();
        if let Some(at) = state.position(mailbox) {
            let ended = state.running.swap_remove(at);
            // An abort may have come too late for its request.
            stopping::abort_arrived(ended.id);
        }
        let next = state.waiting.pop_front();
        if let Some(next) = &next {
            state.begin(next);
        }
        next
    }

    /// Takes a request out that has not begun.
    pub(crate) fn take_waiting(&self, request: RequestId) -> Option<Box<Run>> {
        let mut state = self.state.lock();
        let at = state.waiting.iter().position(|run| run.id == request)?;
        state.waiting.remove(at)
    }

    /// Calls `body` where the request of `mailbox` has not ended, which it does not meanwhile.
    pub(crate) fn while_running(&self, mailbox: &Arc<Mailbox<Command>>, body: impl FnOnce()) {
        let state = self.state.lock();
        if state.position(mailbox).is_some() {
            body();
        }
    }

    /// Ends what runs and what waits; what comes later is refused.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.closed = true;
            self.group.close();
            for running in &state.running {
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
    fn begin(&mut self, run: &Run) {
        self.running.push(Running {
            id: run.id,
            mailbox: run.mailbox.clone(),
        });
    }

    fn position(&self, mailbox: &Arc<Mailbox<Command>>) -> Option<usize> {
        let same = |running: &Running| Arc::ptr_eq(&running.mailbox, mailbox);
        self.running.iter().position(same)
    }
}
