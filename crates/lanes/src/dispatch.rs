//! Who runs which lane. A lane goes to the thread that ran it last; an idle thread of the same class
//! takes it where that one is busy. Quick threads spin before they sleep, for as long as that has been worth it.
//!
//! No wake-up is lost, and no lane waits behind a busy thread while another of its class sleeps: who
//! pushes a lane does so first, then fences, then looks what the threads do; who goes to sleep, or
//! begins to work, says so first, then fences, then looks at the queues. One of the two sees the
//! other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::lane::{Lane, Pace, Pushed};
use crate::slot::{BUSY, LOOKING, PARKED, ThreadId, WATCHING};
use crate::sync::{LOOKS_PER_TIME, Ordering, SPIN, fence};
use crate::threads::{Role, Threads};

/// How long a quick thread may take for a batch before the relief takes what waits behind it.
const OVERRUN: Duration = Duration::from_millis(2);

/// How long a thread spins where work comes too seldom to wait for.
const SHORTEST_SPIN: Duration = Duration::from_micros(10);

/// Work that comes so soon after a thread has given up its processor may have waited for that.
const AT_ONCE: Duration = Duration::from_micros(50);

/// For how many rests a thread spins shortly after work seemed to wait for its processor.
const CONSIDERATE_RESTS: u32 = 64;

/// After how many short rests on the processor of who sends its work, without a long one between, a thread moves to
/// another one.
const SHARED_RESTS: u32 = 512;

/// How long a thread spins for work, by how long it had none before.
///
/// It never offers its processor while it spins: a system may take that for giving up its share, for
/// milliseconds.
pub(crate) struct Patience {
    spin: Duration,
    considerate_rests: u32,
    /// How many rests on the processor of who sends its work were short, since one that was not.
    shared_rests: u32,
}

/// How a thread's rest went in which no work came while it spun.
struct Rest {
    spun: Duration,
    slept: Duration,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self {
            spin: SPIN,
            considerate_rests: 0,
            shared_rests: 0,
        }
    }

    /// Whether a thread that shares a processor with who sends its work is to move. To the system two that
    /// take turns never seem to want two processors.
    fn is_to_move(&mut self) -> bool {
        let is_to_move = self.shared_rests >= SHARED_RESTS;
        if is_to_move {
            self.shared_rests = 0;
        }
        is_to_move
    }

    /// The thread has slept on the processor of who sends its work. Where work comes seldom the two are not in
    /// each other's way, and the other processor may have more to do than this one.
    fn learn_of_shared(&mut self, slept: Duration) {
        self.shared_rests = if slept < AT_ONCE {
            self.shared_rests + 1
        } else {
            0
        };
    }

    fn learn(&mut self, rest: &Rest) {
        if rest.spun >= SPIN && rest.slept < AT_ONCE {
            self.considerate_rests = CONSIDERATE_RESTS;
        }
        if self.considerate_rests > 0 {
            self.considerate_rests -= 1;
            self.spin = SHORTEST_SPIN.min(SPIN);
        } else if rest.spun + rest.slept < 2 * SPIN {
            self.spin = SPIN;
        } else {
            self.spin = (self.spin / 2).max(SHORTEST_SPIN).min(SPIN);
        }
    }
}

impl<L: Lane> Threads<L> {
    /// Puts a lane that was scheduled on a run queue: at home, or with another thread where that one is
    /// idle and home is busy, or looks for work and home sleeps. Says whether a thread had to be woken.
    pub(crate) fn enqueue(&self, lane: Arc<L>) -> Pushed {
        let class = self.class(lane.pace());
        let home = lane.queue().thread().map(|thread| thread.index);
        let home = home.filter(|home| class.contains(home)).unwrap_or_else(|| {
            class.start + self.next.fetch_add(1, Ordering::Relaxed) % class.len()
        });
        let place = match self.slots[home].activity() {
            BUSY => self.peer_of_a_busy_one(home),
            // To change threads takes less than to wake one.
            PARKED => self.peer_that(LOOKING, home).unwrap_or(home),
            _ => home,
        };
        self.slots[place].pusher_on.note(self.processor());
        self.slots[place].queue.push(lane);
        fence(Ordering::SeqCst);
        let has_woken = self.look_after(place);
        if self.is_stopping() {
            self.slots[place].clear();
        }
        if has_woken {
            Pushed::ForThreadWoken
        } else {
            Pushed::ForThreadAwake
        }
    }

