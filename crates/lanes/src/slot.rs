//! One place for a thread: a run queue, and who serves it. Any thread pushes and wakes; the thread
//! that holds the slot says what it does. A thread that is lost loses the slot to its successor,
//! which has the next generation, and can change nothing in it any more.

use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::processor::LastSeenOn;
use crate::sync::{AtomicUsize, Condvar, JoinHandle, Mutex, MutexGuard, Ordering, Queue, fence};

/// The holder runs a lane, or was just woken.
pub(crate) const BUSY: usize = 0;
/// The holder looks for work without pause, or is about to: what is pushed now waits for nothing else.
pub(crate) const LOOKING: usize = 1;
/// The holder sleeps, or is about to: it has to be woken.
pub(crate) const PARKED: usize = 2;
/// The holder sleeps, and looks by itself soon.
pub(crate) const WATCHING: usize = 3;

const ACTIVITY_BITS: u32 = 2;
const INDEX_BITS: u32 = 16;

/// Names one thread of one [`Threads`](crate::Threads); its successor has another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadId {
    pub(crate) index: usize,
    pub(crate) generation: usize,
}

impl ThreadId {
    pub(crate) fn pack(self) -> usize {
        self.generation << INDEX_BITS | self.index
    }

    pub(crate) fn unpack(packed: usize) -> Option<Self> {
        (packed != usize::MAX).then_some(Self {
            index: packed & ((1 << INDEX_BITS) - 1),
            generation: packed >> INDEX_BITS,
        })
    }

    fn with(self, activity: usize) -> usize {
        self.generation << ACTIVITY_BITS | activity
    }
}

/// A run queue and the thread that serves it.
pub(crate) struct Slot<T> {
    pub(crate) queue: Queue<T>,
    /// The holder's generation, and what it does: one of the constants above. Apart, as the next one, because the
    /// holder writes both for each batch, and those who push read what is beside them.
    state: CachePadded<AtomicUsize>,
    /// When the holder began the batch that it runs, or 0. Only a hint, so no model needs to see it.
    begin_ns: CachePadded<AtomicU64>,
    /// Where the holder was last seen looking for work.
    pub(crate) holder_on: LastSeenOn,
    /// Where who pushed last was.
    pub(crate) pusher_on: LastSeenOn,
    holder: Mutex<Holder>,
    /// Signalled when the state has changed under a sleeping holder, and when a holder has ended.
    changed: Condvar,
}

/// The thread that holds a slot.
struct Holder {
    handle: Option<JoinHandle<()>>,
    has_ended: bool,
}

impl<T> Slot<T> {
    /// A slot without a thread, which looks like one whose thread is busy.
    pub(crate) fn new() -> Self {
        Self {
            queue: Queue::new(),
            state: CachePadded::new(AtomicUsize::new(BUSY)),
            begin_ns: CachePadded::new(AtomicU64::new(0)),
            holder_on: LastSeenOn::nowhere(),
            pusher_on: LastSeenOn::nowhere(),
            holder: Mutex::new(Holder {
                handle: None,
                has_ended: true,
            }),
            changed: Condvar::new(),
        }
    }

    fn holder(&self) -> MutexGuard<'_, Holder> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the holder does.
    pub(crate) fn activity(&self) -> usize {
        self.state.load(Ordering::Relaxed) & ((1 << ACTIVITY_BITS) - 1)
    }

    /// The name of the thread that holds slot `index`, which is this one.
    pub(crate) fn id(&self, index: usize) -> ThreadId {
        ThreadId {
            index,
            generation: self.state.load(Ordering::Acquire) >> ACTIVITY_BITS,
        }
    }

    /// Whether the thread still holds the slot.
    pub(crate) fn is_held_by(&self, id: ThreadId) -> bool {
        self.state.load(Ordering::Acquire) >> ACTIVITY_BITS == id.generation
    }

    /// The holder says that it goes over to doing something else; false where it was told to
    /// meanwhile, or is the holder no more.
    pub(crate) fn go(&self, id: ThreadId, from: usize, to: usize) -> bool {
        self.state
            .compare_exchange(
                id.with(from),
                id.with(to),
                Ordering::AcqRel,
                Ordering::Acquire,
            )
            .is_ok()
    }

    /// The holder, which has no lane, says that it goes over to resting.
    pub(crate) fn go_to_rest(&self, id: ThreadId) {
        if !self.go(id, LOOKING, PARKED) {
            self.go(id, BUSY, PARKED);
        }
    }

