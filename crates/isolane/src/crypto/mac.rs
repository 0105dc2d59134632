//! HMAC.

use hmac::{Hmac, KeyInit, Mac};

use super::control::CHUNK_BYTES;
use super::hash::with_hash;
use super::{Control, Fault, Key};

/// The authentication code of `data`.
pub(super) fn sign(key: &Key, data: &[u8], control: &Control<'_>) -> Result<Vec<u8>, Fault> {
    with_hash!(key.hash()?, D => {
        let state = feed(start::<Hmac<D>>(&key.material)?, data, control)?;
        Ok(state.finalize().into_bytes().to_vec())
    })
}

/// Whether `code` is the authentication code of `data`; takes as long wherever they differ.
pub(super) fn verify(
    key: &Key,
    code: &[u8],
    data: &[u8],
    control: &Control<'_>,
) -> Result<bool, Fault> {
    with_hash!(key.hash()?, D => {
        let state = feed(start::<Hmac<D>>(&key.material)?, data, control)?;
        Ok(state.verify_slice(code).is_ok())
    })
}

fn start<M: Mac + KeyInit>(key: &[u8]) -> Result<M, Fault> {
    <M as KeyInit>::new_from_slice(key).map_err(|_| Fault::operation("The key cannot be used"))
}

fn feed<M: Mac>(mut state: M, data: &[u8], control: &Control<'_>) -> Result<M, Fault> {
    for chunk in data.chunks(CHUNK_BYTES) {
        control.check()?;
        state.update(chunk);
    }
    Ok(state)
}
