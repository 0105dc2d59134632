//! A lane's items and its state. Any thread pushes, wakes, retires or abandons; one pool thread at a
//! time takes items out, between `begin` and `finish`. Another thread may do something in its place, between
//! `begin_aside` and `finish`.
//!
//! The state is one atomic of four bits, and every step is a read-modify-write of it, so that all
//! steps have one order and each sees what those before it brought:
//!
//! | Bits | The lane |
//! |---|---|
//! | none | is idle |
//! | `SCHEDULED` | is on a run queue |
//! | `RUNNING` | is run by a thread |
//! | `RUNNING`, `SCHEDULED` | is run, and something came meanwhile: its thread looks again |
//! | `RETIRED` | takes nothing any more |
//! | `RETIRED`, `RUNNING` | was abandoned while a thread runs it |
//!
//! `POLL_WANTED` may be set beside each of them.

use std::fmt;

use crate::slot::ThreadId;
use crate::sync::{AtomicU8, AtomicUsize, Ordering, Queue};

const SCHEDULED: u8 = 1;
const RUNNING: u8 = 2;
const POLL_WANTED: u8 = 4;
const RETIRED: u8 = 8;

/// The items of one lane, and whose turn it is to run them.
pub struct LaneQueue<T> {
    items: Queue<T>,
    state: AtomicU8,
    /// The thread that ran the lane last, or none.
    thread: AtomicUsize,
}

/// What is left of a lane that was closed while a thread may have run it.
#[derive(Debug)]
pub struct Abandoned<T> {
    /// What it had not begun.
    pub items: Vec<T>,
    /// Whether a thread runs the lane or is about to, and will call
    /// [`Lane::returned`](crate::Lane::returned) if it comes back.
    pub will_return: bool,
}

/// What becomes of a lane when its thread has run a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// There is nothing to do; who brings something schedules it.
    Idle,
    /// There is more to do, and the caller has to put it on a run queue.
    Again,
    /// It was abandoned meanwhile.
    Abandoned,
}

impl<T> Default for LaneQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> LaneQueue<T> {
    /// An idle lane's queue, without items.
    pub fn new() -> Self {
        Self {
            items: Queue::new(),
            state: AtomicU8::new(0),
            thread: AtomicUsize::new(usize::MAX),
        }
    }

    /// Whether the lane has nothing to do and no thread is about to run it.
    pub fn is_idle(&self) -> bool {
        self.state.load(Ordering::SeqCst) == 0
    }

    /// Whether nothing waits in it. Only a hint for all but the thread that runs the lane.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The thread that runs the lane or ran it last.
    pub fn thread(&self) -> Option<ThreadId> {
        ThreadId::unpack(self.thread.load(Ordering::Relaxed))
    }

    /// Takes the oldest item. Only for the thread that runs the lane; an abandoned lane gives none.
    pub fn pop(&self) -> Option<T> {
        if self.state.load(Ordering::Relaxed) & RETIRED != 0 {
            return None;
        }
        self.items.pop()
    }

    /// Whether the lane was woken since this was last asked. Only for the thread that runs the lane.
    pub fn take_poll_wanted(&self) -> bool {
        self.state.fetch_and(!POLL_WANTED, Ordering::AcqRel) & POLL_WANTED != 0
    }

    /// Closes an idle lane for good; false where it has something to do or is closed already.
    pub fn retire(&self) -> bool {
        self.state
            .compare_exchange(0, RETIRED, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Closes the lane while a thread may still run it.
    ///
    /// That thread gets no more items; when it comes back it calls
    /// [`Lane::returned`](crate::Lane::returned) and leaves the lane.
    pub fn abandon(&self) -> Abandoned<T> {
        let before = self.state.fetch_or(RETIRED, Ordering::AcqRel);
        Abandoned {
            items: std::iter::from_fn(|| self.items.pop()).collect(),
            will_return: before & (RUNNING | SCHEDULED) != 0,
        }
    }

    /// Adds an item; says whether the caller has to put the lane on a run queue. A closed lane gives
    /// back the item, or another that was pushed at the same time, whose pusher then gets none.
    pub(crate) fn push(&self, item: T) -> Result<bool, T> {
        self.items.push(item);
        let before = self.state.fetch_or(SCHEDULED, Ordering::AcqRel);
        if before & RETIRED != 0 {
            return self.items.pop().map_or(Ok(false), Err);
        }
        Ok(before & (SCHEDULED | RUNNING) == 0)
    }

    /// Asks for a poll; says whether the caller has to put the lane on a run queue.
    pub(crate) fn want_poll(&self) -> bool {
        let before = self
            .state
            .fetch_or(SCHEDULED | POLL_WANTED, Ordering::AcqRel);
        before & (SCHEDULED | RUNNING | RETIRED) == 0
    }

    /// The calling thread, which took the lane off a run queue, begins to run it.
    pub(crate) fn begin(&self, thread: ThreadId) {
        self.thread.store(thread.pack(), Ordering::Relaxed);
        let before = self.state.fetch_xor(SCHEDULED | RUNNING, Ordering::AcqRel);
        debug_assert_eq!(before & (SCHEDULED | RUNNING), SCHEDULED);
    }

    /// The calling thread begins to run an idle lane, which is on no run queue; false where it is not idle.
    pub(crate) fn begin_aside(&self) -> bool {
        self.state
            .compare_exchange(0, RUNNING, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// The calling thread has run a batch.
    pub(crate) fn finish(&self) -> Next {
        loop {
            // Closed lanes are left to whoever closed them, whatever is still in them.
            let state = self.state.load(Ordering::Relaxed);
            if state & RETIRED == 0 && (!self.items.is_empty() || state & POLL_WANTED != 0) {
                self.state.fetch_or(SCHEDULED, Ordering::AcqRel);
                self.state.fetch_and(!RUNNING, Ordering::AcqRel);
                return Next::Again;
            }
            let idle = self
                .state
                .compare_exchange(RUNNING, 0, Ordering::AcqRel, Ordering::Relaxed);
            match idle {
                Ok(_) => return Next::Idle,
                Err(state) if state & RETIRED != 0 => return Next::Abandoned,
                // Something came: forget the sign, which shows what it brought, and look again.
                Err(_) => self.state.fetch_and(!SCHEDULED, Ordering::AcqRel),
            };
        }
    }
}

impl<T> fmt::Debug for LaneQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneQueue")
            .field("is_idle", &self.is_idle())
            .field("thread", &self.thread())
            .finish_non_exhaustive()
    }
}
