//! The pool's threads and their run queues of lanes. A lane goes to the thread that ran it last; an
//! idle thread takes it where that one is busy. Threads spin shortly before they sleep.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use crossbeam_queue::SegQueue;
use parking_lot::Mutex;

use crate::error::Error;
use crate::platform;

use super::lane::Lane;

/// How long an idle thread looks for work before it sleeps: waking a sleeping one costs about as much.
const SPIN: Duration = Duration::from_micros(50);

const BUSY: u8 = 0;
const SPINNING: u8 = 1;
const PARKED: u8 = 2;

struct Slot {
    queue: SegQueue<Arc<Lane>>,
    state: AtomicU8,
    thread: OnceLock<Thread>,
}

/// The threads of one pool.
pub(crate) struct Threads {
    slots: Vec<Slot>,
    next: AtomicUsize,
    stopping: AtomicBool,
    origin: Instant,
    spins: bool,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Threads {
    /// Starts `count` threads.
    pub(crate) fn start(count: usize) -> Result<Arc<Self>, Error> {
        let slot = || Slot {
            queue: SegQueue::new(),
            state: AtomicU8::new(BUSY),
            thread: OnceLock::new(),
        };
        let threads = Arc::new(Self {
            slots: std::iter::repeat_with(slot).take(count.max(1)).collect(),
            next: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            origin: Instant::now(),
            spins: thread::available_parallelism().is_ok_and(|cores| cores.get() > 1),
            handles: Mutex::new(Vec::new()),
        });
        for index in 0..threads.slots.len() {
            let shared = threads.clone();
            let handle = platform::spawn("isolane-pool", move || shared.work(index))
                .map_err(|error| Error::internal(format!("a pool thread: {error}")))?;
            threads.handles.lock().push(handle);
        }
        Ok(threads)
    }

    /// Nanoseconds since the threads were started.
    pub(crate) fn now_ns(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Puts a lane on a run queue: at home, or with an idle thread where home is busy.
    pub(crate) fn enqueue(&self, lane: Arc<Lane>) {
        let home = lane.home.load(Ordering::Relaxed);
        let home = if home < self.slots.len() {
            home
        } else {
            self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len()
        };
        let place = if self.state(home) == BUSY {
            self.idle_thread().unwrap_or(home)
        } else {
            home
        };
        self.slots[place].queue.push(lane);
        self.wake(place);
    }

    /// Puts a lane that has more to do behind the others of the thread that ran it.
    pub(crate) fn requeue(&self, thread: usize, lane: Arc<Lane>) {
        let crowded = !self.slots[thread].queue.is_empty();
        self.slots[thread].queue.push(lane);
        if crowded && let Some(idle) = self.idle_thread() {
            self.wake(idle);
        }
    }

    /// Ends the threads; those that run a lane finish its batch first.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        for slot in &self.slots {
            if let Some(thread) = slot.thread.get() {
                thread.unpark();
            }
        }
    }

    /// Waits for the threads to have ended, after [`Threads::stop`].
    pub(crate) fn join(&self) {
        for handle in self.handles.lock().drain(..) {
            // A panic of a turn was answered where it happened.
            let _ = handle.join();
        }
    }

    fn state(&self, thread: usize) -> u8 {
        self.slots[thread].state.load(Ordering::SeqCst)
    }

    fn idle_thread(&self) -> Option<usize> {
        let with = |wanted| (0..self.slots.len()).find(|index| self.state(*index) == wanted);
        with(SPINNING).or_else(|| with(PARKED))
    }

    fn wake(&self, index: usize) {
        let slot = &self.slots[index];
        if slot.state.load(Ordering::SeqCst) == PARKED
            && slot
                .state
                .compare_exchange(PARKED, BUSY, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
            && let Some(thread) = slot.thread.get()
        {
            thread.unpark();
        }
    }

    /// One thread's life.
    fn work(&self, index: usize) {
        let slot = &self.slots[index];
        let _ = slot.thread.set(thread::current());
        while !self.stopping.load(Ordering::SeqCst) {
            match self.next_lane(index) {
                Some(lane) => lane.run(index),
                None => self.rest(index),
            }
        }
        // What is still queued is answered by its lane being dropped.
        while slot.queue.pop().is_some() {}
    }

    /// A lane of the thread's own queue, or of another's that is busy.
    fn next_lane(&self, index: usize) -> Option<Arc<Lane>> {
        self.slots[index].queue.pop().or_else(|| {
            let count = self.slots.len();
            (1..count)
                .map(|step| (index + step) % count)
                .find_map(|other| {
                    // A thread that is not busy is about to take its lanes itself.
                    (self.state(other) == BUSY)
                        .then(|| self.slots[other].queue.pop())
                        .flatten()
                })
        })
    }

    /// Spins, then sleeps, until there may be work.
    fn rest(&self, index: usize) {
        let slot = &self.slots[index];
        slot.state.store(SPINNING, Ordering::SeqCst);
        let begin = Instant::now();
        while self.spins && begin.elapsed() < SPIN {
            for _ in 0..16 {
                std::hint::spin_loop();
            }
            if self.has_work(index) {
                slot.state.store(BUSY, Ordering::SeqCst);
                return;
            }
        }
        // Say so first, look again, and only then sleep: nothing pushed in between is missed.
        slot.state.store(PARKED, Ordering::SeqCst);
        if self.has_work(index) || self.stopping.load(Ordering::SeqCst) {
            slot.state.store(BUSY, Ordering::SeqCst);
            return;
        }
        while slot.state.load(Ordering::SeqCst) == PARKED && !self.stopping.load(Ordering::SeqCst) {
            thread::park();
        }
        slot.state.store(BUSY, Ordering::SeqCst);
    }

    fn has_work(&self, index: usize) -> bool {
        let waits = |(other, slot): (usize, &Slot)| {
            !slot.queue.is_empty() && (other == index || self.state(other) == BUSY)
        };
        self.slots.iter().enumerate().any(waits)
    }
}
