//! What waits in a lane. Any thread pushes and pops, under a lock that is held for a few instructions.
//!
//! A queue without a lock has a line of the processors' caches for each of its ends, and one for its items: an item
//! takes four changes of sides from the thread that pushes it to the one that runs it. This has one.

use std::collections::VecDeque;
use std::sync::PoisonError;

use crate::sync::{Mutex, MutexGuard};

/// For how many items there is room where none waits, at most: an idle lane does not keep what a burst took.
const KEPT_ROOM: usize = 64;

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
        if waiting.oldest.is_none() && waiting.others.capacity() > KEPT_ROOM {
            waiting.others = VecDeque::new();
        }
        Some(oldest)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().oldest.is_none()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn items_come_out_in_the_order_in_which_they_went_in() {
        let items = Items::new();
        for round in [1, 2, 3, KEPT_ROOM, 1000] {
            (0..round).for_each(|item| items.push(item));
            assert!(!items.is_empty());
            let popped: Vec<_> = std::iter::from_fn(|| items.pop()).collect();
            assert!(popped.into_iter().eq(0..round));
            assert!(items.is_empty());
        }
    }

    #[test]
    fn the_room_of_a_burst_is_given_back() {
        let items = Items::new();
        (0..100 * KEPT_ROOM).for_each(|item| items.push(item));
        while items.pop().is_some() {}
        assert!(items.lock().others.capacity() <= KEPT_ROOM);
    }
}
