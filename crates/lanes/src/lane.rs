//! What a lane has to be: a queue, and a way to run what is in it. Pushing and waking is done here,
//! by any thread.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use crate::queue::{LaneQueue, Next, Runner};
use crate::threads::Threads;

/// Which class of threads a lane is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Its batches have proved to be short.
    Quick,
    /// Its batches are long, or not known yet.
    Slow,
    /// It is to have only what all others leave.
    Background,
}

/// What it took to have a lane run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Nothing: a thread that is awake will do it.
    ForThreadAwake,
    /// A thread had to be woken.
    ForThreadWoken,
}

/// Something that one thread at a time runs, whenever there are items for it.
pub trait Lane: Send + Sync + Sized + 'static {
    /// What it is asked to do.
    type Item: Send;
    /// What is counted beside its items.
    type Counts;

    /// Its queue.
    fn queue(&self) -> &LaneQueue<Self::Item, Self::Counts>;

    /// The threads that run it.
    fn threads(&self) -> &Arc<Threads<Self>>;

    /// The class of threads that it is for now.
    fn pace(&self) -> Pace;

    /// Runs a batch of the queue's items on the calling thread, beginning at that time by
    /// [`Threads::now_ns`]. No other thread runs the lane meanwhile. What it leaves is run after the
    /// other lanes of the thread.
    fn run(self: &Arc<Self>, begin_ns: u64);

    /// Called after a batch that left nothing to do. Another thread may run the lane already.
    fn idle(self: &Arc<Self>);

    /// Called after a batch during which the lane was abandoned; nothing runs it any more.
    fn returned(self: &Arc<Self>);

    /// Gives the lane something to do, from any thread; says what that took.
    ///
    /// # Errors
    ///
    /// The item, where the lane has been closed. Of several that are pushed at that moment each is
    /// given back once, but not always to the caller that pushed it.
    fn push(self: &Arc<Self>, item: Self::Item) -> Result<Pushed, Self::Item> {
        Ok(match self.queue().push(item)? {
            Runner::Known => Pushed::ForThreadAwake,
            Runner::Attending => {
                self.threads().note_pusher(self);
                Pushed::ForThreadAwake
            }
            Runner::Wanted => self.threads().enqueue(self.clone()),
        })
    }

    /// Has the lane run although it may have no items: [`LaneQueue::take_poll_wanted`] tells it.
    fn wake(self: &Arc<Self>) {
        match self.queue().want_poll() {
            Runner::Known => {}
            Runner::Attending => self.threads().note_pusher(self),
            Runner::Wanted => {
                self.threads().enqueue(self.clone());
            }
        }
    }

    /// Does something on the calling thread that only one thread at a time may do with the lane, where it is idle;
    /// false where it is not. What comes meanwhile is run by the lane's threads, afterwards.
    ///
    /// # Panics
    ///
    /// Where `body` does; the lane is then never run again.
    fn run_aside(self: &Arc<Self>, body: impl FnOnce()) -> bool {
        if !self.queue().begin_aside() {
            return false;
        }
        body();
        match self.queue().finish() {
            Next::Again => {
                self.threads().enqueue(self.clone());
            }
            Next::Idle => self.idle(),
            Next::Abandoned => self.returned(),
        }
        true
    }

    /// A waker that does [`Lane::wake`] as long as the lane lives.
    fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::new(LaneWaker(Arc::downgrade(self))))
    }
}

struct LaneWaker<L>(Weak<L>);

impl<L: Lane> Wake for LaneWaker<L> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(lane) = self.0.upgrade() {
            lane.wake();
        }
    }
}