    /// The calling thread has pushed something for a lane that its thread attends to.
    pub(crate) fn note_pusher(&self, lane: &L) {
        if let Some(home) = lane.queue().thread() {
            self.slots[home.index].pusher_on.note(self.processor());
        }
    }

    /// Puts a lane that has more to do behind the others of the thread that ran it, where it is still
    /// one for that thread.
    pub(crate) fn requeue(&self, id: ThreadId, lane: Arc<L>) {
        if !self.class(lane.pace()).contains(&id.index) {
            self.enqueue(lane);
            return;
        }
        let slot = &self.slots[id.index];
        let is_crowded = !slot.queue.is_empty();
        slot.queue.push(lane);
        fence(Ordering::SeqCst);
        // A thread that lost its place will not look at the queue again.
        if is_crowded || !slot.is_held_by(id) {
            self.look_after(id.index);
        }
    }

    /// Sees to it that a thread looks at what was queued in a slot, and that none that could take it
    /// sleeps while it waits there. Says whether one was woken.
    fn look_after(&self, index: usize) -> bool {
        match self.slots[index].activity() {
            PARKED => self.slots[index].wake(index),
            LOOKING => false,
            _ => {
                let helper = match self.idle_peer(index) {
                    None if self.role(index) == Role::Quick => self.relief(),
                    peer => peer,
                };
                helper.is_some_and(|helper| self.slots[helper].wake(helper))
            }
        }
    }

    /// A thread of the same class without work; rather one that needs no waking.
    fn idle_peer(&self, index: usize) -> Option<usize> {
        self.peer_that(LOOKING, index)
            .or_else(|| self.peer_that(PARKED, index))
    }

    /// Which thread a lane goes to whose home is busy.
    fn peer_of_a_busy_one(&self, home: usize) -> usize {
        if let Some(peer) = self.peer_that(LOOKING, home) {
            return peer;
        }
        // Who has just been answered finds the thread busy with what is left to do after an answer.
        for _ in 0..4 * LOOKS_PER_TIME {
            if self.slots[home].activity() != BUSY {
                return home;
            }
            std::hint::spin_loop();
        }
        self.peer_that(PARKED, home).unwrap_or(home)
    }

    pub(crate) fn peer_that(&self, activity: usize, index: usize) -> Option<usize> {
        self.peers(index)
            .find(|peer| self.slots[*peer].activity() == activity)
    }

    fn relief(&self) -> Option<usize> {
        (self.options.patient > 0).then(|| self.slots.len() - 1)
    }

    /// A lane of the thread's own queue, or of a peer's that is busy; for the relief, one behind a
    /// thread that takes too long.
    pub(crate) fn next_lane(&self, index: usize) -> Option<Arc<L>> {
        if self.role(index) == Role::Relief {
            let now_ns = self.now_ns();
            let takes_too_long = |other: &usize| self.slots[*other].has_run_for(OVERRUN, now_ns);
            return self
                .class(Pace::Quick)
                .filter(takes_too_long)
                .find_map(|other| self.take(other));
        }
        let peers = self.peers(index);
        let count = peers.len();
        (0..count)
            .map(|step| peers.start + (index - peers.start + step) % count)
            // A thread that is not busy is about to take its lanes itself.
            .filter(|other| *other == index || self.slots[*other].activity() == BUSY)
            .find_map(|other| self.take(other))
    }

    fn take(&self, index: usize) -> Option<Arc<L>> {
        let queue = &self.slots[index].queue;
        let lane = queue.pop()?;
        // Those behind it may have come while this thread was about to work, and woken nobody.
        if !queue.is_empty() {
            self.look_after(index);
        }
        Some(lane)
    }

    /// The thread, which has taken a lane, says so before it runs it.
    pub(crate) fn begin_work(&self, id: ThreadId) {
        let slot = &self.slots[id.index];
        slot.go(id, LOOKING, BUSY);
        fence(Ordering::SeqCst);
        // Who pushed while this thread looked for work has woken nobody.
        if !slot.queue.is_empty() {
            self.look_after(id.index);
        }
    }

