//! What a thread that asks knows of its own runs, and what that means for spinning: it spins for an answer while it
//! has nothing better to do. On that thread, but for the counts, which whoever settles or takes an answer changes.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;

/// After so many answers in a row a thread lets its executor do something else, to which a run that is answered each
/// time it is polled never seems to wait. Not more often: that may wake another of the executor's threads.
const ANSWERS_IN_A_ROW: usize = 512;

thread_local! {
    /// Runs that were begun since the thread last looked for an answer.
    static BEGUN_IN_A_ROW: Cell<usize> = const { Cell::new(0) };
    /// Answers that came while it spun, since it last waited in another way.
    static ANSWERED_IN_A_ROW: Cell<usize> = const { Cell::new(0) };
    /// The counts when it last left off for an answer that had come.
    static LEFT_OFF_AT: Cell<Counts> = const { Cell::new(Counts { settled: 0, taken: 0 }) };
    static TALLY: OnceCell<Arc<Tally>> = const { OnceCell::new() };
}

/// Counts the runs that are to go on, on one thread, as soon as they are answered.
#[derive(Default)]
struct Tally {
    /// Apart: the one is changed by isolates' threads, the other by the caller's.
    settled: CachePadded<AtomicUsize>,
    taken: CachePadded<AtomicUsize>,
}

impl Tally {
    /// How many there are: each holds its thread's tally.
    fn under_way(self: &Arc<Self>) -> usize {
        Arc::strong_count(self) - 1
    }

    fn counts(self: &Arc<Self>) -> Counts {
        Counts {
            settled: self.settled.load(Ordering::Relaxed),
            taken: self.taken.load(Ordering::Relaxed),
        }
    }
}

/// How many of the runs that have been under way on a thread were answered, and how many of those answers were taken.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    settled: usize,
    taken: usize,
}

/// What the calling thread is to do about an answer that is likely to come within microseconds.
pub(super) enum Advice {
    /// To spin for it, until [`has_settled_since`] those.
    Spin(Counts),
    /// To have its executor go on with something else, and to come back.
    Pause,
    /// Not to spin: another of its runs was answered.
    LeaveOff,
}

/// One run that is to go on, on the thread that made this, as soon as it is answered.
pub(super) struct UnderWay(Arc<Tally>);

/// The same once it is answered; dropped when the answer is taken.
pub(super) struct Answered(Arc<Tally>);

impl UnderWay {
    /// One on the calling thread; none where that ends.
    pub(super) fn here() -> Option<Self> {
        let tally = |tally: &OnceCell<Arc<Tally>>| tally.get_or_init(Arc::default).clone();
        TALLY.try_with(tally).ok().map(Self)
    }

    pub(super) fn answered(self) -> Answered {
        self.0.settled.fetch_add(1, Ordering::Relaxed);
        Answered(self.0)
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.0.taken.fetch_add(1, Ordering::Relaxed);
    }
}

/// The calling thread begins a run.
pub(super) fn note_begin() {
    BEGUN_IN_A_ROW.set(BEGUN_IN_A_ROW.get() + 1);
}

/// The calling thread looks for an answer.
pub(super) fn note_look() {
    BEGUN_IN_A_ROW.set(0);
}

/// The calling thread was answered while it spun.
pub(super) fn note_answer() {
    ANSWERED_IN_A_ROW.set(ANSWERED_IN_A_ROW.get() + 1);
}

/// How many runs of the calling thread's are not done, beside the one that it has begun last: those that it has begun
/// since it last looked for an answer, and those that are to go on as soon as they are answered.
pub(crate) fn others_of_this_thread() -> usize {
    BEGUN_IN_A_ROW.get().saturating_sub(1) + with_tally(Tally::under_way)
}

/// Whether more of the calling thread's runs are answered than were.
pub(super) fn has_settled_since(before: Counts) -> bool {
    with_tally(|tally| tally.settled.load(Ordering::Relaxed)) != before.settled
}

/// What the calling thread, which polls a run, is to do where the answer is likely to come within microseconds.
pub(super) fn advice() -> Advice {
    let counts = with_tally(Tally::counts);
    // One that was passed over before nobody seems to want.
    if counts.settled != counts.taken && LEFT_OFF_AT.replace(counts) != counts {
        ANSWERED_IN_A_ROW.set(0);
        return Advice::LeaveOff;
    }
    if ANSWERED_IN_A_ROW.get() >= ANSWERS_IN_A_ROW {
        ANSWERED_IN_A_ROW.set(0);
        return Advice::Pause;
    }
    Advice::Spin(counts)
}

/// Of no runs where none was ever under way on the calling thread, or where that ends.
fn with_tally<T: Default>(look: impl FnOnce(&Arc<Tally>) -> T) -> T {
    let look = |tally: &OnceCell<Arc<Tally>>| tally.get().map(look);
    TALLY.try_with(look).ok().flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts_to_spin_with() -> Counts {
        match advice() {
            Advice::Spin(counts) => counts,
            _ => panic!("it is to spin"),
        }
    }

    fn under_way() -> UnderWay {
        UnderWay::here().expect("a thread that goes on")
    }

    #[test]
    fn a_thread_spins_until_another_of_its_runs_is_answered() {
        let other = under_way();
        let counts = counts_to_spin_with();
        assert!(!has_settled_since(counts));
        let other = other.answered();
        assert!(has_settled_since(counts));
        assert!(matches!(advice(), Advice::LeaveOff));
        drop(other);
        counts_to_spin_with();
    }

    #[test]
    fn an_answer_that_nobody_takes_is_left_off_for_once() {
        let _forgotten = under_way().answered();
        assert!(matches!(advice(), Advice::LeaveOff));
        counts_to_spin_with();
        let _next = under_way().answered();
        assert!(matches!(advice(), Advice::LeaveOff));
    }

    #[test]
    fn runs_of_other_threads_do_not_count_here() {
        let other = std::thread::spawn(|| under_way().answered());
        let _other = other.join().expect("no panic");
        assert_eq!(others_of_this_thread(), 0);
        counts_to_spin_with();
    }

    #[test]
    fn runs_count_until_their_answer_is_taken() {
        let (first, second) = (under_way(), under_way().answered());
        assert_eq!(others_of_this_thread(), 2);
        drop(first);
        assert_eq!(others_of_this_thread(), 1);
        drop(second);
        assert_eq!(others_of_this_thread(), 0);
    }
}
