//! What one thread sends to another that keeps a part of it and gives the rest back, with all of the memory.
//!
//! Memory that one thread allocates and another frees costs both: they share the allocator's lists and its lock,
//! and what is written to anew is fetched from the other's cache. So the receiver only reads what it gives back. One
//! thread at a time holds a parcel.

use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

struct Contents<C, W> {
    cargo: ManuallyDrop<C>,
    wrapping: W,
}

/// A cargo for the receiver, in something that comes back.
pub(crate) struct Parcel<C, W>(ManuallyDrop<Box<Contents<C, W>>>);

/// What is left of an open parcel.
pub(crate) struct Wrapping<C, W>(Box<Contents<C, W>>);

impl<C, W> Parcel<C, W> {
    pub(crate) fn new(cargo: C, wrapping: W) -> Self {
        Self(ManuallyDrop::new(Box::new(Contents {
            cargo: ManuallyDrop::new(cargo),
            wrapping,
        })))
    }

    pub(crate) fn wrapping(&self) -> &W {
        &self.0.wrapping
    }

    /// The cargo, and what is to be given back.
    pub(crate) fn open(self) -> (C, Wrapping<C, W>) {
        ManuallyDrop::new(self).take_out()
    }

    fn take_out(&mut self) -> (C, Wrapping<C, W>) {
        // SAFETY: `open` has its callers give the parcel up and never drops it, and else only `drop` calls this, so
        // the box is taken once.
        let mut contents = unsafe { ManuallyDrop::take(&mut self.0) };
        // SAFETY: the box was taken once, so the cargo is; `Wrapping` neither reaches nor drops it.
        let cargo = unsafe { ManuallyDrop::take(&mut contents.cargo) };
        (cargo, Wrapping(contents))
    }
}

impl<C, W> Deref for Parcel<C, W> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0.cargo
    }
}

impl<C, W> DerefMut for Parcel<C, W> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.0.cargo
    }
}

impl<C, W> Drop for Parcel<C, W> {
    fn drop(&mut self) {
        drop(self.take_out());
    }
}

impl<C: Send + 'static, W: Send + 'static> Wrapping<C, W> {
    pub(crate) fn get_mut(&mut self) -> &mut W {
        &mut self.0.wrapping
    }

    /// As something to be dropped.
    pub(crate) fn into_leftovers(self) -> Box<dyn Send> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    type Held = Arc<()>;

    fn parcel() -> (Parcel<Held, Held>, Held, Held) {
        let (cargo, wrapping) = (Arc::new(()), Arc::new(()));
        let parcel = Parcel::new(cargo.clone(), wrapping.clone());
        (parcel, cargo, wrapping)
    }

    #[test]
    fn a_parcel_that_nobody_opens_drops_both() {
        let (parcel, cargo, wrapping) = parcel();
        drop(parcel);
        assert_eq!(
            (Arc::strong_count(&cargo), Arc::strong_count(&wrapping)),
            (1, 1)
        );
    }

    #[test]
    fn an_open_one_gives_each_part_away_once() {
        let (parcel, cargo, wrapping) = parcel();
        let (taken, left) = parcel.open();
        let left = left.into_leftovers();
        assert_eq!(
            (Arc::strong_count(&cargo), Arc::strong_count(&wrapping)),
            (2, 2)
        );
        drop(left);
        assert_eq!(
            (Arc::strong_count(&cargo), Arc::strong_count(&wrapping)),
            (2, 1)
        );
        drop(taken);
        assert_eq!(Arc::strong_count(&cargo), 1);
    }
}
