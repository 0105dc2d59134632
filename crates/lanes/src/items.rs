//! What waits in a lane. Any thread pushes and pops, under a lock that is held for a few instructions.
//!
//! A queue without a lock has a line of the processors' caches for each of its ends, and one for its items: an item
//! takes four changes of sides from the thread that pushes it to the one that runs it. This has one.

use std::collections::VecDeque;
use std::sync::PoisonError;

use crate::sync::{Mutex, MutexGuard};

/// The items of a lane, the oldest first.
pub(crate) struct Items<T>(Mutex<Waiting<T>>);

struct Waiting<T> {
    /// The oldest one. Most often there is no other, and then nothing else is touched.
    oldest: Option<T>,
    others: VecDeque<T>,
}

impl<T> Items<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Waiting {
            oldest: None,
            others: VecDeque::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        // Nothing in here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, item: T) {
        let mut waiting = self.lock();
        if waiting.oldest.is_none() {
            waiting.oldest = Some(item);
        } else {
            waiting.others.push_back(item);
        }
    }

    pub(crate) fn pop(&self) -> Option<T> {
        let mut waiting = self.lock();
        let oldest = waiting.oldest.take()?;
        waiting.oldest = waiting.others.pop_front();
        Some(oldest)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().oldest.is_none()
    }
}
