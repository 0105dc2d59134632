//! What the process holds, as the system sees it.

use std::time::{Duration, Instant};

/// The resident bytes and the most there ever were; `None` where the system does not say.
pub(crate) struct Resident {
    pub(crate) now: usize,
    pub(crate) peak: usize,
}

impl Resident {
    pub(crate) fn read() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let kilobytes = |key: &str| -> Option<usize> {
            let line = status.lines().find(|line| line.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        Some(Self {
            now: kilobytes("VmRSS:")? << 10,
            peak: kilobytes("VmHWM:")? << 10,
        })
    }
}

/// Waits until no more than `bytes` are resident, without what malloc only keeps; the last measure where that does
/// not come.
pub(crate) fn await_at_most(bytes: usize, patience: Duration) -> Result<(), usize> {
    await_after(give_back, bytes, patience)
}

/// As [`await_at_most`], with what malloc keeps.
pub(crate) fn await_at_most_in_all(bytes: usize, patience: Duration) -> Result<(), usize> {
    await_after(|| {}, bytes, patience)
}

fn await_after(before_each: fn(), bytes: usize, patience: Duration) -> Result<(), usize> {
    let until = Instant::now() + patience;
    loop {
        before_each();
        let Some(resident) = Resident::read() else {
            return Ok(());
        };
        if resident.now <= bytes {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(resident.now);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Has malloc join all that is freed to what is free beside it, at once; to be called before there are threads.
///
/// glibc's keeps the smallest pieces apart, and joins them when it is asked to trim. If one of them lies between what an
/// attack has freed and the unused end of a thread's arena, all of that becomes the end, which only a later free trims.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn join_what_is_freed() {
    // SAFETY: mallopt only sets how malloc goes on.
    unsafe { libc::mallopt(libc::M_MXFAST, 0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn join_what_is_freed() {}

/// Asks malloc for what it only keeps.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_back() {
    // SAFETY: malloc_trim may be called at any time, from any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