    /// The holder begins a batch.
    pub(crate) fn note_begin(&self, now_ns: u64) {
        self.begin_ns.store(now_ns.max(1), Ordering::Relaxed);
    }

    /// The thread has run its batch. One that lost the slot meanwhile may hide its successor's.
    pub(crate) fn note_end(&self) {
        self.begin_ns.store(0, Ordering::Relaxed);
    }

    /// Whether the holder has been in one batch for longer than that.
    pub(crate) fn has_run_for(&self, time: Duration, now_ns: u64) -> bool {
        let begin_ns = self.begin_ns.load(Ordering::Relaxed);
        begin_ns != 0 && u128::from(now_ns.saturating_sub(begin_ns)) >= time.as_nanos()
    }

    /// The calling thread, which said that it is parked, sleeps until it is told otherwise, as long as
    /// it `may_sleep`.
    pub(crate) fn sleep(&self, id: ThreadId, may_sleep: impl Fn() -> bool) {
        let mut holder = self.holder();
        while self.state.load(Ordering::Acquire) == id.with(PARKED) && may_sleep() {
            holder = self.wait(holder);
        }
    }

    /// The calling thread, which said that it watches, sleeps for some time.
    pub(crate) fn sleep_for(&self, id: ThreadId, time: Duration, may_sleep: impl Fn() -> bool) {
        let holder = self.holder();
        if self.state.load(Ordering::Acquire) == id.with(WATCHING) && may_sleep() {
            drop(self.changed.wait_timeout(holder, time));
        }
    }

    /// Wakes the holder if it is parked; says whether it was.
    pub(crate) fn wake(&self, index: usize) -> bool {
        let was_parked = self.go(self.id(index), PARKED, BUSY);
        if was_parked {
            self.alert();
        }
        was_parked
    }

    /// Has a sleeping holder look again whether it may sleep.
    pub(crate) fn alert(&self) {
        // Who has looked already, but does not sleep yet, holds the lock.
        drop(self.holder());
        self.changed.notify_all();
    }

    fn wait<'a>(&self, holder: MutexGuard<'a, Holder>) -> MutexGuard<'a, Holder> {
        self.changed
            .wait(holder)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the slot its first thread, or another one in place of `lost`.
    ///
    /// `spawn` makes the thread of the name that it is given, and `None` where none is wanted any
    /// more. False where `lost` holds the slot no more.
    pub(crate) fn occupy(
        &self,
        index: usize,
        lost: Option<ThreadId>,
        spawn: impl FnOnce(ThreadId) -> io::Result<Option<JoinHandle<()>>>,
    ) -> io::Result<bool> {
        let mut holder = self.holder();
        let mut id = self.id(index);
        if let Some(lost) = lost {
            if id != lost || holder.has_ended {
                return Ok(false);
            }
            id.generation += 1;
            // Busy, so that others take what is queued if no thread can be made.
            self.state.swap(id.with(BUSY), Ordering::AcqRel);
            holder.handle = None;
            holder.has_ended = true;
            // The lost one need not be stuck after all: if it sleeps, it has to see this.
            self.changed.notify_all();
        }
        holder.handle = spawn(id)?;
        holder.has_ended = holder.handle.is_none();
        Ok(true)
    }

    /// The calling thread serves the slot until it drops what it is given.
    pub(crate) fn sit(self: &Arc<Self>, id: ThreadId) -> Seat<T> {
        Seat {
            slot: self.clone(),
            id,
        }
    }

    /// Waits for the holder to end, and for no thread that lost the slot.
    pub(crate) fn join(&self) {
        let mut holder = self.holder();
        while !holder.has_ended {
            holder = self.wait(holder);
        }
        let handle = holder.handle.take();
        drop(holder);
        if let Some(handle) = handle {
            // A lane that panicked has ended its thread; what it did is its owner's matter.
            let _ = handle.join();
        }
    }

    /// Drops what is queued.
    pub(crate) fn clear(&self) {
        // Pairs with the fence of who pushes: it sees the stop, or this sees what it pushed.
        fence(Ordering::SeqCst);
        while self.queue.pop().is_some() {}
    }
}

/// A thread's stay in its slot.
pub(crate) struct Seat<T> {
    slot: Arc<Slot<T>>,
    id: ThreadId,
}

impl<T> Drop for Seat<T> {
    fn drop(&mut self) {
        let mut holder = self.slot.holder();
        if self.slot.is_held_by(self.id) {
            holder.has_ended = true;
            self.slot.changed.notify_all();
        }
    }
}
