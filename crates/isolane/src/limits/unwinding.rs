//! How long a turn may go on after it was told to end, and what is given up for it then. Only the watchdog
//! uses it, under the turn's slot.

use std::time::{Duration, Instant};

use super::rescue::Rescue;
use super::watchdog::Fired;

/// How much processor time a terminated turn may still use before it and its thread are given up.
const UNWINDING_CPU: Duration = Duration::from_millis(100);
/// How long a terminated turn may go on before who waits for it is answered without it, where its
/// thread gets no processor.
const UNWINDING_TIME: Duration = Duration::from_secs(1);
/// How long it may go on so before its thread is given up too. One that only waits for a processor
/// that others use is not lost, and a successor would wait for the same.
const UNWINDING_TIME_OF_THREAD: Duration = Duration::from_secs(30);
/// How much processor time it may use before a process that may end for it does. Others run there too,
/// and most turns that end late end before that.
const UNWINDING_CPU_OF_PROCESS: Duration = Duration::from_secs(2);
/// How long it may go on so before such a process ends.
const UNWINDING_TIME_OF_PROCESS: Duration = Duration::from_secs(60);
/// The most that one look counts of what has passed since the last: beyond it the watchdog had no
/// processor itself, as where the machine is paused, and the turn had no chance to end either.
const LONGEST_STEP: Duration = Duration::from_millis(20);

/// A turn that was told to end, and has not yet.
pub(super) struct Firing {
    pub(super) why: Fired,
    /// When it was last looked at.
    looked: Instant,
    cpu_looked: Duration,
    /// For how long, and with how much processor time, the turn has gone on since; without what V8
    /// took to collect garbage, which it is not asked to stop.
    lasted: Duration,
    cpu: Duration,
    /// What was given up already.
    rescued: Option<Rescue>,
}

impl Firing {
    pub(super) fn new(why: Fired, now: Instant, cpu_now: Duration) -> Self {
        Self {
            why,
            looked: now,
            cpu_looked: cpu_now,
            lasted: Duration::ZERO,
            cpu: Duration::ZERO,
            rescued: None,
        }
    }

    pub(super) fn advance(&mut self, now: Instant, cpu_now: Duration, is_collecting: bool) {
        if !is_collecting {
            self.lasted += (now - self.looked).min(LONGEST_STEP);
            self.cpu += cpu_now.saturating_sub(self.cpu_looked).min(LONGEST_STEP);
        }
        self.looked = now;
        self.cpu_looked = cpu_now;
    }

    /// What is to be given up now, and was not before; said once.
    pub(super) fn take_due(&mut self) -> Option<Rescue> {
        let due = self.due().filter(|due| self.rescued < Some(*due))?;
        self.rescued = Some(due);
        Some(due)
    }

    /// What is to be given up, by how long the turn goes on.
    fn due(&self) -> Option<Rescue> {
        let passed = |cpu, time| self.cpu >= cpu || self.lasted >= time;
        if passed(UNWINDING_CPU_OF_PROCESS, UNWINDING_TIME_OF_PROCESS) {
            Some(Rescue::EndProcess)
        } else if passed(UNWINDING_CPU, UNWINDING_TIME_OF_THREAD) {
            Some(Rescue::LoseThread)
        } else if self.lasted >= UNWINDING_TIME {
            Some(Rescue::Answer)
        } else {
            None
        }
    }

    /// Whether who waited was answered without the turn.
    pub(super) fn is_answered(&self) -> bool {
        self.rescued.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::watchdog::TICK;

    /// Looks at a turn that was told to end, `looks` times; its thread has the processor for `cpu` of
    /// each `step`.
    fn look_on(looks: u32, step: Duration, cpu: Duration) -> Firing {
        let begin = Instant::now();
        let mut firing = Firing::new(Fired::Aborted, begin, Duration::ZERO);
        for look in 1..=looks {
            firing.advance(begin + step * look, cpu * look, false);
        }
        firing
    }

    #[test]
    fn a_turn_that_goes_on_costs_its_thread_and_in_the_end_its_process() {
        assert_eq!(look_on(49, TICK, TICK).due(), None);
        assert_eq!(look_on(50, TICK, TICK).due(), Some(Rescue::LoseThread));
        assert_eq!(look_on(999, TICK, TICK).due(), Some(Rescue::LoseThread));
        assert_eq!(look_on(1000, TICK, TICK).due(), Some(Rescue::EndProcess));
    }

    #[test]
    fn nobody_waits_for_a_turn_whose_thread_gets_no_processor() {
        let starved = |looks| look_on(looks, TICK, Duration::ZERO).due();
        assert_eq!(starved(499), None);
        assert_eq!(starved(500), Some(Rescue::Answer));
        assert_eq!(starved(14_999), Some(Rescue::Answer));
        assert_eq!(starved(15_000), Some(Rescue::LoseThread));
        assert_eq!(starved(30_000), Some(Rescue::EndProcess));
    }

    #[test]
    fn a_pause_of_the_machine_is_not_held_against_a_turn() {
        let pause = Duration::from_secs(60);
        assert_eq!(look_on(1, pause, Duration::ZERO).due(), None);
        // The clocks of threads may go on meanwhile.
        assert_eq!(look_on(1, pause, pause).due(), None);
    }
}
