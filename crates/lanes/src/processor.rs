//! Which processor a thread was last seen on. Any thread notes and asks. Only a hint, so no model needs
//! to see it.

use std::sync::atomic::{AtomicU32, Ordering};

const UNKNOWN: u32 = u32::MAX;

/// The processor that somebody was last seen on, where that is known.
pub(crate) struct LastSeenOn(AtomicU32);

impl LastSeenOn {
    pub(crate) fn nowhere() -> Self {
        Self(AtomicU32::new(UNKNOWN))
    }

    pub(crate) fn note(&self, processor: Option<u32>) {
        let processor = processor.unwrap_or(UNKNOWN);
        // Most often it is the same, and then others keep their copy of it.
        if self.0.load(Ordering::Relaxed) != processor {
            self.0.store(processor, Ordering::Relaxed);
        }
    }

    pub(crate) fn is(&self, processor: Option<u32>) -> bool {
        processor.is_some_and(|processor| self.0.load(Ordering::Relaxed) == processor)
    }
}
