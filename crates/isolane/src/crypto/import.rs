//! Importing: raw bytes and the structures SubjectPublicKeyInfo and PKCS #8. JSON Web Keys have a file of
//! their own.

use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::Decode;
use pkcs8::der::asn1::ObjectIdentifier;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use sec1::{EcParameters, EcPrivateKey};

use super::jwk::Jwk;
use super::{Algorithm, Curve, Fault, Hash, Key, Kind, Secret, ec, import_jwk, okp, rsa_keys};

pub(super) const EC_PUBLIC_KEY: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const RSA_ENCRYPTION: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");
const X448: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.111");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ED448: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.113");

/// The name that structures have for a curve.
pub(super) fn oid_of_curve(curve: Curve) -> ObjectIdentifier {
    match curve {
        Curve::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
        Curve::P384 => ObjectIdentifier::new_unwrap("1.3.132.0.34"),
        Curve::P521 => ObjectIdentifier::new_unwrap("1.3.132.0.35"),
    }
}

/// The name that structures have for Ed25519, X25519, Ed448 and X448 (RFC 8410).
pub(super) fn oid_of_okp(algorithm: Algorithm) -> ObjectIdentifier {
    match algorithm {
        Algorithm::X25519 => X25519,
        Algorithm::X448 => X448,
        Algorithm::Ed448 => ED448,
        _ => ED25519,
    }
}

/// The formats of keys; the numbers are shared with `guest/crypto_key.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Raw = 1,
    Spki,
    Pkcs8,
    Jwk,
}

impl Format {
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Raw),
            2 => Some(Self::Spki),
            3 => Some(Self::Pkcs8),
            4 => Some(Self::Jwk),
            _ => None,
        }
    }
}

/// A key as it comes.
pub(crate) enum KeyData {
    Bytes(Format, Secret),
    Jwk(Box<Jwk>),
}

impl KeyData {
    /// What is in a wrapped key.
    pub(super) fn unwrapped(format: Format, bytes: Secret) -> Result<Self, Fault> {
        match format {
            Format::Jwk => Jwk::parse(&bytes).map(Box::new).map(Self::Jwk),
            _ => Ok(Self::Bytes(format, bytes)),
        }
    }
}

/// What an imported key is to be.
pub(crate) struct Import {
    pub(crate) algorithm: Algorithm,
    pub(crate) hash: Option<Hash>,
    pub(crate) curve: Option<Curve>,
    /// How many bits of an HMAC key count, where the guest says so.
    pub(crate) length_bits: Option<u32>,
    pub(crate) extractable: bool,
    pub(crate) usages: u32,
}

impl Import {
    /// Makes the key.
    pub(crate) fn run(&self, data: &KeyData) -> Result<Key, Fault> {
        let key = match (data, self.algorithm) {
            (_, Algorithm::Hkdf | Algorithm::Pbkdf2) => self.derivation_key(data),
            (KeyData::Jwk(jwk), _) => import_jwk::import(self, jwk),
            (KeyData::Bytes(Format::Raw, bytes), _) => self.raw(bytes),
            (KeyData::Bytes(Format::Spki, bytes), _) => self.spki(bytes),
            (KeyData::Bytes(Format::Pkcs8, bytes), _) => self.pkcs8(bytes),
            (KeyData::Bytes(Format::Jwk, _), _) => {
                Err(Fault::data("The key data is not a JSON Web Key"))
            }
        }?;
        if key.kind != Kind::Public && self.usages == 0 {
            return Err(Fault::syntax("A secret or private key must have a usage"));
        }
        Ok(key)
    }

    /// Fails where a usage is not one for keys of that kind.
    pub(super) fn check_usages(&self, kind: Kind) -> Result<(), Fault> {
        if self.usages & !self.algorithm.usages(kind) == 0 {
            return Ok(());
        }
        Err(Fault::syntax("A usage is not one that such a key may have"))
    }

    fn unsupported(&self) -> Fault {
        Fault::not_supported("The algorithm's keys have no such format")
    }

