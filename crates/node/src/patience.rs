//! Short waits of the JavaScript thread for what another thread is about to do: a wake of Node's loop takes
//! longer than most guests' turns. On the JavaScript thread only.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The longest wait. A guest whose thread is awake goes on within a few microseconds.
const LONGEST: Duration = Duration::from_micros(10);

/// The most times not to wait, after a wait in vain.
const MOST_SKIPPED: u32 = 64;

/// Whether to wait for one kind of thing: less and less often where it does not come in time.
#[derive(Default)]
pub(crate) struct Patience {
    skipped_after_last: Cell<u32>,
    to_skip: Cell<u32>,
}

impl Patience {
    /// Whether to wait this time.
    pub(crate) fn allows(&self) -> bool {
        let to_skip = self.to_skip.get();
        self.to_skip.set(to_skip.saturating_sub(1));
        to_skip == 0
    }

    /// Waits until it has come, or for long enough.
    pub(crate) fn wait_until(&self, has_come: impl Fn() -> bool) {
        let begin = Instant::now();
        let came = loop {
            if has_come() {
                break true;
            }
            if begin.elapsed() >= LONGEST {
                break false;
            }
            std::hint::spin_loop();
        };
        let skipped = if came {
            0
        } else {
            (self.skipped_after_last.get() * 2 + 1).min(MOST_SKIPPED)
        };
        self.skipped_after_last.set(skipped);
        self.to_skip.set(skipped);
    }
}
