//! RSA's schemes: PKCS #1 v1.5 and PSS signatures, OAEP encryption. Private operations are blinded.

use getrandom::SysRng;
use rsa::rand_core::UnwrapErr;
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, Pkcs1v15Sign, Pss};

use super::hash::with_hash;
use super::rsa_keys::{load_private, load_public};
use super::{Algorithm, Control, Fault, Key, Secret};

/// The operating system's random numbers; a system that has none to give is a panic.
pub(super) fn system_random() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A signature of `data`; `salt_bytes` is for PSS.
pub(super) fn sign(
    key: &Key,
    salt_bytes: u32,
    data: &[u8],
    control: &Control<'_>,
) -> Result<Vec<u8>, Fault> {
    let private = load_private(key)?;
    let digest = key.hash()?.digest(data, control)?;
    let salt_bytes = salt_bytes as usize;
    with_hash!(key.hash()?, D => match key.algorithm {
        Algorithm::RsaPss if salt_bytes > private.size() => Err(too_short()),
        Algorithm::RsaPss => private.sign_with_rng(
            &mut system_random(),
            Pss::<D>::new_blinded_with_salt(salt_bytes),
            &digest,
        ).map_err(|_| too_short()),
        _ => private.sign_with_rng(
            &mut system_random(),
            Pkcs1v15Sign::new::<D>(),
            &digest,
        ).map_err(|_| too_short()),
    })
}

fn too_short() -> Fault {
    Fault::operation("The RSA key is too short for the hash and the salt")
}

/// Whether a signature is right; `salt_bytes` is for PSS.
pub(super) fn verify(
    key: &Key,
    salt_bytes: u32,
    signature: &[u8],
    data: &[u8],
    control: &Control<'_>,
) -> Result<bool, Fault> {
    let public = load_public(key)?;
    let digest = key.hash()?.digest(data, control)?;
    let salt_bytes = salt_bytes as usize;
    let verified = with_hash!(key.hash()?, D => match key.algorithm {
        Algorithm::RsaPss if salt_bytes > public.size() => return Ok(false),
        Algorithm::RsaPss => public.verify(Pss::<D>::new_with_salt(salt_bytes), &digest, signature),
        _ => public.verify(Pkcs1v15Sign::new::<D>(), &digest, signature),
    });
    Ok(verified.is_ok())
}

/// OAEP encryption.
pub(super) fn encrypt(key: &Key, label: &[u8], data: &[u8]) -> Result<Secret, Fault> {
    let public = load_public(key)?;
    with_hash!(key.hash()?, D => public
        .encrypt(&mut system_random(), Oaep::<D>::new_with_label(label), data)
        .map(Secret::new)
        .map_err(|_| Fault::operation("RSA-OAEP: the data is too long for the key")))
}

/// OAEP decryption; how it failed is not told.
pub(super) fn decrypt(key: &Key, label: &[u8], data: &[u8]) -> Result<Secret, Fault> {
    let private = load_private(key)?;
    with_hash!(key.hash()?, D => private
        .decrypt_blinded(&mut system_random(), Oaep::<D>::new_with_label(label), data)
        .map(Secret::new)
        .map_err(|_| Fault::operation("RSA-OAEP: decryption failed")))
}
