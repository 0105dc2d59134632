//! RSA keys: their parts, and the PKCS #1 structures in which they are kept.

use crypto_bigint::BoxedUint;
use rsa::pkcs1::der::Decode;
use rsa::pkcs1::{
    DecodeRsaPrivateKey, DecodeRsaPublicKey, EncodeRsaPrivateKey, EncodeRsaPublicKey,
    RsaPrivateKeyRef, RsaPublicKeyRef,
};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};

use super::jwk::{Jwk, decode, encode};
use super::{Algorithm, Fault, Hash, Import, Key, Kind, Secret};

/// The shortest modulus: shorter ones have been factored.
pub(super) const MIN_BITS: u32 = 1024;
/// The longest modulus: a private operation with it takes a fraction of a second, and cannot be stopped.
pub(super) const MAX_BITS: u32 = 8192;

fn malformed() -> Fault {
    Fault::data("The RSA key is not valid")
}

fn damaged<E>(_: E) -> Fault {
    Fault::operation("The key is damaged")
}

/// A number of a key that comes from outside.
fn number(bytes: &[u8]) -> Result<BoxedUint, Fault> {
    let leading = bytes.iter().take_while(|&&byte| byte == 0).count();
    let digits = &bytes[leading..];
    let bits = u32::try_from(digits.len() * 8).map_err(|_| malformed())?;
    if bits > MAX_BITS {
        return Err(Fault::data(format!(
            "The RSA key is longer than {MAX_BITS} bits"
        )));
    }
    BoxedUint::from_be_slice(digits, bits.max(8)).map_err(|_| malformed())
}

fn public_of_parts(import: &Import, modulus: &[u8], exponent: &[u8]) -> Result<Key, Fault> {
    let sizes = MIN_BITS as usize..=MAX_BITS as usize;
    let key = RsaPublicKey::new_with_size_limits(number(modulus)?, number(exponent)?, sizes)
        .map_err(|error| Fault::data(format!("The RSA key is not valid: {error}")))?;
    public_key(import.algorithm, import.hash, &key)
}

/// The numbers of a private key that the others follow from.
struct PrivateParts<'a> {
    modulus: &'a [u8],
    exponent: &'a [u8],
    private_exponent: &'a [u8],
    primes: [&'a [u8]; 2],
}

fn private_of_parts(import: &Import, parts: &PrivateParts<'_>) -> Result<Key, Fault> {
    // The same limits as for the public half.
    public_of_parts(import, parts.modulus, parts.exponent)?;
    let [p, q] = parts.primes;
    let key = RsaPrivateKey::from_components(
        number(parts.modulus)?,
        number(parts.exponent)?,
        number(parts.private_exponent)?,
        vec![number(p)?, number(q)?],
    )
    .map_err(|error| Fault::data(format!("The RSA key is not valid: {error}")))?;
    private_key(import.algorithm, import.hash, &key)
}

/// A public key of a PKCS #1 structure.
pub(super) fn public_from_der(import: &Import, bytes: &[u8]) -> Result<Key, Fault> {
    let parts = RsaPublicKeyRef::from_der(bytes).map_err(|_| malformed())?;
    public_of_parts(
        import,
        parts.modulus.as_bytes(),
        parts.public_exponent.as_bytes(),
    )
}

/// A private key of a PKCS #1 structure.
pub(super) fn private_from_der(import: &Import, bytes: &[u8]) -> Result<Key, Fault> {
    let parts = RsaPrivateKeyRef::from_der(bytes).map_err(|_| malformed())?;
    if parts.other_prime_infos.is_some() {
        return Err(more_primes());
    }
    let parts = PrivateParts {
        modulus: parts.modulus.as_bytes(),
        exponent: parts.public_exponent.as_bytes(),
        private_exponent: parts.private_exponent.as_bytes(),
        primes: [parts.prime1.as_bytes(), parts.prime2.as_bytes()],
    };
    private_of_parts(import, &parts)
}

fn more_primes() -> Fault {
    Fault::not_supported("RSA keys of more than two primes are not supported")
}

/// A public key of a JSON Web Key.
pub(super) fn public_from_jwk(import: &Import, jwk: &Jwk) -> Result<Key, Fault> {
    let modulus = decode(jwk.n.as_deref(), "n")?;
    let exponent = decode(jwk.e.as_deref(), "e")?;
    public_of_parts(import, &modulus, &exponent)
}

