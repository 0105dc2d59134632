//! How long a thread that gives answers has spent to wake those who wait for them: several times as long as a short
//! turn takes, and not at all where they spin. Of the calling thread.

use std::cell::Cell;
use std::time::{Duration, Instant};

thread_local! {
    static SPENT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Wakes somebody, and counts the time for that.
pub(super) fn counted(wake: impl FnOnce()) {
    let begin = Instant::now();
    wake();
    SPENT.set(SPENT.get() + begin.elapsed());
}

/// The time that was counted since the last call.
pub(crate) fn take_spent() -> Duration {
    SPENT.take()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::settlement::RunFuture;

    use super::*;

    const LONG: Duration = Duration::from_millis(1);

    fn wake_slowly() {
        let begin = Instant::now();
        while begin.elapsed() < LONG {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn what_it_takes_to_wake_who_waits_is_counted_until_it_is_asked_for() {
        for _ in 0..2 {
            let (future, settlement) = RunFuture::<Bytes>::new(1, None);
            future.on_ready(|_| wake_slowly());
            settlement.settle(Ok(Bytes::new()));
        }
        assert!(take_spent() >= 2 * LONG);
        assert_eq!(take_spent(), Duration::ZERO);
    }

    #[test]
    fn nothing_is_counted_where_nobody_has_to_be_woken() {
        let (_future, settlement) = RunFuture::<Bytes>::new(1, None);
        settlement.settle(Ok(Bytes::new()));
        assert_eq!(take_spent(), Duration::ZERO);
    }
}
