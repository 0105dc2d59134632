//! The threads of one pool and their run queues of lanes. A lane goes to the thread that ran it last;
//! an idle thread takes it where that one is busy. Threads spin shortly before they sleep.
//!
//! No wake-up is lost, and no lane waits behind a busy thread while another sleeps: who pushes a lane
//! does so first, then fences, then looks what the threads do; who goes to sleep, or begins to work,
//! says so first, then fences, then looks at the queues. One of the two sees the other.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use crate::lane::Lane;
use crate::queue::Next;
use crate::slot::{BUSY, PARKED, SPINNING, Slot, ThreadId};
use crate::sync::{AtomicBool, AtomicUsize, JoinHandle, Ordering, SPIN, fence};

/// What a new thread has to do.
pub type Body = Box<dyn FnOnce() + Send>;

/// Makes a thread.
pub type Spawner = Box<dyn Fn(Body) -> io::Result<JoinHandle<()>> + Send + Sync>;

/// How many threads there are, and how they rest.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many threads run lanes; at least one is made.
    pub threads: usize,
    /// Whether an idle thread looks for work for some time before it sleeps. Not worth it where
    /// there is one processor.
    pub spin: bool,
}

/// The threads of one pool.
pub struct Threads<L: Lane> {
    slots: Vec<Arc<Slot<Arc<L>>>>,
    next: AtomicUsize,
    stopping: AtomicBool,
    spin: bool,
    origin: Instant,
    spawner: Spawner,
}

impl<L: Lane> Threads<L> {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// Where a thread cannot be made; those that were made end.
    pub fn start(options: Options, spawner: Spawner) -> io::Result<Arc<Self>> {
        let slot = || Arc::new(Slot::new());
        let threads = Arc::new(Self {
            slots: std::iter::repeat_with(slot)
                .take(options.threads.max(1))
                .collect(),
            next: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            spin: options.spin,
            origin: Instant::now(),
            spawner,
        });
        for index in 0..threads.slots.len() {
            if let Err(error) = threads.occupy(index, None) {
                threads.stop();
                return Err(error);
            }
        }
        Ok(threads)
    }

    /// Nanoseconds since the threads were started.
    pub fn now_ns(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Gives up a thread that does not come back from a lane, and starts another in its place, which
    /// goes on with the same run queue. False where it was replaced before or has ended.
    ///
    /// The lost thread ends by itself if it ever comes back, and is not waited for. Its lane is to be
    /// [abandoned](crate::LaneQueue::abandon). After [`Threads::stop`] no other is started.
    ///
    /// # Errors
    ///
    /// Where no thread can be made. The lost one is given up all the same.
    pub fn replace(self: &Arc<Self>, lost: ThreadId) -> io::Result<bool> {
        self.occupy(lost.index, Some(lost))
    }

    fn occupy(self: &Arc<Self>, index: usize, lost: Option<ThreadId>) -> io::Result<bool> {
        self.slots[index].occupy(index, lost, |id| {
            if self.is_stopping() {
                return Ok(None);
            }
            let threads = self.clone();
            (self.spawner)(Box::new(move || threads.work(id))).map(Some)
        })
    }

    /// Puts a lane that was scheduled on a run queue: at home, or with an idle thread where home is
    /// busy.
    pub(crate) fn enqueue(&self, lane: Arc<L>) {
        let home = match lane.queue().thread() {
            Some(thread) => thread.index,
            None => self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len(),
        };
        let place = if self.slots[home].activity() == BUSY {
            self.idle_thread().unwrap_or(home)
        } else {
            home
        };
        self.slots[place].queue.push(lane);
        fence(Ordering::SeqCst);
        self.look_after(place);
        if self.is_stopping() {
            self.slots[place].clear();
        }
    }

    /// Puts a lane that has more to do behind the others of the thread that ran it.
    fn requeue(&self, id: ThreadId, lane: Arc<L>) {
        let slot = &self.slots[id.index];
        let is_crowded = !slot.queue.is_empty();
        slot.queue.push(lane);
        fence(Ordering::SeqCst);
        // A thread that lost its place will not look at the queue again.
        if is_crowded || !slot.is_held_by(id) {
            self.look_after(id.index);
        }
    }

    /// Sees to it that a thread looks at what was queued in a slot, and that none sleeps while it
    /// waits there.
    fn look_after(&self, index: usize) {
        match self.slots[index].activity() {
            PARKED => self.slots[index].wake(index),
            SPINNING => {}
            _ => {
                if let Some(idle) = self.idle_thread() {
                    self.slots[idle].wake(idle);
                }
            }
        }
    }

    /// A thread without work; rather one that needs no waking.
    fn idle_thread(&self) -> Option<usize> {
        let with = |wanted| self.slots.iter().position(|slot| slot.activity() == wanted);
        with(SPINNING).or_else(|| with(PARKED))
    }

    /// Ends the threads; those that run a lane finish its batch first. Lanes that are queued, now or
    /// later, are dropped.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        for slot in &self.slots {
            slot.alert();
        }
    }

    /// Waits for the threads to have ended, after [`Threads::stop`]; not for lost ones.
    pub fn join(&self) {
        for slot in &self.slots {
            slot.join();
            slot.clear();
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// One thread's life.
    fn work(&self, id: ThreadId) {
        let slot = &self.slots[id.index];
        let _seat = slot.sit(id);
        while !self.is_stopping() && slot.is_held_by(id) {
            match self.next_lane(id.index) {
                Some(lane) => self.run(lane, id),
                None => self.rest(id),
            }
        }
        if self.is_stopping() {
            slot.clear();
        }
    }

    fn run(&self, lane: Arc<L>, id: ThreadId) {
        lane.queue().begin(id);
        lane.run(id);
        match lane.queue().finish() {
            Next::Again => self.requeue(id, lane),
            Next::Idle => lane.idle(),
            Next::Abandoned => lane.returned(),
        }
    }

    /// A lane of the thread's own queue, or of another's that is busy.
    fn next_lane(&self, index: usize) -> Option<Arc<L>> {
        let count = self.slots.len();
        (0..count)
            .map(|step| (index + step) % count)
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

    /// Spins, then sleeps, until there may be work.
    fn rest(&self, id: ThreadId) {
        let slot = &self.slots[id.index];
        if self.spin && slot.go(id, BUSY, SPINNING) {
            if self.spin_for_work(id) {
                slot.go(id, SPINNING, BUSY);
                fence(Ordering::SeqCst);
                return;
            }
            slot.go(id, SPINNING, PARKED);
        } else {
            slot.go(id, BUSY, PARKED);
        }
        fence(Ordering::SeqCst);
        if self.has_work(id.index) {
            slot.go(id, PARKED, BUSY);
        }
        slot.sleep(id, || !self.is_stopping());
        fence(Ordering::SeqCst);
    }

    fn spin_for_work(&self, id: ThreadId) -> bool {
        let begin = Instant::now();
        loop {
            if self.has_work(id.index) {
                return true;
            }
            if begin.elapsed() >= SPIN {
                return false;
            }
            for _ in 0..16 {
                std::hint::spin_loop();
            }
        }
    }

    fn has_work(&self, index: usize) -> bool {
        let waits = |(other, slot): (usize, &Arc<Slot<Arc<L>>>)| {
            !slot.queue.is_empty() && (other == index || slot.activity() == BUSY)
        };
        self.slots.iter().enumerate().any(waits)
    }
}

impl<L: Lane> std::fmt::Debug for Threads<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Threads")
            .field("threads", &self.slots.len())
            .finish_non_exhaustive()
    }
}
