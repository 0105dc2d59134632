//! Random bytes, which come from the operating system only.
//!
//! Owns each thread's small store of them; nothing of it can get into a startup snapshot.

use std::cell::RefCell;

use super::{Fault, Secret};

/// Requests up to this size come from the store, which saves a system call for each.
const STORED_REQUEST_BYTES: usize = 64;
const STORE_BYTES: usize = 1024;

struct RandomStore {
    bytes: [u8; STORE_BYTES],
    used: usize,
}

thread_local! {
    static STORE: RefCell<RandomStore> = const {
        RefCell::new(RandomStore { bytes: [0; STORE_BYTES], used: STORE_BYTES })
    };
}

/// Fills `target` with random bytes of the operating system.
pub(crate) fn fill_random(target: &mut [u8]) -> Result<(), getrandom::Error> {
    if target.len() > STORED_REQUEST_BYTES {
        return getrandom::fill(target);
    }
    STORE.with_borrow_mut(|store| {
        if STORE_BYTES - store.used < target.len() {
            getrandom::fill(&mut store.bytes)?;
            store.used = 0;
        }
        let taken = &mut store.bytes[store.used..][..target.len()];
        target.copy_from_slice(taken);
        // What was handed out must not be readable here later.
        taken.fill(0);
        store.used += target.len();
        Ok(())
    })
}

/// So many new secret bytes.
pub(super) fn secret(length: usize) -> Result<Secret, Fault> {
    let mut bytes = Secret::new(vec![0; length]);
    match fill_random(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(Fault::operation("No random values are available")),
    }
}
