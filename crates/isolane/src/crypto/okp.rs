//! Ed25519 and X25519.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::{Algorithm, Fault, Key, Kind, Secret, random};

/// The length of a key of either kind.
pub(super) const KEY_BYTES: usize = 32;

fn bytes_of(key: &Key) -> Result<Zeroizing<[u8; KEY_BYTES]>, Fault> {
    match <[u8; KEY_BYTES]>::try_from(key.material.as_slice()) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(_) => Err(Fault::operation("The key is damaged")),
    }
}

/// A new private key and its public key.
pub(super) fn generate(algorithm: Algorithm) -> Result<(Key, Key), Fault> {
    let private = Key::half(algorithm, Kind::Private, random::secret(KEY_BYTES)?);
    Ok((public_of(&private)?, private))
}

/// The public key of a private one.
pub(super) fn public_of(private: &Key) -> Result<Key, Fault> {
    let seed = bytes_of(private)?;
    let public = match private.algorithm {
        Algorithm::Ed25519 => SigningKey::from_bytes(&seed).verifying_key().to_bytes(),
        _ => PublicKey::from(&StaticSecret::from(*seed)).to_bytes(),
    };
    let material = Secret::new(public.to_vec());
    Ok(Key::half(private.algorithm, Kind::Public, material))
}

/// An Ed25519 signature.
pub(super) fn sign(key: &Key, data: &[u8]) -> Result<Vec<u8>, Fault> {
    key.expect(Kind::Private)?;
    let signing = SigningKey::from_bytes(&*bytes_of(key)?);
    let signature = signing
        .try_sign(data)
        .map_err(|_| Fault::operation("Ed25519: signing failed"))?;
    Ok(signature.to_bytes().to_vec())
}

/// Whether an Ed25519 signature is right; points of small order make it wrong.
pub(super) fn verify(key: &Key, signature: &[u8], data: &[u8]) -> Result<bool, Fault> {
    key.expect(Kind::Public)?;
    let (Ok(verifying), Ok(signature)) = (
        VerifyingKey::from_bytes(&*bytes_of(key)?),
        Signature::from_slice(signature),
    ) else {
        return Ok(false);
    };
    Ok(verifying.verify_strict(data, &signature).is_ok())
}

/// The shared secret of X25519, which must not be zero.
pub(super) fn agree(key: &Key, public: &Key) -> Result<Secret, Fault> {
    let private = StaticSecret::from(*bytes_of(key)?);
    let shared = private.diffie_hellman(&PublicKey::from(*bytes_of(public)?));
    if !shared.was_contributory() {
        return Err(Fault::operation("X25519: the public key is of small order"));
    }
    Ok(Secret::new(shared.as_bytes().to_vec()))
}
