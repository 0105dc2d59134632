//! Models of the lanes and their threads: loom runs each through all interleavings, up to a number of
//! preemptions. A wake-up that is lost shows as a deadlock. The crate's documentation has the command.

#![cfg(loom)]

use std::sync::Arc;

use isolane_lanes::{Lane, LaneQueue, Options, Pace, Threads};
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread;

/// A lane that writes down what it was asked to do.
struct Notes {
    queue: LaneQueue<usize>,
    threads: Arc<Threads<Notes>>,
    /// Whether a thread is in `run`.
    is_running: AtomicBool,
    /// Counted without atomic steps: two threads at once, or one that does not see what the last did,
    /// would lose some.
    batches: AtomicUsize,
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Default)]
struct Seen {
    batches: usize,
    items: Vec<usize>,
    polls: usize,
    /// The lane stays in `run` for as long as this is set.
    is_stuck: bool,
    is_running: bool,
    has_returned: bool,
}

impl Notes {
    fn new(threads: &Arc<Threads<Notes>>) -> Arc<Self> {
        Arc::new(Self {
            queue: LaneQueue::default(),
            threads: threads.clone(),
            is_running: AtomicBool::new(false),
            batches: AtomicUsize::new(0),
            seen: Mutex::new(Seen::default()),
            changed: Condvar::new(),
        })
    }

    /// One that has run its first item, so that its thread may attend to it.
    fn that_has_run_one(threads: &Arc<Threads<Notes>>) -> Arc<Self> {
        let lane = Self::new(threads);
        lane.push(1).unwrap();
        lane.wait_until(|seen| seen.items.len() == 1);
        lane
    }

    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().expect("no thread panicked"));
        self.changed.notify_all();
    }

    fn wait_until(&self, wanted: impl Fn(&Seen) -> bool) {
        let mut seen = self.seen.lock().expect("no thread panicked");
        while !wanted(&seen) {
            seen = self.changed.wait(seen).expect("no thread panicked");
        }
    }

    fn has_run(&self, items: usize) -> bool {
        self.seen.lock().expect("no thread panicked").items.len() == items
    }
}

impl Lane for Notes {
    type Item = usize;
    type Counts = ();

    fn queue(&self) -> &LaneQueue<usize> {
        &self.queue
    }

    fn threads(&self) -> &Arc<Threads<Self>> {
        &self.threads
    }

    fn pace(&self) -> Pace {
        Pace::Quick
    }

    fn run(self: &Arc<Self>, _: u64) {
        assert!(
            !self.is_running.swap(true, Ordering::Relaxed),
            "two at once"
        );
        let batches = self.batches.load(Ordering::Relaxed) + 1;
        self.batches.store(batches, Ordering::Relaxed);
        let item = self.queue.pop();
        let is_polled = self.queue.take_poll_wanted();
        self.note(|seen| {
            seen.batches += 1;
            seen.items.extend(item);
            seen.polls += usize::from(is_polled);
            seen.is_running = true;
            assert_eq!(batches, seen.batches, "a batch that did not see the last");
        });
        self.wait_until(|seen| !seen.is_stuck);
        self.is_running.store(false, Ordering::Relaxed);
    }

    fn idle(self: &Arc<Self>) {}

    fn returned(self: &Arc<Self>) {
        self.note(|seen| seen.has_returned = true);
    }
}

fn start(threads: usize) -> Arc<Threads<Notes>> {
    let options = Options {
        quick: threads,
        patient: 0,
        background: 0,
        spinning: 1,
        processor: || None,
        leave_processor: || {},
    };
    Threads::start(options, Box::new(|_, body| Ok(thread::spawn(body)))).expect("threads")
}

fn model(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.check(body);
}

fn push_elsewhere(lane: &Arc<Notes>, item: usize) -> thread::JoinHandle<Result<(), usize>> {
    let lane = lane.clone();
    thread::spawn(move || lane.push(item).map(drop))
}

fn end(threads: &Threads<Notes>) {
    threads.stop();
    threads.join();
}

