//! The threads of one pool: their classes, their lives, and their end.
//!
//! Lanes that have proved quick run on the quick threads, all others on the patient ones, so that no
//! quick lane ever waits for a slow one; those that are to have the least of the processors, on the
//! background threads. A quick lane that turns out slow blocks its thread for once;
//! the other quick threads take what is queued behind it, and where all are blocked so, the relief
//! thread does, which sleeps otherwise.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dispatch::Patience;
use crate::lane::{Lane, Pace};
use crate::queue::Next;
use crate::slot::{BUSY, LOOKING, Slot, ThreadId};
use crate::sync::{AtomicBool, AtomicUsize, JoinHandle, Ordering};

/// What a new thread has to do.
pub type Body = Box<dyn FnOnce() + Send>;

/// Makes a thread for a role.
pub type Spawner = Box<dyn Fn(Role, Body) -> io::Result<JoinHandle<()>> + Send + Sync>;

/// What a thread is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It runs quick lanes.
    Quick,
    /// It runs slow lanes; its system priority may well be lower.
    Patient,
    /// It runs lanes of the background; its system priority is to be the lowest.
    Background,
    /// It runs quick lanes that wait behind one that is not quick any more.
    Relief,
}

/// How many threads there are, and how they rest.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many threads run quick lanes; at least one is made.
    pub quick: usize,
    /// How many threads run slow lanes. With none they run on the quick threads, and there is no relief.
    pub patient: usize,
    /// How many threads run lanes of the background. With none they run where slow lanes do.
    pub background: usize,
    /// How many idle quick threads at a time look for work for a while before they sleep. Not worth it
    /// where there is one processor.
    pub spinning: usize,
    /// The number of the processor that the calling thread runs on, where that can be told quickly.
    pub processor: fn() -> Option<u32>,
    /// Moves the calling thread to another processor, where the system lets it and there is one.
    pub leave_processor: fn(),
}

/// The threads of one pool.
pub struct Threads<L: Lane> {
    /// The quick threads' slots, then the patient ones', the background's, and the relief's.
    pub(crate) slots: Vec<Arc<Slot<Arc<L>>>>,
    pub(crate) options: Options,
    pub(crate) next: AtomicUsize,
    stopping: AtomicBool,
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
        let options = Options {
            quick: options.quick.max(1),
            ..options
        };
        let relief = usize::from(options.patient > 0);
        let count = options.quick + options.patient + options.background + relief;
        let slot = || Arc::new(Slot::new());
        let threads = Arc::new(Self {
            slots: std::iter::repeat_with(slot).take(count).collect(),
            options,
            next: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            origin: Instant::now(),
            spawner,
        });
        for index in 0..count {
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

    /// The time so many nanoseconds after the threads were started.
    pub fn time(&self, now_ns: u64) -> Instant {
        self.origin + Duration::from_nanos(now_ns)
    }

    /// Whether the thread that a lane goes to was last seen on the calling thread's processor: to spin for
    /// its answer would keep it from giving one.
    pub fn shares_processor(&self, lane: &L) -> bool {
        let Some(home) = lane.queue().thread() else {
            return false;
        };
        self.slots[home.index].holder_on.is(self.processor())
    }

    /// The processor that the calling thread runs on.
    pub(crate) fn processor(&self) -> Option<u32> {
        (self.options.processor)()
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
            (self.spawner)(self.role(index), Box::new(move || threads.work(id))).map(Some)
        })
    }

    /// The threads that run lanes of a pace.
    pub(crate) fn class(&self, pace: Pace) -> Range<usize> {
        let Options {
            quick,
            patient,
            background,
            ..
        } = self.options;
        match pace {
            Pace::Background if background > 0 => {
                let first = quick + patient;
                first..first + background
            }
            Pace::Background | Pace::Slow if patient > 0 => quick..quick + patient,
            _ => 0..quick,
        }
    }

    /// Whether a lane's pace is one for this thread.
    fn is_for(&self, id: ThreadId, lane: &L) -> bool {
        self.role(id.index) == Role::Relief || self.class(lane.pace()).contains(&id.index)
    }

    /// The threads that do the same work as one of them.
    pub(crate) fn peers(&self, index: usize) -> Range<usize> {
        match self.role(index) {
            Role::Quick => self.class(Pace::Quick),
            Role::Patient => self.class(Pace::Slow),
            Role::Background => self.class(Pace::Background),
            Role::Relief => index..index + 1,
        }
    }

    pub(crate) fn role(&self, index: usize) -> Role {
        if self.class(Pace::Quick).contains(&index) {
            Role::Quick
        } else if self.class(Pace::Slow).contains(&index) {
            Role::Patient
        } else if self.class(Pace::Background).contains(&index) {
            Role::Background
        } else {
            Role::Relief
        }
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

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// One thread's life.
    fn work(&self, id: ThreadId) {
        let slot = &self.slots[id.index];
        let _seat = slot.sit(id);
        let mut patience = Patience::new();
        let mut attended: Option<Arc<L>> = None;
        while !self.is_stopping() && slot.is_held_by(id) {
            if let Some(lane) = self.next_lane(id.index) {
                self.leave(id, attended.take());
                // What its pace was when it was queued may be wrong by now.
                if self.is_for(id, &lane) {
                    self.begin_work(id);
                    lane.queue().begin(id);
                    attended = self.run(lane, id);
                } else {
                    self.enqueue(lane);
                }
            } else if let Some(lane) = attended.take_if(|lane| !lane.queue().is_attended()) {
                attended = self.run_attended(lane, id);
            } else if self.role(id.index) == Role::Relief {
                self.keep_watch(id);
            } else {
                self.rest(id, &mut patience, &mut attended);
            }
        }
        self.leave(id, attended.take());
        if self.is_stopping() {
            slot.clear();
        }
    }

    /// Runs a lane that the thread has attended to, if something came for it; gives it back if the thread goes on to
    /// attend to it.
    fn run_attended(&self, lane: Arc<L>, id: ThreadId) -> Option<Arc<L>> {
        if !self.is_for(id, &lane) {
            self.leave(id, Some(lane));
            return None;
        }
        self.begin_work(id);
        if lane.queue().begin_attended(id) {
            self.run(lane, id)
        } else {
            self.slots[id.index].go(id, BUSY, LOOKING);
            None
        }
    }

    /// Runs a lane that the thread has begun; gives it back if the thread attends to it now.
    fn run(&self, lane: Arc<L>, id: ThreadId) -> Option<Arc<L>> {
        let slot = &self.slots[id.index];
        let begin_ns = self.now_ns();
        slot.note_begin(begin_ns);
        lane.run(begin_ns);
        slot.note_end();
        // Said before the lane can be seen idle: its next item, which often comes at once, is to stay here
        // and to wake nobody.
        slot.go(id, BUSY, LOOKING);
        let is_attentive = self.role(id.index) == Role::Quick && slot.queue.is_empty();
        let next = if is_attentive {
            lane.queue().finish_attending()
        } else {
            lane.queue().finish()
        };
        match next {
            Next::Again => self.requeue(id, lane),
            Next::Idle => {
                lane.idle();
                return is_attentive.then_some(lane);
            }
            Next::Abandoned => lane.returned(),
        }
        None
    }
}

impl<L: Lane> std::fmt::Debug for Threads<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Threads")
            .field("threads", &self.slots.len())
            .finish_non_exhaustive()
    }
}
