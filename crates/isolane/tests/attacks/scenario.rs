//! The scenarios: attacks that need more than one request at a time, written in Rust.

use crate::tenant::Mode;

/// One scenario; it panics where it fails.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) modes: &'static [Mode],
    pub(crate) run: fn(Mode),
}

/// All scenarios.
pub(crate) const ALL: &[Scenario] = &[];
