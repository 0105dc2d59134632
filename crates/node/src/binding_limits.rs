//! Limits as JavaScript gives them: some of them, over those of whoever contains the request.

use std::time::Duration;

use isolane::Limits;
use napi_derive::napi;

/// The limits that were given; the rest stay as they are.
#[napi(object)]
#[derive(Clone, Default)]
pub struct BindingLimits {
    pub cpu_ms: Option<f64>,
    pub wall_ms: Option<f64>,
    pub heap_mb: Option<f64>,
    pub buffer_mb: Option<f64>,
    pub subrequests: Option<u32>,
    pub concurrent_subrequests: Option<u32>,
    pub response_mb: Option<f64>,
}

impl BindingLimits {
    /// These limits over others; 0 stands for none.
    pub(crate) fn over(&self, base: &Limits) -> Limits {
        let mut limits = *base;
        if let Some(cpu_ms) = self.cpu_ms {
            limits.cpu = milliseconds(cpu_ms);
        }
        if let Some(wall_ms) = self.wall_ms {
            limits.wall = milliseconds(wall_ms);
        }
        if let Some(heap_mb) = self.heap_mb {
            limits.heap_bytes = mebibytes(heap_mb);
        }
        if let Some(buffer_mb) = self.buffer_mb {
            limits.buffer_bytes = Some(mebibytes(buffer_mb)).filter(|_| buffer_mb > 0.0);
        }
        if let Some(subrequests) = self.subrequests {
            limits.subrequests = Some(subrequests).filter(|&count| count > 0);
        }
        if let Some(concurrent) = self.concurrent_subrequests {
            limits.concurrent_subrequests = Some(concurrent).filter(|&count| count > 0);
        }
        if let Some(response_mb) = self.response_mb {
            limits.response_bytes =
                Some(mebibytes(response_mb) as u64).filter(|_| response_mb > 0.0);
        }
        limits
    }
}

/// Longer than this is for ever: clocks cannot add more.
const LONGEST_MS: f64 = 1e12;

/// A time limit; none for 0 and for what no clock can count.
fn milliseconds(limit: f64) -> Option<Duration> {
    (limit > 0.0 && limit < LONGEST_MS).then(|| duration_from_ms(limit))
}

/// A duration of a number that TypeScript has checked.
pub(crate) fn duration_from_ms(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds.clamp(0.0, LONGEST_MS) / 1e3).unwrap_or_default()
}

/// Saturates, as all conversions from floating point do.
pub(crate) fn mebibytes(amount: f64) -> usize {
    (amount * f64::from(1 << 20)) as usize
}