#[test]
fn what_two_threads_push_at_once_is_run_once() {
    model(2, || {
        let threads = start(1);
        let lane = Notes::new(&threads);
        let other = push_elsewhere(&lane, 1);
        lane.push(2).unwrap();
        assert_eq!(other.join().unwrap(), Ok(()));
        lane.wait_until(|seen| seen.items.len() == 2);
        end(&threads);
        let items = lane.seen.lock().unwrap().items.clone();
        assert!(items == [1, 2] || items == [2, 1], "{items:?}");
    });
}

#[test]
fn a_lane_is_run_by_one_thread_at_a_time() {
    model(1, || {
        let threads = start(2);
        let lane = Notes::new(&threads);
        lane.push(1).unwrap();
        lane.push(2).unwrap();
        lane.wait_until(|seen| seen.items.len() == 2);
        end(&threads);
    });
}

#[test]
fn what_is_pushed_while_another_thread_runs_a_lane_is_run_afterwards() {
    model(2, || {
        let threads = start(1);
        let lane = Notes::new(&threads);
        let other = push_elsewhere(&lane, 1);
        let aside = lane.clone();
        lane.run_aside(move || {
            assert!(!aside.is_running.swap(true, Ordering::Relaxed));
            aside.is_running.store(false, Ordering::Relaxed);
        });
        assert_eq!(other.join().unwrap(), Ok(()));
        lane.wait_until(|seen| seen.items.len() == 1);
        end(&threads);
    });
}

#[test]
fn a_lane_that_another_thread_runs_is_not_retired() {
    model(2, || {
        let threads = start(1);
        let lane = Notes::new(&threads);
        let other = lane.clone();
        let other = thread::spawn(move || other.queue.retire());
        let aside = lane.clone();
        let has_run = lane.run_aside(move || assert!(!aside.queue.retire()));
        let is_retired = other.join().unwrap();
        assert!(has_run || is_retired);
        assert_eq!(lane.push(1).is_err(), is_retired);
        end(&threads);
    });
}

#[test]
fn a_waker_that_is_fired_during_a_run_is_seen() {
    model(2, || {
        let threads = start(1);
        let lane = Notes::new(&threads);
        let waker = lane.waker();
        lane.push(1).unwrap();
        let other = thread::spawn(move || waker.wake());
        lane.wait_until(|seen| seen.polls > 0 && seen.items.len() == 1);
        other.join().unwrap();
        end(&threads);
    });
}

#[test]
fn what_is_pushed_while_a_lane_retires_is_run_or_given_back() {
    model(3, || {
        let threads = start(1);
        let lane = Notes::new(&threads);
        let other = push_elsewhere(&lane, 1);
        let has_retired = lane.queue.retire();
        match other.join().unwrap() {
            Ok(()) => lane.wait_until(|seen| seen.items == [1]),
            Err(item) => assert!(has_retired && item == 1),
        }
        end(&threads);
        assert!(has_retired || lane.has_run(1));
    });
}

#[test]
fn what_is_pushed_while_a_thread_attends_to_a_lane_or_leaves_it_is_run() {
    model(2, || {
        let threads = start(1);
        let lane = Notes::that_has_run_one(&threads);
        let other = push_elsewhere(&lane, 2);
        lane.wake();
        assert_eq!(other.join().unwrap(), Ok(()));
        lane.wait_until(|seen| seen.items.len() == 2 && seen.polls == 1);
        end(&threads);
    });
}

#[test]
fn a_thread_that_attends_to_a_lane_runs_others() {
    model(1, || {
        let threads = start(1);
        let (first, second) = (Notes::that_has_run_one(&threads), Notes::new(&threads));
        let other = push_elsewhere(&first, 2);
        second.push(3).unwrap();
        assert_eq!(other.join().unwrap(), Ok(()));
        second.wait_until(|seen| seen.items.len() == 1);
        first.wait_until(|seen| seen.items.len() == 2);
        end(&threads);
    });
}

