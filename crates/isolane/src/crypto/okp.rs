//! Ed25519, X25519, Ed448 and X448: the algorithms whose keys are plain octets.

use ed448_goldilocks::CompressedEdwardsY;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::{Algorithm, Fault, Key, Kind, Secret, random};

/// The longest context of an Ed448 signature (RFC 8032, section 5.2).
const MAX_CONTEXT_BYTES: usize = 255;

/// The length of a key of either kind.
pub(super) fn key_bytes(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Ed448 => 57,
        Algorithm::X448 => 56,
        _ => 32,
    }
}

/// What JSON Web Keys call the algorithm's curve.
pub(super) fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Ed448 => "Ed448",
        Algorithm::X448 => "X448",
        Algorithm::Ed25519 => "Ed25519",
        _ => "X25519",
    }
}

fn damaged<E>(_: E) -> Fault {
    Fault::operation("The key is damaged")
}

fn bytes_of<const LENGTH: usize>(key: &Key) -> Result<Zeroizing<[u8; LENGTH]>, Fault> {
    let bytes = <[u8; LENGTH]>::try_from(key.material.as_slice());
    bytes.map(Zeroizing::new).map_err(damaged)
}

/// A new private key and its public key.
pub(super) fn generate(algorithm: Algorithm) -> Result<(Key, Key), Fault> {
    let material = random::secret(key_bytes(algorithm))?;
    let private = Key::half(algorithm, Kind::Private, material);
    Ok((public_of(&private)?, private))
}

/// The public key of a private one.
pub(super) fn public_of(private: &Key) -> Result<Key, Fault> {
    let public = match private.algorithm {
        Algorithm::Ed448 => ed448_key(private)?.verifying_key().to_bytes().to_vec(),
        Algorithm::X448 => {
            let secret = x448::StaticSecret::from(*bytes_of(private)?);
            x448::PublicKey::from(&secret).as_bytes().to_vec()
        }
        Algorithm::Ed25519 => {
            let signing = SigningKey::from_bytes(&*bytes_of(private)?);
            signing.verifying_key().to_bytes().to_vec()
        }
        _ => {
            let secret = StaticSecret::from(*bytes_of(private)?);
            PublicKey::from(&secret).to_bytes().to_vec()
        }
    };
    let material = Secret::new(public);
    Ok(Key::half(private.algorithm, Kind::Public, material))
}

fn ed448_key(private: &Key) -> Result<ed448_goldilocks::SigningKey, Fault> {
    let seed = bytes_of::<57>(private)?;
    Ok(<&ed448_goldilocks::SecretKey>::from(&*seed).into())
}

/// An Ed25519 signature.
pub(super) fn sign_ed25519(key: &Key, data: &[u8]) -> Result<Vec<u8>, Fault> {
    key.expect(Kind::Private)?;
    let signing = SigningKey::from_bytes(&*bytes_of(key)?);
    let signature = signing
        .try_sign(data)
        .map_err(|_| Fault::operation("Ed25519: signing failed"))?;
    Ok(signature.to_bytes().to_vec())
}

/// Whether an Ed25519 signature is right; points of small order make it wrong.
pub(super) fn verify_ed25519(key: &Key, signature: &[u8], data: &[u8]) -> Result<bool, Fault> {
    key.expect(Kind::Public)?;
    let (Ok(verifying), Ok(signature)) = (
        VerifyingKey::from_bytes(&*bytes_of(key)?),
        Signature::from_slice(signature),
    ) else {
        return Ok(false);
    };
    Ok(verifying.verify_strict(data, &signature).is_ok())
}

fn check_context(context: &[u8]) -> Result<(), Fault> {
    if context.len() <= MAX_CONTEXT_BYTES {
        return Ok(());
    }
    Err(Fault::operation(format!(
        "Ed448: context must have at most {MAX_CONTEXT_BYTES} bytes"
    )))
}

