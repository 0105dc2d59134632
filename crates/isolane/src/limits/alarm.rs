//! How the watchdog is woken: by a timer of the system's, not by the thread that begins to watch a turn, which has
//! a request to answer. To wake another thread takes it 20 µs where that one's processor has halted, to set a
//! timer 1 µs. Any thread sets the alarm; the watchdog waits for it.

use std::thread::{self, Thread};
use std::time::Duration;

use system::Timer;

/// Wakes one thread.
pub(super) struct Alarm {
    /// None where the system has none to give.
    timer: Option<Timer>,
    sleeper: Thread,
}

impl Alarm {
    pub(super) fn new(sleeper: Thread) -> Self {
        Self {
            timer: Timer::new(),
            sleeper,
        }
    }

    /// Has the thread go on, after `delay` or before.
    pub(super) fn set(&self, delay: Duration) {
        match &self.timer {
            Some(timer) => timer.set(delay),
            None => self.sleeper.unpark(),
        }
    }

    /// Waits, on that thread. May return for no reason.
    pub(super) fn wait(&self) {
        match &self.timer {
            Some(timer) => timer.wait(),
            None => thread::park(),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::os::fd::OwnedFd;
    use std::thread;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    /// How long to wait where there is nothing to wait for.
    const IN_VAIN: Duration = Duration::from_millis(2);

    pub(super) struct Timer(OwnedFd);

    impl Timer {
        pub(super) fn new() -> Option<Self> {
            let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC);
            let timer = Self(timer.ok()?);
            timer.try_set(IN_VAIN).then_some(timer)
        }

        pub(super) fn set(&self, delay: Duration) {
            // It could be set before, so that it can be set again.
            self.try_set(delay);
        }

        fn try_set(&self, delay: Duration) -> bool {
            let at = Itimerspec {
                it_interval: Timespec::default(),
                it_value: Timespec {
                    tv_sec: i64::try_from(delay.as_secs()).unwrap_or(i64::MAX),
                    // All zeros would stop the timer.
                    tv_nsec: i64::from(delay.subsec_nanos()).max(1),
                },
            };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &at).is_ok()
        }

        pub(super) fn wait(&self) {
            if rustix::io::read(&self.0, &mut [0; 8]).is_err() {
                // Interrupted, or somebody closed what was not theirs: turns are looked at all the same.
                thread::sleep(IN_VAIN);
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::time::Duration;

    pub(super) enum Timer {}

    impl Timer {
        pub(super) fn new() -> Option<Self> {
            None
        }

        pub(super) fn set(&self, _delay: Duration) {
            match *self {}
        }

        pub(super) fn wait(&self) {
            match *self {}
        }
    }
}
