//! The lanes and their threads under many pushes at once, on real threads. Also what ThreadSanitizer
//! looks at: see the crate's documentation.

#![cfg(not(loom))]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use isolane_lanes::{Lane, LaneQueue, Options, Pace, Role, Threads};

enum Item {
    Count(usize),
    /// The lane stays in `run` until the channel's other end is dropped.
    Stick(Receiver<()>),
}

struct Counter {
    queue: LaneQueue<Item>,
    threads: Arc<Threads<Counter>>,
    pace: Mutex<Pace>,
    is_running: AtomicBool,
    /// How often each item was run.
    runs: Vec<AtomicUsize>,
    polls: AtomicUsize,
    /// The role of the thread that ran it last.
    role: Mutex<Option<String>>,
    has_begun: Sender<()>,
    has_returned: AtomicBool,
}

impl Lane for Counter {
    type Item = Item;
    type Counts = ();

    fn queue(&self) -> &LaneQueue<Item> {
        &self.queue
    }

    fn threads(&self) -> &Arc<Threads<Self>> {
        &self.threads
    }

    fn pace(&self) -> Pace {
        *self.pace.lock().expect("no panic")
    }

    fn run(self: &Arc<Self>, _: u64) {
        assert!(!self.is_running.swap(true, Ordering::Relaxed));
        *self.role.lock().expect("no panic") = thread::current().name().map(str::to_owned);
        for _ in 0..4 {
            match self.queue.pop() {
                Some(Item::Count(item)) => {
                    self.runs[item].fetch_add(1, Ordering::Relaxed);
                }
                Some(Item::Stick(released)) => {
                    self.has_begun.send(()).expect("a test that waits for it");
                    let _ = released.recv();
                }
                None => break,
            }
        }
        let polls = usize::from(self.queue.take_poll_wanted());
        self.polls.fetch_add(polls, Ordering::Relaxed);
        self.is_running.store(false, Ordering::Relaxed);
    }

    fn idle(self: &Arc<Self>) {}

    fn returned(self: &Arc<Self>) {
        self.has_returned.store(true, Ordering::Release);
    }
}

fn start(quick: usize, patient: usize, background: usize) -> Arc<Threads<Counter>> {
    let options = Options {
        quick,
        patient,
        background,
        spinning: 1,
        processor: || None,
        leave_processor: || {},
    };
    Threads::start(
        options,
        Box::new(|role, body| thread::Builder::new().name(format!("{role:?}")).spawn(body)),
    )
    .expect("threads")
}

fn lane(threads: &Arc<Threads<Counter>>, items: usize) -> (Arc<Counter>, Receiver<()>) {
    let (has_begun, begun) = channel();
    let lane = Arc::new(Counter {
        queue: LaneQueue::default(),
        threads: threads.clone(),
        pace: Mutex::new(Pace::Quick),
        is_running: AtomicBool::new(false),
        runs: std::iter::repeat_with(|| AtomicUsize::new(0))
            .take(items)
            .collect(),
        polls: AtomicUsize::new(0),
        role: Mutex::new(None),
        has_begun,
        has_returned: AtomicBool::new(false),
    });
    (lane, begun)
}

/// Waits for what has no other sign; a test that waits in vain hangs.
fn wait_until(is_true: impl Fn() -> bool) {
    while !is_true() {
        thread::yield_now();
    }
}

fn runs(lane: &Counter) -> usize {
    lane.runs
        .iter()
        .map(|runs| runs.load(Ordering::Relaxed))
        .sum()
}

const PUSHERS: usize = 4;
const ITEMS: usize = 20_000;

