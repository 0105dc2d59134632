//! Which processor a thread was last seen on. Any thread notes and asks. Only a hint, so no model needs
//! to see it.

use std::sync::atomic::{AtomicU32, Ordering};

const UNKNOWN: u32 = u32::MAX;

/// The processor that somebody was last seen on, where that is known.
#[derive(Debug)]
pub struct LastSeenOn(AtomicU32);

impl LastSeenOn {
    /// Nobody was seen yet.
    pub fn nowhere() -> Self {
        Self(AtomicU32::new(UNKNOWN))
    }

    /// Somebody was seen there; `None` where that is not known, or is to be forgotten.
    pub fn note(&self, processor: Option<u32>) {
        let processor = processor.unwrap_or(UNKNOWN);
        // Most often it is the same, and then others keep their copy of it.
        if self.0.load(Ordering::Relaxed) != processor {
            self.0.store(processor, Ordering::Relaxed);
        }
    }

    pub(crate) fn is(&self, processor: Option<u32>) -> bool {
        processor.is_some_and(|processor| self.0.load(Ordering::Relaxed) == processor)
    }

    /// Whether both are known, and are not the same.
    pub fn is_other_than(&self, processor: Option<u32>) -> bool {
        let seen_on = self.0.load(Ordering::Relaxed);
        seen_on != UNKNOWN && processor.is_some_and(|processor| seen_on != processor)
    }
}
