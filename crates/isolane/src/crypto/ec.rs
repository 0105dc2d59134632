//! ECDSA and ECDH on the curves of NIST.

use super::{Algorithm, Control, Curve, Fault, Hash, Key, Kind, Secret, random};

/// Runs the expression with `$curve` as the crate of the key's curve.
macro_rules! with_curve {
    ($curve:expr, $c:ident => $body:expr) => {
        match $curve {
            Curve::P256 => {
                use p256 as $c;
                $body
            }
            Curve::P384 => {
                use p384 as $c;
                $body
            }
            Curve::P521 => {
                use p521 as $c;
                $body
            }
        }
    };
}

fn damaged<E>(_: E) -> Fault {
    Fault::operation("The key is damaged")
}

/// A new private key and its public key.
pub(super) fn generate(algorithm: Algorithm, curve: Curve) -> Result<(Key, Key), Fault> {
    loop {
        let mut scalar = random::secret(curve.field_bytes())?;
        if curve == Curve::P521 {
            // The field has 521 bits: seven of the first byte's are never set.
            scalar[0] &= 1;
        }
        // Scalars of zero or past the order are no keys: the next one is tried.
        if let Some(point) = point_of(curve, &scalar) {
            let public = public_key(algorithm, curve, &point);
            return Ok((public, private_key(algorithm, curve, &scalar, &point)));
        }
    }
}

/// A public key of an uncompressed point.
pub(super) fn public_key(algorithm: Algorithm, curve: Curve, point: &[u8]) -> Key {
    let key = Key::half(algorithm, Kind::Public, Secret::new(point.to_vec()));
    Key {
        curve: Some(curve),
        ..key
    }
}

/// A private key of a scalar and its uncompressed point.
pub(super) fn private_key(algorithm: Algorithm, curve: Curve, scalar: &[u8], point: &[u8]) -> Key {
    let mut material = Vec::with_capacity(scalar.len() + point.len());
    material.extend_from_slice(scalar);
    material.extend_from_slice(point);
    let key = Key::half(algorithm, Kind::Private, Secret::new(material));
    Key {
        curve: Some(curve),
        ..key
    }
}

/// The uncompressed point of a scalar, which has the length of the field; `None` where it is no key.
pub(super) fn point_of(curve: Curve, scalar: &[u8]) -> Option<Vec<u8>> {
    with_curve!(curve, c => {
        use c::elliptic_curve::sec1::ToSec1Point as _;
        if scalar.len() != curve.field_bytes() {
            return None;
        }
        let key = c::SecretKey::from_slice(scalar).ok()?;
        Some(key.public_key().to_sec1_point(false).as_bytes().to_vec())
    })
}

/// An encoded point, compressed or not, in its uncompressed form; `None` where it is not on the curve.
pub(super) fn uncompressed(curve: Curve, point: &[u8]) -> Option<Vec<u8>> {
    with_curve!(curve, c => {
        use c::elliptic_curve::sec1::ToSec1Point as _;
        let key = c::PublicKey::from_sec1_bytes(point).ok()?;
        Some(key.to_sec1_point(false).as_bytes().to_vec())
    })
}

/// An ECDSA signature: both numbers, each with the length of the field.
pub(super) fn sign(
    key: &Key,
    hash: Hash,
    data: &[u8],
    control: &Control<'_>,
) -> Result<Vec<u8>, Fault> {
    let (scalar, _) = key.scalar_and_point()?;
    let curve = key.curve()?;
    let digest = prehash(curve, hash, data, control)?;
    with_curve!(curve, c => {
        use c::ecdsa::signature::hazmat::PrehashSigner as _;
        let signing = c::ecdsa::SigningKey::from_slice(scalar).map_err(damaged)?;
        let signature: c::ecdsa::Signature = signing
            .sign_prehash(&digest)
            .map_err(|_| Fault::operation("ECDSA: signing failed"))?;
        Ok(signature.to_bytes().to_vec())
    })
}

/// Whether an ECDSA signature is right.
pub(super) fn verify(
    key: &Key,
    hash: Hash,
    signature: &[u8],
    data: &[u8],
    control: &Control<'_>,
) -> Result<bool, Fault> {
    key.expect(Kind::Public)?;
    let curve = key.curve()?;
    let digest = prehash(curve, hash, data, control)?;
    with_curve!(curve, c => {
        use c::ecdsa::signature::hazmat::PrehashVerifier as _;
        let verifying = c::ecdsa::VerifyingKey::from_sec1_bytes(&key.material).map_err(damaged)?;
        let Ok(signature) = c::ecdsa::Signature::from_slice(signature) else {
            return Ok(false);
        };
        Ok(verifying.verify_prehash(&digest, &signature).is_ok())
    })
}

/// The hash with leading zeros where it is shorter than the field: the number that it stands for is the
/// same, and the curves' crates refuse hashes that are much shorter.
fn prehash(curve: Curve, hash: Hash, data: &[u8], control: &Control<'_>) -> Result<Vec<u8>, Fault> {
    let digest = hash.digest(data, control)?;
    let missing = curve.field_bytes().saturating_sub(digest.len());
    let mut padded = vec![0; missing];
    padded.extend(digest);
    Ok(padded)
}

/// The shared secret of ECDH: the x coordinate.
pub(super) fn agree(key: &Key, public: &Key) -> Result<Secret, Fault> {
    let (scalar, _) = key.scalar_and_point()?;
    with_curve!(key.curve()?, c => {
        let private = c::SecretKey::from_slice(scalar).map_err(damaged)?;
        let public = c::PublicKey::from_sec1_bytes(&public.material).map_err(damaged)?;
        let shared = c::ecdh::diffie_hellman(private.to_nonzero_scalar(), public.as_affine());
        Ok(Secret::new(shared.raw_secret_bytes().to_vec()))
    })
}