#[test]
fn every_item_is_run_once() {
    let threads = start(3, 0, 0);
    let lanes: Vec<_> = (0..5).map(|_| lane(&threads, PUSHERS * ITEMS).0).collect();
    thread::scope(|scope| {
        for pusher in 0..PUSHERS {
            let lanes = &lanes;
            scope.spawn(move || {
                for item in 0..ITEMS {
                    let lane = &lanes[(item * 7 + pusher) % lanes.len()];
                    assert!(lane.push(Item::Count(pusher * ITEMS + item)).is_ok());
                }
            });
        }
    });
    wait_until(|| lanes.iter().map(|lane| runs(lane)).sum::<usize>() == PUSHERS * ITEMS);
    for item in 0..PUSHERS * ITEMS {
        let runs = |lane: &Arc<Counter>| lane.runs[item].load(Ordering::Relaxed);
        assert_eq!(lanes.iter().map(runs).sum::<usize>(), 1);
    }
    threads.stop();
    threads.join();
}

#[test]
fn one_push_after_another_finds_a_thread_awake_or_wakes_it() {
    for count in [1, 2, 4] {
        let threads = start(count, 0, 0);
        let (lane, _) = lane(&threads, 1);
        for pushed in 1..=ITEMS {
            assert!(lane.push(Item::Count(0)).is_ok());
            // Now and then long enough for the threads to sleep.
            if pushed % 100 == 0 {
                thread::sleep(std::time::Duration::from_micros(100));
            }
            wait_until(|| runs(&lane) == pushed);
        }
        threads.stop();
        threads.join();
    }
}

#[test]
fn every_waker_is_followed_by_a_run() {
    let threads = start(2, 0, 0);
    let (lane, _) = lane(&threads, 1);
    for _ in 0..ITEMS {
        let before = lane.polls.load(Ordering::Relaxed);
        lane.waker().wake();
        wait_until(|| lane.polls.load(Ordering::Relaxed) > before);
    }
    threads.stop();
    threads.join();
}

