//! A lane's items and its state. Any thread pushes, wakes, retires or abandons; one pool thread at a
//! time takes items out, between `begin` and `finish`. Another thread may do something in its place, between
//! `begin_aside` and `finish`.
//!
//! The state is one atomic of five bits, and every step is a read-modify-write of it, so that all
//! steps have one order and each sees what those before it brought:
//!
//! | Bits | The lane |
//! |---|---|
//! | none | is idle |
//! | `ATTENDED` | is idle, and the thread that ran it last looks at it without pause |
//! | `ATTENDED`, `SCHEDULED` | is about to be run by that thread, and on no run queue |
//! | `SCHEDULED` | is on a run queue |
//! | `RUNNING` | is run by a thread |
//! | `RUNNING`, `SCHEDULED` | is run, and something came meanwhile: its thread looks again |
//! | `RETIRED` | takes nothing any more |
//! | `RETIRED`, `RUNNING` | was abandoned while a thread runs it |
//!
//! `POLL_WANTED` may be set beside each of them.

use std::fmt;

use crossbeam_utils::CachePadded;

use crate::items::Items;
use crate::slot::ThreadId;
use crate::sync::{AtomicU8, AtomicUsize, Ordering};

const SCHEDULED: u8 = 1;
const RUNNING: u8 = 2;
const POLL_WANTED: u8 = 4;
const RETIRED: u8 = 8;
const ATTENDED: u8 = 16;

/// Something came for a lane that its thread attends to.
const CAME: u8 = ATTENDED | SCHEDULED;

/// The items of one lane, and whose turn it is to run them.
///
/// `C` is what those who push and the thread that runs the lane count besides.
pub struct LaneQueue<T, C = ()> {
    entry: CachePadded<Entry<T, C>>,
    state: CachePadded<AtomicU8>,
    /// The thread that ran the lane last, or none.
    thread: AtomicUsize,
}

/// What who pushes touches: one line of the cache, where one item at a time comes.
struct Entry<T, C> {
    items: Items<T>,
    counts: C,
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

/// Who runs a lane that something came for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// A thread that knows of it.
    Known,
    /// The thread that attends to it.
    Attending,
    /// Whichever takes it off the run queue that the caller has to put it on.
    Wanted,
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

impl<T, C: Default> Default for LaneQueue<T, C> {
    fn default() -> Self {
        Self::new(C::default())
    }
}

impl<T, C> LaneQueue<T, C> {
    /// An idle lane's queue, without items.
    pub fn new(counts: C) -> Self {
        Self {
            entry: CachePadded::new(Entry {
                items: Items::new(),
                counts,
            }),
            state: CachePadded::new(AtomicU8::new(0)),
            thread: AtomicUsize::new(usize::MAX),
        }
    }

    /// What is counted besides.
    pub fn counts(&self) -> &C {
        &self.entry.counts
    }

    /// Whether the lane has nothing to do and no thread is about to run it.
    pub fn is_idle(&self) -> bool {
        self.state.load(Ordering::SeqCst) & !ATTENDED == 0
    }

    /// Whether nothing waits in it. Only a hint for all but the thread that runs the lane.
    pub fn is_empty(&self) -> bool {
        self.entry.items.is_empty()
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
        self.entry.items.pop()
    }

    /// Whether the lane was woken since this was last asked. Only for the thread that runs the lane.
    pub fn take_poll_wanted(&self) -> bool {
        self.state.fetch_and(!POLL_WANTED, Ordering::AcqRel) & POLL_WANTED != 0
    }

    /// Closes an idle lane for good; false where it has something to do or is closed already.
    pub fn retire(&self) -> bool {
        self.leave_idle(RETIRED)
    }

    /// Whoever attends to the lane does so no more after this.
    fn leave_idle(&self, to: u8) -> bool {
        let next = |state| (state & !ATTENDED == 0).then_some(to);
        self.state
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, next)
            .is_ok()
    }