/// A private key of a JSON Web Key, which must have all of its members.
pub(super) fn private_from_jwk(import: &Import, jwk: &Jwk) -> Result<Key, Fault> {
    if jwk.has_other_primes {
        return Err(more_primes());
    }
    let modulus = decode(jwk.n.as_deref(), "n")?;
    let exponent = decode(jwk.e.as_deref(), "e")?;
    let private_exponent = decode(jwk.d.as_deref(), "d")?;
    let p = decode(jwk.p.as_deref(), "p")?;
    let q = decode(jwk.q.as_deref(), "q")?;
    decode(jwk.dp.as_deref(), "dp")?;
    decode(jwk.dq.as_deref(), "dq")?;
    decode(jwk.qi.as_deref(), "qi")?;
    let parts = PrivateParts {
        modulus: &modulus,
        exponent: &exponent,
        private_exponent: &private_exponent,
        primes: [&p, &q],
    };
    private_of_parts(import, &parts)
}

/// A public key as a guest holds it.
pub(super) fn public_key(
    algorithm: Algorithm,
    hash: Option<Hash>,
    key: &RsaPublicKey,
) -> Result<Key, Fault> {
    let material = key.to_pkcs1_der().map_err(damaged)?;
    Ok(Key {
        hash,
        length_bits: key.n().bits(),
        ..Key::half(algorithm, Kind::Public, Secret::new(material.into_vec()))
    })
}

/// A private key as a guest holds it.
pub(super) fn private_key(
    algorithm: Algorithm,
    hash: Option<Hash>,
    key: &RsaPrivateKey,
) -> Result<Key, Fault> {
    let material = key.to_pkcs1_der().map_err(damaged)?;
    Ok(Key {
        hash,
        length_bits: key.n().bits(),
        ..Key::half(
            algorithm,
            Kind::Private,
            Secret::new(material.as_bytes().to_vec()),
        )
    })
}

/// The public key that a guest holds.
pub(super) fn load_public(key: &Key) -> Result<RsaPublicKey, Fault> {
    key.expect(Kind::Public)?;
    RsaPublicKey::from_pkcs1_der(&key.material).map_err(damaged)
}

/// The private key that a guest holds.
pub(super) fn load_private(key: &Key) -> Result<RsaPrivateKey, Fault> {
    key.expect(Kind::Private)?;
    RsaPrivateKey::from_pkcs1_der(&key.material).map_err(damaged)
}

impl Key {
    /// The public exponent of an RSA key, the highest byte first; empty for other keys.
    pub(crate) fn public_exponent(&self) -> Vec<u8> {
        let is_rsa = matches!(
            self.algorithm,
            Algorithm::RsaPkcs1 | Algorithm::RsaPss | Algorithm::RsaOaep
        );
        let exponent = match self.kind {
            _ if !is_rsa => None,
            Kind::Private => RsaPrivateKeyRef::from_der(&self.material)
                .ok()
                .map(|key| key.public_exponent.as_bytes().to_vec()),
            _ => RsaPublicKeyRef::from_der(&self.material)
                .ok()
                .map(|key| key.public_exponent.as_bytes().to_vec()),
        };
        exponent.unwrap_or_default()
    }
}

/// The members of a JSON Web Key that RSA has.
pub(super) fn members(key: &Key) -> Result<Jwk, Fault> {
    let mut jwk = Jwk::default();
    jwk.kty = Some("RSA".to_owned());
    if key.kind == Kind::Public {
        let parts = RsaPublicKeyRef::from_der(&key.material).map_err(damaged)?;
        jwk.n = Some(encode(parts.modulus.as_bytes()));
        jwk.e = Some(encode(parts.public_exponent.as_bytes()));
        return Ok(jwk);
    }
    let parts = RsaPrivateKeyRef::from_der(&key.material).map_err(damaged)?;
    jwk.n = Some(encode(parts.modulus.as_bytes()));
    jwk.e = Some(encode(parts.public_exponent.as_bytes()));
    jwk.d = Some(encode(parts.private_exponent.as_bytes()));
    jwk.p = Some(encode(parts.prime1.as_bytes()));
    jwk.q = Some(encode(parts.prime2.as_bytes()));
    jwk.dp = Some(encode(parts.exponent1.as_bytes()));
    jwk.dq = Some(encode(parts.exponent2.as_bytes()));
    jwk.qi = Some(encode(parts.coefficient.as_bytes()));
    Ok(jwk)
}
