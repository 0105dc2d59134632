//! Keys as the engine sees them, and their form while a guest holds them: a header and the material.

use zeroize::Zeroizing;

use super::{Fault, Hash};

/// Bytes that are overwritten when they are dropped.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// The algorithms that have keys; the numbers are shared with `guest/crypto_algorithms.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    RsaPkcs1 = 1,
    RsaPss,
    RsaOaep,
    Ecdsa,
    Ecdh,
    Ed25519,
    X25519,
    Ed448,
    X448,
    AesCtr,
    AesCbc,
    AesGcm,
    AesKw,
    Hmac,
    Hkdf,
    Pbkdf2,
}

impl Algorithm {
    const ALL: [Self; 16] = [
        Self::RsaPkcs1,
        Self::RsaPss,
        Self::RsaOaep,
        Self::Ecdsa,
        Self::Ecdh,
        Self::Ed25519,
        Self::X25519,
        Self::Ed448,
        Self::X448,
        Self::AesCtr,
        Self::AesCbc,
        Self::AesGcm,
        Self::AesKw,
        Self::Hmac,
        Self::Hkdf,
        Self::Pbkdf2,
    ];

    pub(crate) fn from_number(number: u32) -> Option<Self> {
        let index = (number as usize).checked_sub(1)?;
        Self::ALL.get(index).copied()
    }

    /// The usages that a key of that kind may have.
    pub(super) fn usages(self, kind: Kind) -> u32 {
        use usage::{DECRYPT, DERIVE, ENCRYPT, SIGN, UNWRAP_KEY, VERIFY, WRAP_KEY};
        match (self, kind) {
            (Self::RsaPkcs1 | Self::RsaPss | Self::Ecdsa, Kind::Public) => VERIFY,
            (Self::RsaPkcs1 | Self::RsaPss | Self::Ecdsa, _) => SIGN,
            (Self::Ed25519 | Self::Ed448, Kind::Public) => VERIFY,
            (Self::Ed25519 | Self::Ed448, _) => SIGN,
            (Self::RsaOaep, Kind::Public) => ENCRYPT | WRAP_KEY,
            (Self::RsaOaep, _) => DECRYPT | UNWRAP_KEY,
            (Self::Ecdh | Self::X25519 | Self::X448, Kind::Public) => 0,
            (Self::Ecdh | Self::X25519 | Self::X448 | Self::Hkdf | Self::Pbkdf2, _) => DERIVE,
            (Self::AesKw, _) => WRAP_KEY | UNWRAP_KEY,
            (Self::AesCtr | Self::AesCbc | Self::AesGcm, _) => {
                ENCRYPT | DECRYPT | WRAP_KEY | UNWRAP_KEY
            }
            (Self::Hmac, _) => SIGN | VERIFY,
        }
    }
}

/// Usages as bits; the numbers are shared with `guest/crypto_key.ts`.
pub(super) mod usage {
    pub(crate) const ENCRYPT: u32 = 1;
    pub(crate) const DECRYPT: u32 = 2;
    pub(crate) const SIGN: u32 = 4;
    pub(crate) const VERIFY: u32 = 8;
    pub(crate) const DERIVE: u32 = 16 | 32;
    pub(crate) const WRAP_KEY: u32 = 64;
    pub(crate) const UNWRAP_KEY: u32 = 128;

    /// The names of the usages, by their bits from the lowest.
    pub(crate) const NAMES: [&str; 8] = [
        "encrypt",
        "decrypt",
        "sign",
        "verify",
        "deriveKey",
        "deriveBits",
        "wrapKey",
        "unwrapKey",
    ];
}

/// The types of keys; the numbers are shared with `guest/crypto_key.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Secret = 1,
    Public,
    Private,
}

/// The curves of ECDSA and ECDH; the numbers are shared with `guest/crypto_algorithms.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256 = 1,
    P384,
    P521,
}

impl Curve {
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::P256),
            2 => Some(Self::P384),
            3 => Some(Self::P521),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The bytes of a coordinate.
    pub(super) fn field_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// A key and what it is for.
///
/// The material is, by algorithm: the bytes of a secret key; a PKCS #1 structure for RSA; for ECDSA and
/// ECDH an uncompressed point, behind the scalar where the key is private; for Ed25519, X25519, Ed448 and
/// X448 the octets of either half.
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) kind: Kind,
    /// RSA and HMAC.
    pub(crate) hash: Option<Hash>,
    /// ECDSA and ECDH.
    pub(crate) curve: Option<Curve>,
    /// The length in bits of a secret key's material or of an RSA modulus.
    pub(crate) length_bits: u32,
    pub(crate) material: Secret,
}

const HEADER_BYTES: usize = 8;

impl Key {
    /// A secret key.
    pub(super) fn secret(algorithm: Algorithm, material: Secret) -> Self {
        Self {
            algorithm,
            kind: Kind::Secret,
            hash: None,
            curve: None,
            length_bits: u32::try_from(material.len() * 8).unwrap_or(u32::MAX),
            material,
        }
    }

    /// A half of a pair.
    pub(super) fn half(algorithm: Algorithm, kind: Kind, material: Secret) -> Self {
        Self {
            kind,
            length_bits: 0,
            ..Self::secret(algorithm, material)
        }
    }

    /// The form in which a guest's private state holds the key.
    pub(crate) fn to_bytes(&self) -> Secret {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.material.len());
        bytes.push(self.algorithm as u8);
        bytes.push(self.kind as u8);
        bytes.push(self.hash.map_or(0, |hash| hash as u8));
        bytes.push(self.curve.map_or(0, |curve| curve as u8));
        bytes.extend(self.length_bits.to_le_bytes());
        bytes.extend_from_slice(&self.material);
        Secret::new(bytes)
    }

    /// Reads what [`Key::to_bytes`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (header, material) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let [algorithm, kind, hash, curve, length @ ..] = *header;
        Some(Self {
            algorithm: Algorithm::from_number(algorithm.into())?,
            kind: match kind {
                1 => Kind::Secret,
                2 => Kind::Public,
                3 => Kind::Private,
                _ => return None,
            },
            hash: Hash::from_number(hash.into()),
            curve: Curve::from_number(curve.into()),
            length_bits: u32::from_le_bytes(length),
            material: Secret::new(material.to_vec()),
        })
    }

    /// The hash of an RSA or HMAC key.
    pub(super) fn hash(&self) -> Result<Hash, Fault> {
        self.hash
            .ok_or_else(|| Fault::invalid_access("The key has no hash"))
    }

    /// The curve of an ECDSA or ECDH key.
    pub(super) fn curve(&self) -> Result<Curve, Fault> {
        self.curve
            .ok_or_else(|| Fault::invalid_access("The key has no named curve"))
    }

    /// Fails unless the key is of that kind.
    pub(super) fn expect(&self, kind: Kind) -> Result<(), Fault> {
        if self.kind == kind {
            return Ok(());
        }
        let what = match kind {
            Kind::Secret => "The key is not a secret key",
            Kind::Public => "The key is not a public key",
            Kind::Private => "The key is not a private key",
        };
        Err(Fault::invalid_access(what))
    }

    /// The scalar and the point of a private key on a curve.
    pub(super) fn scalar_and_point(&self) -> Result<(&[u8], &[u8]), Fault> {
        self.expect(Kind::Private)?;
        let length = self.curve()?.field_bytes();
        self.material
            .split_at_checked(length)
            .ok_or_else(|| Fault::operation("The key is damaged"))
    }
}
