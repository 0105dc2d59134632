//! Reads the processor time of a thread, from that thread or from another one, without signals.
//!
//! A look at that clock is a system call, which takes longer than many a turn. So what begins and ends
//! within a fraction of a millisecond is measured by the time that passed, which is no less.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The processor-time clock of one thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadClock(imp::Clock);

impl ThreadClock {
    /// The clock of the calling thread.
    pub(crate) fn current() -> Self {
        Self(imp::current())
    }

    /// How much processor time the thread has used; `None` once it has ended.
    pub(crate) fn read(self) -> Option<Duration> {
        imp::read(self.0)
    }
}

/// How much processor time the calling thread has used.
pub(crate) fn thread_cpu_time() -> Duration {
    imp::own()
}

/// For how long a look at the clock is good enough to count on from.
const GOOD_FOR: Duration = Duration::from_micros(300);

thread_local! {
    /// When the calling thread looked at its clock, and what it said.
    static LOOK: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// A moment in the calling thread's life, from which processor time is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuMark {
    at: Instant,
    /// The thread's processor time, or up to 0.3 ms more.
    cpu: Duration,
}

impl CpuMark {
    /// This moment.
    pub(crate) fn now() -> Self {
        Self::at(Instant::now())
    }

    /// This moment, for who has just looked at the time.
    pub(crate) fn at(at: Instant) -> Self {
        let look = LOOK
            .get()
            .filter(|(looked_at, _)| at.duration_since(*looked_at) <= GOOD_FOR);
        let (looked_at, cpu) = look.unwrap_or_else(|| {
            let look = (at, thread_cpu_time());
            LOOK.set(Some(look));
            look
        });
        Self {
            at,
            cpu: cpu + at.duration_since(looked_at),
        }
    }

    /// What the thread's clock says at that moment, or up to 0.3 ms more.
    pub(crate) fn cpu(self) -> Duration {
        self.cpu
    }

    /// The time at that moment.
    pub(crate) fn time(self) -> Instant {
        self.at
    }

    /// How much processor time the thread has used until `now`, or up to 0.3 ms more or less.
    pub(crate) fn used_until(self, now: Instant) -> Duration {
        let elapsed = now.duration_since(self.at);
        if elapsed <= GOOD_FOR {
            return elapsed;
        }
        elapsed.min(thread_cpu_time().saturating_sub(self.cpu))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use std::mem::MaybeUninit;
    use std::time::Duration;

    pub(super) type Clock = libc::clockid_t;

    pub(super) fn current() -> Clock {
        let mut clock = MaybeUninit::<libc::clockid_t>::uninit();
        // SAFETY: the calling thread exists, and the call writes the clock where it succeeds.
        let status =
            unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), clock.as_mut_ptr()) };
        if status == 0 {
            // SAFETY: written, as the call succeeded.
            unsafe { clock.assume_init() }
        } else {
            libc::CLOCK_THREAD_CPUTIME_ID
        }
    }

    pub(super) fn own() -> Duration {
        read(libc::CLOCK_THREAD_CPUTIME_ID).unwrap_or_default()
    }

    pub(super) fn read(clock: Clock) -> Option<Duration> {
        let mut time = MaybeUninit::<libc::timespec>::uninit();
        // SAFETY: the call writes the time where it succeeds; a dead thread's clock makes it fail.
        if unsafe { libc::clock_gettime(clock, time.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: written, as the call succeeded.
        let time = unsafe { time.assume_init() };
        Some(Duration::new(
            time.tv_sec.unsigned_abs(),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        ))
    }
}

#[cfg(target_os = "macos")]
mod imp {
    use std::time::Duration;

    pub(super) type Clock = libc::mach_port_t;

    pub(super) fn current() -> Clock {
        // SAFETY: the calling thread exists; its port lives as long as the thread.
        unsafe { libc::pthread_mach_thread_np(libc::pthread_self()) }
    }

    pub(super) fn own() -> Duration {
        read(current()).unwrap_or_default()
    }

    pub(super) fn read(clock: Clock) -> Option<Duration> {
        let mut info = std::mem::MaybeUninit::<libc::thread_basic_info>::uninit();
        let mut count = libc::THREAD_BASIC_INFO_COUNT;
        // SAFETY: the buffer has the size that `count` says; a dead thread's port makes it fail.
        let status = unsafe {
            libc::thread_info(
                clock,
                libc::THREAD_BASIC_INFO as u32,
                info.as_mut_ptr().cast(),
                &mut count,
            )
        };
        if status != libc::KERN_SUCCESS {
            return None;
        }
        // SAFETY: written, as the call succeeded.
        let info = unsafe { info.assume_init() };
        let part = |time: libc::time_value_t| {
            Duration::new(
                time.seconds.unsigned_abs().into(),
                time.microseconds.unsigned_abs() * 1000,
            )
        };
        Some(part(info.user_time) + part(info.system_time))
    }
}

#[cfg(windows)]
mod imp {
    use std::time::Duration;

    use windows_sys::Win32::Foundation::{FILETIME, HANDLE};
    use windows_sys::Win32::System::Threading::{
        GetCurrentThread, GetCurrentThreadId, GetThreadTimes, OpenThread,
        THREAD_QUERY_LIMITED_INFORMATION,
    };

    /// A thread's handle as a number, opened once for each thread and kept for the process.
    pub(super) type Clock = usize;

    pub(super) fn current() -> Clock {
        // SAFETY: the calling thread exists.
        unsafe { OpenThread(THREAD_QUERY_LIMITED_INFORMATION, 0, GetCurrentThreadId()) as usize }
    }

    pub(super) fn own() -> Duration {
        // SAFETY: the pseudo handle is always valid on its own thread.
        read(unsafe { GetCurrentThread() } as usize).unwrap_or_default()
    }

    pub(super) fn read(clock: Clock) -> Option<Duration> {
        const ZERO: FILETIME = FILETIME {
            dwLowDateTime: 0,
            dwHighDateTime: 0,
        };
        let (mut created, mut exited, mut kernel, mut user) = (ZERO, ZERO, ZERO, ZERO);
        // SAFETY: the four places are valid for writing.
        let ok = unsafe {
            GetThreadTimes(
                clock as HANDLE,
                &mut created,
                &mut exited,
                &mut kernel,
                &mut user,
            )
        };
        let ticks =
            |time: FILETIME| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
        (ok != 0).then(|| Duration::from_nanos((ticks(kernel) + ticks(user)) * 100))
    }
}