    /// The curve, or why there is none.
    pub(super) fn curve(&self) -> Result<Curve, Fault> {
        self.curve
            .ok_or_else(|| Fault::data("namedCurve is not P-256, P-384 or P-521"))
    }

    fn derivation_key(&self, data: &KeyData) -> Result<Key, Fault> {
        let KeyData::Bytes(Format::Raw, bytes) = data else {
            return Err(self.unsupported());
        };
        self.check_usages(Kind::Secret)?;
        if self.extractable {
            return Err(Fault::syntax(
                "A key for derivation must not be extractable",
            ));
        }
        Ok(Key::secret(self.algorithm, bytes.clone()))
    }

    fn raw(&self, bytes: &Secret) -> Result<Key, Fault> {
        match self.algorithm {
            Algorithm::AesCtr | Algorithm::AesCbc | Algorithm::AesGcm | Algorithm::AesKw => {
                self.check_usages(Kind::Secret)?;
                self.aes(bytes.clone())
            }
            Algorithm::Hmac => {
                self.check_usages(Kind::Secret)?;
                self.hmac(bytes.clone())
            }
            Algorithm::Ecdsa | Algorithm::Ecdh => {
                let curve = self.curve()?;
                self.check_usages(Kind::Public)?;
                self.ec_public(curve, bytes)
            }
            Algorithm::Ed25519 | Algorithm::X25519 | Algorithm::Ed448 | Algorithm::X448 => {
                self.check_usages(Kind::Public)?;
                self.okp(Kind::Public, bytes.clone())
            }
            _ => Err(self.unsupported()),
        }
    }

    /// An AES key, whose length must be one that AES has.
    pub(super) fn aes(&self, bytes: Secret) -> Result<Key, Fault> {
        match bytes.len() {
            16 | 24 | 32 => Ok(Key::secret(self.algorithm, bytes)),
            _ => Err(Fault::data("An AES key must have 128, 192 or 256 bits")),
        }
    }

    /// An HMAC key, of as many bits as the guest says.
    pub(super) fn hmac(&self, mut bytes: Secret) -> Result<Key, Fault> {
        let has =
            u32::try_from(bytes.len() * 8).map_err(|_| Fault::data("The HMAC key is too long"))?;
        if has == 0 {
            return Err(Fault::data("An HMAC key must not be empty"));
        }
        let length = self.length_bits.unwrap_or(has);
        if length > has || length <= has - 8 {
            return Err(Fault::data("length does not fit the HMAC key"));
        }
        if let (Some(last), unused @ 1..) = (bytes.last_mut(), has - length) {
            *last &= 0xFF << unused;
        }
        Ok(Key {
            hash: self.hash,
            length_bits: length,
            ..Key::secret(self.algorithm, bytes)
        })
    }

    /// A public key of a point.
    pub(super) fn ec_public(&self, curve: Curve, point: &[u8]) -> Result<Key, Fault> {
        let point = ec::uncompressed(curve, point)
            .ok_or_else(|| Fault::data("The key is not a point on the curve"))?;
        Ok(ec::public_key(self.algorithm, curve, &point))
    }

    /// A private key of a scalar; the point that comes with it must be its own.
    pub(super) fn ec_private(
        &self,
        curve: Curve,
        scalar: &[u8],
        claimed: Option<&[u8]>,
    ) -> Result<Key, Fault> {
        let point = ec::point_of(curve, scalar)
            .ok_or_else(|| Fault::data("The key is not a scalar of the curve"))?;
        if let Some(claimed) = claimed
            && ec::uncompressed(curve, claimed).as_ref() != Some(&point)
        {
            return Err(Fault::data("The public part is not the private key's"));
        }
        Ok(ec::private_key(self.algorithm, curve, scalar, &point))
    }

