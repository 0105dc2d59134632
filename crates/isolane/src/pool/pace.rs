//! Which class of threads a lane is for: how long its batches take, and what is remembered of a worker
//! that overran or used up a limit. Written by the thread that runs a lane, read by whoever pushes.
//!
//! Processor time is what counts, so that a lane is not blamed for a thread that had to wait for a
//! processor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use isolane_lanes::Pace;
use parking_lot::Mutex;

use crate::limits::thread_clock::CpuMark;

use super::mean::Mean;

/// A lane whose turns take less than this on average is quick.
const QUICK: Duration = Duration::from_millis(1);
/// A quick lane overruns when one batch takes this long. V8's garbage collector may take a few
/// milliseconds of any worker's turn.
const OVERRUN: Duration = Duration::from_millis(10);
/// For how long a worker's lanes are slow after an overrun, or in the background after it used up a
/// limit; twice as long each time.
const SENTENCE: Duration = Duration::from_secs(1);
/// How many turns their mean length is that of.
const MEAN_OF_TURNS: u64 = 16;
/// How often the sentence doubles.
const DOUBLINGS: u32 = 6;
/// An overrun is forgotten when this time has passed since its sentence ended.
const FORGIVEN_AFTER: Duration = Duration::from_secs(60);

/// What a worker did, kept across its isolates and deployments.
#[derive(Default)]
pub(crate) struct Conduct {
    overruns: Mutex<u32>,
    /// Until when none of its lanes is quick, or 0.
    slow_until_ns: AtomicU64,
    /// Until when all of its lanes are in the background, or 0: not later than `slow_until_ns`.
    background_until_ns: AtomicU64,
}

impl Conduct {
    /// The pace of a lane that would have this one if nothing were remembered.
    fn adjusted(&self, pace: Pace, now_ns: impl FnOnce() -> u64) -> Pace {
        let slow_until_ns = self.slow_until_ns.load(Ordering::Relaxed);
        if slow_until_ns == 0 {
            return pace;
        }
        let now_ns = now_ns();
        if now_ns < self.background_until_ns.load(Ordering::Relaxed) {
            Pace::Background
        } else if now_ns < slow_until_ns {
            Pace::Slow
        } else {
            pace
        }
    }

    fn note_overrun(&self, now_ns: u64, used_up_a_limit: bool) {
        let mut overruns = self.overruns.lock();
        let since = now_ns.saturating_sub(self.slow_until_ns.load(Ordering::Relaxed));
        if Duration::from_nanos(since) > FORGIVEN_AFTER {
            *overruns = 0;
        }
        let sentence = SENTENCE * (1 << *overruns);
        *overruns = (*overruns + 1).min(DOUBLINGS);
        let until_ns = now_ns + sentence.as_nanos() as u64;
        self.slow_until_ns.store(until_ns, Ordering::Relaxed);
        if used_up_a_limit {
            self.background_until_ns.store(until_ns, Ordering::Relaxed);
        }
    }
}

/// What is known of one lane.
pub(crate) struct LanePace {
    conduct: Arc<Conduct>,
    /// Processor time of a turn.
    turn_ns: Mean,
}

/// A batch of a lane's turns, as far as its pace goes.
pub(super) struct Batch {
    begin: CpuMark,
    was_quick: bool,
}

/// How a batch ended.
pub(super) struct Ended {
    pub(super) now_ns: u64,
    /// The same moment.
    pub(super) now: Instant,
    pub(super) turns: u64,
    /// Whether the isolate was made in it, which says nothing of the worker.
    pub(super) isolate_is_new: bool,
    /// Whether one of its turns was terminated.
    pub(super) was_limited: bool,
}

impl LanePace {
    pub(super) fn new(conduct: Arc<Conduct>) -> Self {
        Self {
            conduct,
            turn_ns: Mean::default(),
        }
    }

    /// The class of threads that the lane is for. `now_ns` is only asked where it matters.
    pub(super) fn pace(&self, now_ns: impl FnOnce() -> u64) -> Pace {
        let mean_ns = self.turn_ns.get();
        let is_known = mean_ns != 0 && u128::from(mean_ns) < QUICK.as_nanos();
        let pace = if is_known { Pace::Quick } else { Pace::Slow };
        self.conduct.adjusted(pace, now_ns)
    }

    /// Whether the lane is quick, and its worker has never overrun.
    pub(super) fn is_steady(&self) -> bool {
        self.conduct.slow_until_ns.load(Ordering::Relaxed) == 0 && self.pace(|| 0) == Pace::Quick
    }

