//! The atomics, locks, threads and queues that this crate is built on: the standard library's, or
//! loom's in models of it. Nothing here has a state of its own.

pub(crate) use imp::*;

#[cfg(not(loom))]
mod imp {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering, fence};
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use std::thread::JoinHandle;
    use std::time::Duration;

    /// How long an idle thread looks for work before it sleeps, where work comes that often: for longer
    /// than a caller takes to wake, or each would find the other asleep again and again.
    pub(crate) const SPIN: Duration = Duration::from_micros(200);

    /// How often a spinning thread looks for work before it looks at the time.
    pub(crate) const LOOKS_PER_TIME: usize = 16;

    pub(crate) use crossbeam_queue::SegQueue as Queue;
}

#[cfg(loom)]
mod imp {
    use std::collections::VecDeque;
    use std::time::Duration;

    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering, fence};
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use loom::thread::JoinHandle;

    /// One look: more would be the same look again.
    pub(crate) const SPIN: Duration = Duration::ZERO;
    pub(crate) const LOOKS_PER_TIME: usize = 1;

    /// Stands for the lock-free queue, which loom cannot see into. It promises as little: what a
    /// push did before is seen by who pops its item or reads the length that it left, and asking
    /// whether the queue is empty tells a later push nothing.
    pub(crate) struct Queue<T> {
        items: Mutex<VecDeque<T>>,
        len: AtomicUsize,
    }

    impl<T> Queue<T> {
        pub(crate) fn new() -> Self {
            Self {
                items: Mutex::new(VecDeque::new()),
                len: AtomicUsize::new(0),
            }
        }

        pub(crate) fn push(&self, item: T) {
            let mut items = self.items.lock().expect("no model panics in here");
            items.push_back(item);
            self.len.fetch_add(1, Ordering::AcqRel);
        }

        pub(crate) fn pop(&self) -> Option<T> {
            if self.is_empty() {
                return None;
            }
            let mut items = self.items.lock().expect("no model panics in here");
            let item = items.pop_front()?;
            self.len.fetch_sub(1, Ordering::AcqRel);
            Some(item)
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.len.load(Ordering::Acquire) == 0
        }
    }
}
