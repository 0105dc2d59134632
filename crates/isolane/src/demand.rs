//! Whether what was asked for is likely to be asked for again soon, so that it is worth to make the next one
//! ahead. Kept by who makes it: a `Worker`'s isolates, a `SharedIsolate`'s contexts.

use std::time::{Duration, Instant};

/// How soon those who ask must follow each other, and how long what was made ahead waits for the next one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of when something is asked for.
#[derive(Default)]
pub(crate) struct Demand {
    last: Option<Instant>,
    is_frequent: bool,
}

impl Demand {
    /// Somebody asks.
    pub(crate) fn note(&mut self, now: Instant) {
        let before = self.last.replace(now);
        self.is_frequent = before.is_some_and(|before| now - before < PATIENCE);
    }

    /// Whether the last one who asked came soon after the one before.
    pub(crate) fn is_frequent(&self) -> bool {
        self.is_frequent
    }

    /// How long the next one is still expected for; nothing where none is.
    pub(crate) fn lasts(&self, now: Instant) -> Option<Duration> {
        let last = self.last.filter(|_| self.is_frequent)?;
        PATIENCE
            .checked_sub(now - last)
            .filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_is_expected_while_they_follow_each_other() {
        let mut demand = Demand::default();
        let begin = Instant::now();
        assert_eq!(demand.lasts(begin), None);
        demand.note(begin);
        assert_eq!(demand.lasts(begin), None);
        let second = begin + PATIENCE / 2;
        demand.note(second);
        assert_eq!(demand.lasts(second), Some(PATIENCE));
        let short = Duration::from_millis(1);
        assert_eq!(demand.lasts(second + PATIENCE - short), Some(short));
        assert_eq!(demand.lasts(second + PATIENCE), None);
        let third = second + PATIENCE;
        demand.note(third);
        assert_eq!(demand.lasts(third), None);
    }
}