    /// Spins, then sleeps, until there may be work. While it spins it looks at the lane that it attends to, too.
    pub(crate) fn rest(
        &self,
        id: ThreadId,
        patience: &mut Patience,
        attended: &mut Option<Arc<L>>,
    ) {
        if self.role(id.index) != Role::Quick || !self.may_spin(id.index) {
            self.leave(id, attended.take());
            return self.sleep(id);
        }
        let slot = &self.slots[id.index];
        let mut processor = self.processor();
        if slot.pusher_on.is(processor) && patience.is_to_move() {
            (self.options.leave_processor)();
            processor = self.processor();
        }
        slot.holder_on.note(processor);
        let begin = Instant::now();
        if slot.pusher_on.is(processor) {
            // Who sends the work needs this processor for that.
            self.leave(id, attended.take());
            self.sleep(id);
            return patience.learn_of_shared(begin.elapsed());
        }
        slot.go(id, BUSY, LOOKING);
        if self.spin_for_work(id, begin, patience.spin, attended.as_deref()) {
            // It was worth it.
            return;
        }
        let spun = begin.elapsed();
        self.leave(id, attended.take());
        self.sleep(id);
        let slept = begin.elapsed() - spun;
        patience.learn(&Rest { spun, slept });
    }

    /// Has a lane that the thread attends to, if any, wait for its next item like others.
    pub(crate) fn leave(&self, id: ThreadId, attended: Option<Arc<L>>) {
        if let Some(lane) = attended
            && lane.queue().leave()
        {
            self.requeue(id, lane);
        }
    }

    /// Whether few enough threads spin already: callers, who spin too, are to have processors left.
    fn may_spin(&self, index: usize) -> bool {
        let spins = |peer: &usize| *peer != index && self.slots[*peer].activity() == LOOKING;
        self.peers(index).filter(spins).count() < self.options.spinning
    }

    fn sleep(&self, id: ThreadId) {
        let slot = &self.slots[id.index];
        slot.go_to_rest(id);
        fence(Ordering::SeqCst);
        if self.has_work(id.index) {
            slot.go(id, PARKED, BUSY);
        }
        slot.sleep(id, || !self.is_stopping());
        fence(Ordering::SeqCst);
    }

    /// The relief's rest: while lanes wait behind busy quick threads it looks again and again whether
    /// they wait for too long; else it sleeps.
    pub(crate) fn keep_watch(&self, id: ThreadId) {
        let slot = &self.slots[id.index];
        slot.go_to_rest(id);
        fence(Ordering::SeqCst);
        let waits = |other| self.is_queued_behind(other);
        if !self.class(Pace::Quick).any(waits) {
            slot.sleep(id, || !self.is_stopping());
        } else if slot.go(id, PARKED, WATCHING) {
            // Nobody wakes it now, however much is pushed.
            slot.sleep_for(id, OVERRUN, || !self.is_stopping());
            slot.go(id, WATCHING, BUSY);
        }
    }

    fn spin_for_work(
        &self,
        id: ThreadId,
        begin: Instant,
        limit: Duration,
        attended: Option<&L>,
    ) -> bool {
        loop {
            // Between two looks at the time, which take longer.
            for _ in 0..LOOKS_PER_TIME {
                if attended.is_some_and(|lane| !lane.queue().is_attended())
                    || self.has_work(id.index)
                {
                    return true;
                }
                std::hint::spin_loop();
            }
            if begin.elapsed() >= limit {
                return false;
            }
        }
    }

    fn has_work(&self, index: usize) -> bool {
        !self.slots[index].queue.is_empty()
            || self.peers(index).any(|peer| self.is_queued_behind(peer))
    }

    /// Whether lanes wait for a thread that is busy with another.
    fn is_queued_behind(&self, index: usize) -> bool {
        !self.slots[index].queue.is_empty() && self.slots[index].activity() == BUSY
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn after_rests(patience: &mut Patience, rests: u32, slept: Duration) -> bool {
        for _ in 0..rests {
            patience.learn_of_shared(slept);
        }
        patience.is_to_move()
    }

    #[test]
    fn a_thread_moves_once_it_has_taken_turns_with_who_sends_its_work() {
        let mut patience = Patience::new();
        let soon = AT_ONCE / 2;
        assert!(!after_rests(&mut patience, SHARED_RESTS - 1, soon));
        assert!(after_rests(&mut patience, 1, soon));
        assert!(!patience.is_to_move(), "not again at once");
        assert!(after_rests(&mut patience, SHARED_RESTS, soon));
    }

    #[test]
    fn a_thread_whose_work_comes_seldom_stays_with_who_sends_it() {
        let mut patience = Patience::new();
        assert!(!after_rests(&mut patience, 10 * SHARED_RESTS, AT_ONCE));
        after_rests(&mut patience, SHARED_RESTS - 1, AT_ONCE / 2);
        assert!(
            !after_rests(&mut patience, 1, AT_ONCE),
            "a long one begins the row anew"
        );
        assert!(!after_rests(&mut patience, 1, AT_ONCE / 2));
    }
}
