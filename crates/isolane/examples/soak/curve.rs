//! What a process holds, sampled while it works, and the slope of that curve: is something never given
//! back? Used by the soak and by the short version of it among the tests.

#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

/// What the process held after so many units of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) units: u64,
    pub(crate) resident_bytes: u64,
    pub(crate) handles: u64,
    pub(crate) threads: u64,
}

impl Sample {
    /// What the process holds now; `None` where this system does not tell.
    #[cfg(target_os = "linux")]
    pub(crate) fn now(units: u64) -> Option<Self> {
        let count = |path| std::fs::read_dir(path).ok().map(|all| all.count() as u64);
        Some(Self {
            units,
            resident_bytes: settled_bytes()?,
            handles: count("/proc/self/fd")?,
            threads: count("/proc/self/task")?,
        })
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn now(_units: u64) -> Option<Self> {
        None
    }
}

/// What the process holds once its threads have done what they do after the last request: an isolate is
/// dropped, another made ahead.
#[cfg(target_os = "linux")]
fn settled_bytes() -> Option<u64> {
    const LOOK_EVERY: Duration = Duration::from_millis(5);
    const STEADY_LOOKS: u32 = 8;
    const PATIENCE: Duration = Duration::from_secs(3);
    /// Less than any isolate takes.
    const STEADY_BYTES: u64 = 128 << 10;
    let begin = Instant::now();
    let (mut before, mut steady) = (resident_bytes()?, 0);
    while steady < STEADY_LOOKS && begin.elapsed() < PATIENCE {
        std::thread::sleep(LOOK_EVERY);
        let now = resident_bytes()?;
        steady = if now.abs_diff(before) < STEADY_BYTES {
            steady + 1
        } else {
            0
        };
        before = now;
    }
    Some(before)
}

#[cfg(target_os = "linux")]
fn resident_bytes() -> Option<u64> {
    give_back();
    let status = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = status.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// Has the allocator give free memory back, so that the curve shows what is held.
#[cfg(target_os = "linux")]
fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it takes no pointer, and may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// How many bytes each unit adds, by least squares over the second half of the samples: the first half
/// is for caches to fill.
pub(crate) fn slope(samples: &[Sample]) -> f64 {
    let half = &samples[samples.len() / 2..];
    let points = || {
        let point = |sample: &Sample| (sample.units as f64, sample.resident_bytes as f64);
        half.iter().map(point)
    };
    let count = half.len() as f64;
    let mean_x = points().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points().map(|(_, y)| y).sum::<f64>() / count;
    let covariance: f64 = points().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = points().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if variance == 0.0 {
        0.0
    } else {
        covariance / variance
    }
}