/// An Ed448 signature.
pub(super) fn sign_ed448(key: &Key, context: &[u8], data: &[u8]) -> Result<Vec<u8>, Fault> {
    key.expect(Kind::Private)?;
    check_context(context)?;
    let signature = ed448_key(key)?
        .sign_ctx(context, data)
        .map_err(|_| Fault::operation("Ed448: signing failed"))?;
    Ok(signature.to_bytes().to_vec())
}

/// Whether an Ed448 signature is right; points of small order make it wrong.
pub(super) fn verify_ed448(
    key: &Key,
    context: &[u8],
    signature: &[u8],
    data: &[u8],
) -> Result<bool, Fault> {
    key.expect(Kind::Public)?;
    check_context(context)?;
    let public = bytes_of(key)?;
    let Ok(signature) = ed448_goldilocks::Signature::from_slice(signature) else {
        return Ok(false);
    };
    if !is_ed448_point(&public) || !is_ed448_point(signature.r_bytes()) {
        return Ok(false);
    }
    Ok(ed448_goldilocks::VerifyingKey::from_bytes(&public)
        .is_ok_and(|verifying| verifying.verify_ctx(&signature, context, data).is_ok()))
}

/// Whether these are the bytes that a point of the large group of prime order is written as. The crate
/// alone also reads a coordinate that is not reduced, and bits that must be zero.
fn is_ed448_point(bytes: &[u8; 57]) -> bool {
    let point = CompressedEdwardsY(*bytes).decompress().into_option();
    point.is_some_and(|point| point.compress().as_bytes() == bytes)
}

/// The shared secret of X25519 or X448, which must not be zero (RFC 7748, section 6).
pub(super) fn agree(key: &Key, public: &Key) -> Result<Secret, Fault> {
    let shared = if key.algorithm == Algorithm::X448 {
        let public =
            x448::PublicKey::from_bytes_unchecked(&public.material).ok_or_else(|| damaged(()))?;
        let private = x448::StaticSecret::from(*bytes_of(key)?);
        Secret::new(private.diffie_hellman(&public).as_bytes().to_vec())
    } else {
        let private = StaticSecret::from(*bytes_of(key)?);
        let shared = private.diffie_hellman(&PublicKey::from(*bytes_of(public)?));
        Secret::new(shared.as_bytes().to_vec())
    };
    let zero = vec![0; shared.len()];
    if shared.as_slice().ct_eq(zero.as_slice()).into() {
        return Err(Fault::operation(format!(
            "{}: the public key is of small order",
            name(key.algorithm)
        )));
    }
    Ok(shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base point's y (RFC 8032, section 5.2).
    const BASE: &str = "14fa30f25b790898adc8d74e2c13bdfdc4397ce61cffd33ad7c2a0051e9c78874098a36c7373ea4b\
                        62c7c9563720768824bcb66e71463f6900";

    fn base() -> [u8; 57] {
        std::array::from_fn(|at| u8::from_str_radix(&BASE[2 * at..][..2], 16).unwrap())
    }

    #[test]
    fn points_have_one_form() {
        assert!(is_ed448_point(&base()));
        let mut negative = base();
        negative[56] = 0x80;
        assert!(is_ed448_point(&negative));
        for stray in [0x01, 0x40, 0xC0] {
            let mut bytes = base();
            bytes[56] = stray;
            assert!(!is_ed448_point(&bytes), "{stray:#x}");
        }
        // 1 plus the modulus stands for the neutral element.
        let mut unreduced = [0xFF; 57];
        unreduced[..28].fill(0);
        unreduced[56] = 0;
        assert!(!is_ed448_point(&unreduced));
    }

    #[test]
    fn points_of_small_order_are_none() {
        let zero = [0; 57];
        let mut minus_one = [0xFF; 57];
        (minus_one[0], minus_one[28], minus_one[56]) = (0xFE, 0xFE, 0);
        let mut negative_zero = zero;
        negative_zero[56] = 0x80;
        for bytes in [zero, minus_one, negative_zero] {
            assert!(!is_ed448_point(&bytes));
        }
    }
}
