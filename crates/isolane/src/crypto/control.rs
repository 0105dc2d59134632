//! How long work learns that it is to stop. Used on whichever thread does the work.

use super::Fault;

/// How many bytes are worked on between two looks.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// Asked between pieces of work.
pub(crate) struct Control<'a> {
    goes_on: &'a dyn Fn() -> bool,
}

impl<'a> Control<'a> {
    /// A control that asks `goes_on`.
    pub(crate) fn new(goes_on: &'a dyn Fn() -> bool) -> Self {
        Self { goes_on }
    }

    /// Fails once the work is to stop.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if (self.goes_on)() {
            Ok(())
        } else {
            Err(Fault::stopped())
        }
    }
}
