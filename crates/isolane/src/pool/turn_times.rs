//! How long a lane's turns take, and what follows from that for those who wait. Noted by the thread that runs the lane,
//! asked for by whoever pushes.

use crate::settlement::waking;

use super::mean::Mean;

/// Who is likely to be answered within this time spins for the answer: to sleep and be woken takes about as long.
const QUICK_NS: u64 = 20_000;

/// How many turns their mean length is that of.
const MEAN_OF_TURNS: u64 = 8;

#[derive(Default)]
pub(super) struct TurnTimes {
    turn_ns: Mean,
    /// The same without what it took to wake callers, who might have spun.
    answer_ns: Mean,
}

impl TurnTimes {
    /// Notes the batch that the calling thread has just run, which may have had no turns.
    pub(super) fn note(&self, batch_ns: u64, turns: u64) {
        // Of each batch, or it would count as the next one's, which may be another lane's.
        let waking_ns = waking::take_spent().as_nanos() as u64;
        if let Some(turn_ns) = batch_ns.checked_div(turns) {
            self.turn_ns.note(turn_ns, MEAN_OF_TURNS);
            let answer_ns = turn_ns.saturating_sub(waking_ns / turns);
            self.answer_ns.note(answer_ns, MEAN_OF_TURNS);
        }
    }

    /// Whether who waits behind so many is likely to be answered within microseconds, as far as is known.
    pub(super) fn are_quick(&self, queued: usize) -> bool {
        let mean = self.answer_ns.get();
        mean != 0 && (queued as u64 + 1) * mean < QUICK_NS
    }

    /// Whether they are short, as far as is known.
    pub(super) fn are_short(&self) -> bool {
        let mean = self.turn_ns.get();
        mean != 0 && mean < QUICK_NS
    }

    /// How long so many of them take.
    pub(super) fn expected_ns(&self, turns: usize) -> u64 {
        turns as u64 * self.turn_ns.get()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::settlement::RunFuture;

    use super::*;

    const SHORT_NS: u64 = 5_000;

    /// Answers a caller who takes long to be woken.
    fn wake_slowly() {
        let (future, settlement) = RunFuture::<Bytes>::new(1, None);
        future.on_ready(|_| {
            let begin = std::time::Instant::now();
            while begin.elapsed().as_nanos() < u128::from(2 * QUICK_NS) {
                std::hint::spin_loop();
            }
        });
        settlement.settle(Ok(Bytes::new()));
    }

    #[test]
    fn what_waking_takes_makes_no_turn_slow() {
        let times = TurnTimes::default();
        let begin = std::time::Instant::now();
        wake_slowly();
        times.note(begin.elapsed().as_nanos() as u64 + SHORT_NS, 1);
        assert!(times.are_quick(0) && !times.are_short());
    }

    #[test]
    fn what_waking_took_in_a_batch_without_turns_is_not_taken_off_the_next() {
        let (times, other) = (TurnTimes::default(), TurnTimes::default());
        wake_slowly();
        other.note(3 * QUICK_NS, 0);
        times.note(QUICK_NS + SHORT_NS, 1);
        assert!(!times.are_quick(0));
    }
}
