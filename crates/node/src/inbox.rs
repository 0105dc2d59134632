//! What waits for JavaScript to take it, and whether Node's loop has to be woken for that. Any thread pushes; the
//! rest is for the JavaScript thread.
//!
//! The first push onto an empty list has the loop woken once, and JavaScript takes what has gathered until then,
//! some at a time: guests that have much to say do not keep the loop from anything else. While JavaScript attends
//! to the list by itself, what comes wakes nobody.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::connection::lock;
use crate::delivery::Delivery;

/// What JavaScript is given at most between two turns of Node's loop.
const MOST_BETWEEN_TURNS: usize = 256;

#[derive(Default)]
struct List {
    deliveries: VecDeque<Delivery>,
    /// JavaScript comes by itself: nobody wakes it.
    attended: bool,
}

#[derive(Default)]
pub(crate) struct Inbox {
    list: Mutex<List>,
    /// Whether more than console lines came since JavaScript attends: it may look without the mutex.
    has_news: AtomicBool,
    /// What JavaScript was given since the loop was last known to have turned, as deliveries or in calls
    /// that were answered before they returned.
    given: AtomicUsize,
}

impl Inbox {
    /// Adds a delivery, from any thread; says whether the loop is to be woken.
    pub(crate) fn push(&self, delivery: Delivery) -> bool {
        let mut list = lock(&self.list);
        if !matches!(delivery, Delivery::Log { .. }) {
            self.has_news.store(true, Ordering::Release);
        }
        list.deliveries.push_back(delivery);
        list.deliveries.len() == 1 && !list.attended
    }

    /// JavaScript is about to wait for what comes next. Not where something is there already, and not again and
    /// again: a caller that awaits one answer after the other would keep Node's loop from turning.
    pub(crate) fn attend(&self) -> bool {
        if self.given.load(Ordering::Relaxed) >= MOST_BETWEEN_TURNS {
            return false;
        }
        let mut list = lock(&self.list);
        if list.attended || !list.deliveries.is_empty() {
            return false;
        }
        list.attended = true;
        self.has_news.store(false, Ordering::Relaxed);
        true
    }

    /// Whether something has come since [`attend`](Self::attend) that is worth to stop waiting for.
    pub(crate) fn has_news(&self) -> bool {
        self.has_news.load(Ordering::Acquire)
    }

    /// Whether something has come meanwhile: then JavaScript still attends, until it [comes](Self::come).
    pub(crate) fn stop_attending(&self) -> bool {
        let mut list = lock(&self.list);
        list.attended = !list.deliveries.is_empty();
        list.attended
    }

    /// JavaScript comes, as it was to.
    pub(crate) fn come(&self) {
        lock(&self.list).attended = false;
    }

    /// JavaScript comes, and the loop has turned.
    pub(crate) fn begin_turn(&self) {
        self.given.store(0, Ordering::Relaxed);
        self.come();
    }

    /// A call was answered before it returned.
    pub(crate) fn note_given(&self) {
        self.given.fetch_add(1, Ordering::Relaxed);
    }

    /// What may be taken now, and whether the loop is to turn before there is more.
    pub(crate) fn next_batch(&self) -> (Vec<Delivery>, bool) {
        let mut list = lock(&self.list);
        if list.attended {
            return (Vec::new(), false);
        }
        let room = MOST_BETWEEN_TURNS.saturating_sub(self.given.load(Ordering::Relaxed));
        let count = room.min(list.deliveries.len());
        let batch: Vec<_> = list.deliveries.drain(..count).collect();
        self.given.fetch_add(count, Ordering::Relaxed);
        list.attended = count == room;
        (batch, list.attended)
    }

    /// All that is there, which nobody takes any more.
    pub(crate) fn empty(&self) -> VecDeque<Delivery> {
        std::mem::take(&mut lock(&self.list).deliveries)
    }
}