    /// Closes the lane while a thread may still run it.
    ///
    /// That thread gets no more items; when it comes back it calls
    /// [`Lane::returned`](crate::Lane::returned) and leaves the lane.
    pub fn abandon(&self) -> Abandoned<T> {
        let is_taken = |state| state & (RUNNING | SCHEDULED) != 0;
        // Who attends to an idle lane is not to take up what is pushed from now on.
        let next = |state| {
            let attention = if is_taken(state) { 0 } else { ATTENDED };
            Some(state & !attention | RETIRED)
        };
        let before = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, next)
            .unwrap_or_else(|state| state);
        Abandoned {
            items: std::iter::from_fn(|| self.entry.items.pop()).collect(),
            will_return: is_taken(before),
        }
    }

    /// Adds an item; says who runs the lane now. A closed lane gives
    /// back the item, or another that was pushed at the same time, whose pusher then gets none.
    pub(crate) fn push(&self, item: T) -> Result<Runner, T> {
        self.entry.items.push(item);
        let before = self.state.fetch_or(SCHEDULED, Ordering::AcqRel);
        if before & RETIRED != 0 {
            return self.entry.items.pop().map_or(Ok(Runner::Known), Err);
        }
        Ok(Self::runner(before))
    }

    /// Asks for a poll; says who runs the lane now.
    pub(crate) fn want_poll(&self) -> Runner {
        let before = self
            .state
            .fetch_or(SCHEDULED | POLL_WANTED, Ordering::AcqRel);
        Self::runner(before)
    }

    /// Who runs a lane that was in that state before it was scheduled.
    fn runner(before: u8) -> Runner {
        if before & (SCHEDULED | RUNNING | RETIRED) != 0 {
            Runner::Known
        } else if before & ATTENDED != 0 {
            Runner::Attending
        } else {
            Runner::Wanted
        }
    }

    /// The calling thread, which took the lane off a run queue, begins to run it.
    pub(crate) fn begin(&self, thread: ThreadId) {
        self.note_thread(thread);
        let before = self.state.fetch_xor(SCHEDULED | RUNNING, Ordering::AcqRel);
        debug_assert_eq!(before & (SCHEDULED | RUNNING), SCHEDULED);
    }

    /// The calling thread begins to run a lane that it attends to; false where nothing came for it, or another
    /// thread has taken it.
    pub(crate) fn begin_attended(&self, thread: ThreadId) -> bool {
        let next = |state| (state & CAME == CAME).then_some(state & !CAME | RUNNING);
        let has_begun = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, next)
            .is_ok();
        if has_begun {
            self.note_thread(thread);
        }
        has_begun
    }

    fn note_thread(&self, thread: ThreadId) {
        // Most often it is the same, and then those who push keep their copy of it.
        if self.thread.load(Ordering::Relaxed) != thread.pack() {
            self.thread.store(thread.pack(), Ordering::Relaxed);
        }
    }

    /// Whether there is still nothing to do for the thread that attends to the lane.
    pub(crate) fn is_attended(&self) -> bool {
        self.state.load(Ordering::Relaxed) == ATTENDED
    }

    /// The calling thread attends to the lane no more; says whether it has to put the lane on a run queue.
    pub(crate) fn leave(&self) -> bool {
        let before = self.state.fetch_and(!ATTENDED, Ordering::AcqRel);
        before & CAME == CAME
    }

    /// The calling thread begins to run an idle lane, which is on no run queue; false where it is not idle.
    pub(crate) fn begin_aside(&self) -> bool {
        self.leave_idle(RUNNING)
    }

    /// The calling thread has run a batch.
    pub(crate) fn finish(&self) -> Next {
        self.finish_as(0)
    }

    /// The same, and it attends to the lane where there is nothing to do, until it [leaves](Self::leave) it.
    pub(crate) fn finish_attending(&self) -> Next {
        self.finish_as(ATTENDED)
    }

    fn finish_as(&self, idle_state: u8) -> Next {
        loop {
            // Closed lanes are left to whoever closed them, whatever is still in them.
            let state = self.state.load(Ordering::Relaxed);
            if state & RETIRED == 0 && (!self.entry.items.is_empty() || state & POLL_WANTED != 0) {
                self.state.fetch_or(SCHEDULED, Ordering::AcqRel);
                self.state.fetch_and(!RUNNING, Ordering::AcqRel);
                return Next::Again;
            }
            let idle = self.state.compare_exchange(
                RUNNING,
                idle_state,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            match idle {
                Ok(_) => return Next::Idle,
                Err(state) if state & RETIRED != 0 => return Next::Abandoned,
                // Something came: forget the sign, which shows what it brought, and look again.
                Err(_) => self.state.fetch_and(!SCHEDULED, Ordering::AcqRel),
            };
        }
    }
}

impl<T, C> fmt::Debug for LaneQueue<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneQueue")
            .field("is_idle", &self.is_idle())
            .field("thread", &self.thread())
            .finish_non_exhaustive()
    }
}