    /// The calling thread begins a batch.
    pub(super) fn begin(&self, begin_ns: u64, begin: Instant) -> Batch {
        Batch {
            begin: CpuMark::at(begin),
            was_quick: self.pace(|| begin_ns) == Pace::Quick,
        }
    }

    /// The calling thread has run the batch.
    pub(super) fn end(&self, batch: &Batch, ended: Ended) {
        let used_ns =
            u64::try_from(batch.begin.used_until(ended.now).as_nanos()).unwrap_or(u64::MAX);
        let has_overrun = batch.was_quick && u128::from(used_ns) >= OVERRUN.as_nanos();
        // One that was quick to end did not use up a limit: its caller aborted it.
        let has_offended = ended.was_limited && u128::from(used_ns) >= QUICK.as_nanos();
        if has_overrun || has_offended {
            self.conduct.note_overrun(ended.now_ns, has_offended);
        }
        if ended.isolate_is_new {
            return;
        }
        self.turn_ns
            .note(used_ns / ended.turns.max(1), MEAN_OF_TURNS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::thread_clock::thread_cpu_time;

    const MS: u64 = 1_000_000;

    fn lane() -> LanePace {
        LanePace::new(Arc::default())
    }

    /// A batch of one turn that computes for `spin`, at a time of the test's own.
    fn run(lane: &LanePace, at_ns: u64, spin: Duration, was_limited: bool) {
        let batch = lane.begin(at_ns, Instant::now());
        let begin = thread_cpu_time();
        while thread_cpu_time() - begin < spin {
            std::hint::spin_loop();
        }
        let ended = Ended {
            now_ns: at_ns + spin.as_nanos() as u64 + 1,
            now: Instant::now(),
            turns: 1,
            isolate_is_new: false,
            was_limited,
        };
        lane.end(&batch, ended);
    }

    #[test]
    fn a_lane_is_slow_until_it_has_proved_quick() {
        let lane = lane();
        assert_eq!(lane.pace(|| MS), Pace::Slow);
        run(&lane, MS, Duration::from_micros(10), false);
        assert_eq!(lane.pace(|| 2 * MS), Pace::Quick);
    }

    #[test]
    fn one_overrun_makes_it_slow_for_a_second_and_the_next_for_two() {
        let lane = lane();
        run(&lane, MS, Duration::from_micros(10), false);
        run(&lane, 10 * MS, Duration::from_millis(20), false);
        assert_eq!(lane.pace(|| 900 * MS), Pace::Slow);
        for turn in 0..100 {
            run(&lane, (1_100 + turn) * MS, Duration::from_micros(10), false);
        }
        assert_eq!(lane.pace(|| 1_300 * MS), Pace::Quick);
        run(&lane, 1_300 * MS, Duration::from_millis(20), false);
        for turn in 0..100 {
            run(&lane, (1_400 + turn) * MS, Duration::from_micros(10), false);
        }
        assert_eq!(lane.pace(|| 3_200 * MS), Pace::Slow);
        assert_eq!(lane.pace(|| 3_400 * MS), Pace::Quick);
    }

    #[test]
    fn a_limit_is_remembered_of_the_whole_worker() {
        let conduct = Arc::<Conduct>::default();
        let (limited, other) = (LanePace::new(conduct.clone()), LanePace::new(conduct));
        run(&other, MS, Duration::from_micros(10), false);
        assert_eq!(other.pace(|| 2 * MS), Pace::Quick);
        run(&limited, 2 * MS, Duration::from_millis(2), true);
        assert_eq!(other.pace(|| 5 * MS), Pace::Background);
        assert_eq!(limited.pace(|| 900 * MS), Pace::Background);
        assert_eq!(other.pace(|| 1_100 * MS), Pace::Quick);
    }

    #[test]
    fn time_without_a_processor_is_not_held_against_a_lane() {
        let lane = lane();
        run(&lane, MS, Duration::from_micros(10), false);
        let batch = lane.begin(10 * MS, Instant::now());
        let ended = Ended {
            now_ns: 60 * MS,
            now: Instant::now(),
            turns: 1,
            isolate_is_new: false,
            was_limited: false,
        };
        lane.end(&batch, ended);
        assert_eq!(lane.pace(|| 61 * MS), Pace::Quick);
    }

    #[test]
    fn a_few_milliseconds_now_and_then_are_forgiven() {
        let lane = lane();
        for turn in 1..200 {
            let spin = if turn % 40 == 0 { 4_000 } else { 20 };
            run(&lane, turn * 10 * MS, Duration::from_micros(spin), false);
            if turn > 1 {
                assert_eq!(lane.pace(|| turn * 10 * MS), Pace::Quick, "turn {turn}");
            }
        }
    }
}