#[test]
fn a_lane_that_a_thread_attends_to_is_run_aside_or_retired_as_an_idle_one() {
    model(2, || {
        let threads = start(1);
        let lane = Notes::that_has_run_one(&threads);
        let other = push_elsewhere(&lane, 2);
        let aside = lane.clone();
        lane.run_aside(move || assert!(!aside.is_running.load(Ordering::Relaxed)));
        let has_retired = lane.queue.retire();
        match other.join().unwrap() {
            Ok(()) => lane.wait_until(|seen| seen.items.len() == 2),
            Err(item) => assert!(has_retired && item == 2),
        }
        end(&threads);
    });
}

#[test]
fn what_is_pushed_while_a_lane_is_abandoned_is_run_or_given_back() {
    model(2, || {
        let threads = start(1);
        let lane = Notes::new(&threads);
        lane.push(1).unwrap();
        let other = push_elsewhere(&lane, 2);
        let given_back = lane.queue.abandon().items.len();
        let given_back = given_back + usize::from(other.join().unwrap().is_err());
        lane.wait_until(|seen| seen.items.len() + given_back == 2);
        end(&threads);
        assert!(lane.has_run(2 - given_back));
        assert_eq!(lane.push(3), Err(3));
    });
}

#[test]
fn a_thread_that_goes_to_sleep_takes_what_another_cannot() {
    model(1, || {
        let threads = start(2);
        let (stuck, between, waiting) = (
            Notes::new(&threads),
            Notes::new(&threads),
            Notes::new(&threads),
        );
        stuck.note(|seen| seen.is_stuck = true);
        // The first thread is home to the first and the third.
        stuck.push(1).unwrap();
        between.push(2).unwrap();
        waiting.push(3).unwrap();
        waiting.wait_until(|seen| seen.items.len() == 1);
        between.wait_until(|seen| seen.items.len() == 1);
        stuck.note(|seen| seen.is_stuck = false);
        stuck.wait_until(|seen| seen.items.len() == 1);
        end(&threads);
    });
}

#[test]
fn stop_ends_every_thread_and_keeps_no_lane() {
    model(1, || {
        let threads = start(2);
        let lane = Notes::new(&threads);
        let other = push_elsewhere(&lane, 1);
        end(&threads);
        assert_eq!(other.join().unwrap(), Ok(()));
        assert_eq!(Arc::strong_count(&lane), 1);
    });
}

#[test]
fn a_lost_threads_successor_runs_what_is_queued() {
    model(2, || {
        let threads = start(1);
        let (lost, next) = (Notes::new(&threads), Notes::new(&threads));
        lost.note(|seen| seen.is_stuck = true);
        lost.push(1).unwrap();
        lost.wait_until(|seen| seen.is_running);
        let other = push_elsewhere(&next, 2);
        let abandoned = lost.queue.abandon();
        assert!(abandoned.items.is_empty() && abandoned.will_return);
        assert!(threads.replace(lost.queue.thread().unwrap()).unwrap());
        next.wait_until(|seen| seen.items == [2]);
        assert_eq!(other.join().unwrap(), Ok(()));
        // Nobody waits for the lost one, which comes back after all.
        end(&threads);
        lost.note(|seen| seen.is_stuck = false);
        lost.wait_until(|seen| seen.has_returned);
    });
}

#[test]
fn an_abandoned_lane_tells_once_that_its_thread_is_back() {
    model(3, || {
        let threads = start(1);
        let lane = Notes::new(&threads);
        lane.push(1).unwrap();
        let abandoned = lane.queue.abandon();
        if abandoned.will_return {
            lane.wait_until(|seen| seen.has_returned);
        }
        end(&threads);
        assert_eq!(
            lane.seen.lock().unwrap().has_returned,
            abandoned.will_return
        );
    });
}

#[test]
fn a_thread_that_is_replaced_while_it_works_or_rests_loses_nothing() {
    model(2, || {
        let threads = start(1);
        let lane = Notes::new(&threads);
        lane.push(1).unwrap();
        lane.wait_until(|seen| seen.is_running);
        let thread = lane.queue.thread().unwrap();
        assert!(threads.replace(thread).unwrap());
        assert!(!threads.replace(thread).unwrap());
        lane.push(2).unwrap();
        lane.wait_until(|seen| seen.items.len() == 2);
        end(&threads);
    });
}