#[test]
fn what_is_pushed_while_lanes_retire_is_run_or_given_back() {
    let threads = start(2, 0, 0);
    for _ in 0..2_000 {
        let (lane, _) = lane(&threads, PUSHERS);
        let given_back = AtomicUsize::new(0);
        thread::scope(|scope| {
            for item in 0..2 {
                let (lane, given_back) = (&lane, &given_back);
                scope.spawn(move || {
                    if lane.push(Item::Count(item)).is_err() {
                        given_back.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            lane.queue.retire();
        });
        wait_until(|| runs(&lane) + given_back.load(Ordering::Relaxed) == 2);
    }
    threads.stop();
    threads.join();
}

#[test]
fn lost_threads_are_replaced_while_lanes_are_pushed() {
    let threads = start(2, 0, 0);
    let (busy, _) = lane(&threads, ITEMS);
    let stop = AtomicBool::new(false);
    let pushed = Mutex::new(0);
    let mut stuck = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            for item in (0..ITEMS).cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                assert!(busy.push(Item::Count(item)).is_ok());
                *pushed.lock().unwrap() += 1;
            }
        });
        for _ in 0..50 {
            let (lane, begun) = lane(&threads, 1);
            let (release, released) = channel();
            assert!(lane.push(Item::Stick(released)).is_ok());
            begun.recv().unwrap();
            assert!(lane.push(Item::Count(0)).is_ok());
            assert_eq!(lane.queue.abandon().items.len(), 1);
            let thread = lane.queue.thread().unwrap();
            assert!(threads.replace(thread).unwrap());
            assert!(!threads.replace(thread).unwrap());
            stuck.push((lane, release));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let pushed = *pushed.lock().unwrap();
    wait_until(|| runs(&busy) == pushed);
    threads.stop();
    // Waits for the successors, and for none of the lost.
    threads.join();
    for (lane, release) in stuck {
        drop(release);
        wait_until(|| lane.has_returned.load(Ordering::Acquire));
        assert_eq!(runs(&lane), 0);
    }
}

#[test]
fn a_thread_that_is_lost_while_all_stop_is_not_waited_for() {
    let threads = start(1, 0, 0);
    let (lane, begun) = lane(&threads, 1);
    let (release, released) = channel();
    assert!(lane.push(Item::Stick(released)).is_ok());
    begun.recv().unwrap();
    threads.stop();
    let joining = {
        let threads = threads.clone();
        thread::spawn(move || threads.join())
    };
    assert!(threads.replace(lane.queue.thread().unwrap()).unwrap());
    joining.join().unwrap();
    drop(release);
    // It runs nothing more, and no thread keeps the lane.
    wait_until(|| Arc::strong_count(&lane) == 1);
    assert_eq!(runs(&lane), 0);
}

impl Counter {
    fn set_pace(&self, pace: Pace) {
        *self.pace.lock().expect("no panic") = pace;
    }

    fn role(&self) -> Option<Role> {
        let role = self.role.lock().expect("no panic");
        [Role::Quick, Role::Patient, Role::Background, Role::Relief]
            .into_iter()
            .find(|other| role.as_deref() == Some(format!("{other:?}").as_str()))
    }
}

#[test]
fn slow_lanes_run_on_patient_threads_and_quick_ones_never_wait_for_them() {
    let threads = start(1, 1, 0);
    let (slow, begun) = lane(&threads, 1);
    slow.set_pace(Pace::Slow);
    let (quick, _) = lane(&threads, 1);
    let (release, released) = channel();
    assert!(slow.push(Item::Stick(released)).is_ok());
    begun.recv().unwrap();
    assert_eq!(slow.role(), Some(Role::Patient));
    for pushed in 1..=ITEMS {
        assert!(quick.push(Item::Count(0)).is_ok());
        wait_until(|| runs(&quick) == pushed);
        assert_ne!(quick.role(), Some(Role::Patient));
    }
    drop(release);
    threads.stop();
    threads.join();
}

#[test]
fn a_lane_changes_its_thread_with_its_pace() {
    let threads = start(2, 2, 2);
    let (lane, _) = lane(&threads, 1);
    let paces = [Pace::Quick, Pace::Slow, Pace::Background]
        .into_iter()
        .cycle();
    for (pushed, pace) in (1..=ITEMS).zip(paces) {
        lane.set_pace(pace);
        assert!(lane.push(Item::Count(0)).is_ok());
        wait_until(|| runs(&lane) == pushed && lane.queue.is_idle());
        match (pace, lane.role()) {
            (Pace::Quick, Some(Role::Quick | Role::Relief))
            | (Pace::Slow, Some(Role::Patient))
            | (Pace::Background, Some(Role::Background)) => {}
            (pace, role) => panic!("{pace:?} on {role:?}"),
        }
    }
    threads.stop();
    threads.join();
}

#[test]
fn lanes_of_the_background_run_on_patient_threads_where_it_has_none() {
    let threads = start(1, 1, 0);
    let (lane, _) = lane(&threads, 1);
    lane.set_pace(Pace::Background);
    assert!(lane.push(Item::Count(0)).is_ok());
    wait_until(|| runs(&lane) == 1);
    assert_eq!(lane.role(), Some(Role::Patient));
    threads.stop();
    threads.join();
}

#[test]
fn the_relief_runs_what_waits_behind_quick_lanes_that_stick() {
    let threads = start(2, 1, 0);
    let mut relieved = 0;
    while relieved < 20 {
        let stuck: Vec<_> = std::iter::repeat_with(|| {
            let (lane, begun) = lane(&threads, 1);
            let (release, released) = channel();
            assert!(lane.push(Item::Stick(released)).is_ok());
            begun.recv().unwrap();
            (lane, release)
        })
        .take(2)
        .collect();
        // The second one waited behind the first, and the relief was first to see it.
        if stuck
            .iter()
            .any(|(lane, _)| lane.role() == Some(Role::Relief))
        {
            continue;
        }
        let waiting: Vec<_> = (0..3).map(|_| lane(&threads, 1).0).collect();
        for lane in &waiting {
            assert!(lane.push(Item::Count(0)).is_ok());
        }
        wait_until(|| waiting.iter().all(|lane| runs(lane) == 1));
        assert!(waiting.iter().all(|lane| lane.role() == Some(Role::Relief)));
        relieved += 1;
    }
    threads.stop();
    threads.join();
}
