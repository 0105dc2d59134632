//! A running mean that one thread notes and any thread asks for.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

/// A running mean of positive values, or 0 before there were any.
#[derive(Default)]
pub(super) struct Mean {
    exact: CachePadded<AtomicU64>,
    /// To an eighth of it. Written where that changes, so that those who ask keep their copy of it.
    rounded: CachePadded<AtomicU64>,
}

impl Mean {
    /// The mean, to an eighth of it.
    pub(super) fn get(&self) -> u64 {
        self.rounded.load(Ordering::Relaxed)
    }

    /// Moves the mean towards `value`, by one part in `parts` of the way.
    pub(super) fn note(&self, value: u64, parts: u64) {
        let mean = self.exact.load(Ordering::Relaxed);
        let next = if mean == 0 {
            value
        } else {
            mean - mean / parts + value / parts
        };
        let next = next.max(1);
        self.exact.store(next, Ordering::Relaxed);
        let unit = next.next_power_of_two().div_ceil(16);
        let rounded = next / unit * unit;
        if self.rounded.load(Ordering::Relaxed) != rounded {
            self.rounded.store(rounded, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_near_the_values_whatever_their_size() {
        for value in [1, 7, 100, 1_500, 20_000, 999_999, 1 << 40] {
            let mean = Mean::default();
            mean.note(value, 8);
            let got = mean.get();
            assert!(
                got <= value && got >= value - value / 8,
                "{got} for {value}"
            );
        }
    }

    #[test]
    fn it_moves_towards_what_comes() {
        let mean = Mean::default();
        mean.note(1_000, 8);
        for _ in 0..100 {
            mean.note(9_000, 8);
        }
        assert!((7_500..=9_000).contains(&mean.get()), "{}", mean.get());
    }

    #[test]
    fn it_is_nothing_before_the_first_value_and_never_after() {
        let mean = Mean::default();
        assert_eq!(mean.get(), 0);
        mean.note(0, 8);
        assert_eq!(mean.get(), 1);
    }
}