    /// A half of a pair of octets.
    pub(super) fn okp(&self, kind: Kind, bytes: Secret) -> Result<Key, Fault> {
        let length = okp::key_bytes(self.algorithm);
        if bytes.len() != length {
            return Err(Fault::data(format!("The key must have {length} bytes")));
        }
        Ok(Key::half(self.algorithm, kind, bytes))
    }

    fn spki(&self, bytes: &[u8]) -> Result<Key, Fault> {
        if self.has_no_structures() {
            return Err(self.unsupported());
        }
        self.check_usages(Kind::Public)?;
        let malformed = || Fault::data("The key is not a SubjectPublicKeyInfo");
        let info = SubjectPublicKeyInfoRef::from_der(bytes).map_err(|_| malformed())?;
        let key = info.subject_public_key.as_bytes().ok_or_else(malformed)?;
        match self.algorithm {
            Algorithm::Ecdsa | Algorithm::Ecdh => {
                let curve = self.curve()?;
                expect_curve(&info.algorithm, curve)?;
                self.ec_public(curve, key)
            }
            Algorithm::Ed25519 | Algorithm::X25519 | Algorithm::Ed448 | Algorithm::X448 => {
                expect_okp(&info.algorithm, self.algorithm)?;
                self.okp(Kind::Public, Secret::new(key.to_vec()))
            }
            _ => {
                expect_rsa(&info.algorithm)?;
                rsa_keys::public_from_der(self, key)
            }
        }
    }

    fn pkcs8(&self, bytes: &[u8]) -> Result<Key, Fault> {
        if self.has_no_structures() {
            return Err(self.unsupported());
        }
        self.check_usages(Kind::Private)?;
        let malformed = || Fault::data("The key is not a PKCS #8 PrivateKeyInfo");
        let info = PrivateKeyInfoRef::from_der(bytes).map_err(|_| malformed())?;
        let key = info.private_key.as_bytes();
        match self.algorithm {
            Algorithm::Ecdsa | Algorithm::Ecdh => {
                let curve = self.curve()?;
                expect_curve(&info.algorithm, curve)?;
                let key = EcPrivateKey::from_der(key).map_err(|_| malformed())?;
                if let Some(EcParameters::NamedCurve(named)) = key.parameters
                    && named != oid_of_curve(curve)
                {
                    return Err(wrong_curve());
                }
                self.ec_private(curve, key.private_key, key.public_key)
            }
            Algorithm::Ed25519 | Algorithm::X25519 | Algorithm::Ed448 | Algorithm::X448 => {
                expect_okp(&info.algorithm, self.algorithm)?;
                let key =
                    <&pkcs8::der::asn1::OctetStringRef>::from_der(key).map_err(|_| malformed())?;
                self.okp(Kind::Private, Secret::new(key.as_bytes().to_vec()))
            }
            _ => {
                expect_rsa(&info.algorithm)?;
                rsa_keys::private_from_der(self, key)
            }
        }
    }

    fn has_no_structures(&self) -> bool {
        self.algorithm.usages(Kind::Public) == self.algorithm.usages(Kind::Private)
    }
}

fn wrong_curve() -> Fault {
    Fault::data("The key is not one of namedCurve")
}

fn expect_curve(algorithm: &AlgorithmIdentifierRef<'_>, curve: Curve) -> Result<(), Fault> {
    if algorithm.oid != EC_PUBLIC_KEY {
        return Err(Fault::data("The key is not one of an elliptic curve"));
    }
    match algorithm.parameters_oid() {
        Ok(named) if named == oid_of_curve(curve) => Ok(()),
        _ => Err(wrong_curve()),
    }
}

fn expect_okp(identifier: &AlgorithmIdentifierRef<'_>, algorithm: Algorithm) -> Result<(), Fault> {
    if identifier.oid == oid_of_okp(algorithm) && identifier.parameters.is_none() {
        return Ok(());
    }
    Err(Fault::data("The key is one of another algorithm"))
}

fn expect_rsa(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(), Fault> {
    if algorithm.oid == RSA_ENCRYPTION {
        return Ok(());
    }
    Err(Fault::data("The key is not an RSA key"))
}
