//! Exporting keys in all formats.

use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::Encode;
use pkcs8::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use sec1::EcPrivateKey;

use super::import::{EC_PUBLIC_KEY, RSA_ENCRYPTION, oid_of_curve, oid_of_okp};
use super::import_jwk::rsa_name;
use super::jwk::{Jwk, encode};
use super::{Algorithm, Curve, Fault, Format, Key, Kind, Secret, okp, rsa_keys};

/// The bytes of a key in a format other than JSON Web Key.
pub(crate) fn export(key: &Key, format: Format) -> Result<Secret, Fault> {
    match (format, key.algorithm) {
        (_, Algorithm::Hkdf | Algorithm::Pbkdf2) => Err(unsupported()),
        (Format::Raw, Algorithm::RsaPkcs1 | Algorithm::RsaPss | Algorithm::RsaOaep) => {
            Err(unsupported())
        }
        (Format::Raw, _) if key.kind == Kind::Secret => Ok(key.material.clone()),
        (Format::Raw, _) => {
            key.expect(Kind::Public)?;
            Ok(key.material.clone())
        }
        (Format::Spki | Format::Pkcs8, _) if key.kind == Kind::Secret => Err(unsupported()),
        (Format::Spki, _) => {
            key.expect(Kind::Public)?;
            spki(key)
        }
        (Format::Pkcs8, _) => {
            key.expect(Kind::Private)?;
            pkcs8(key)
        }
        (Format::Jwk, _) => Err(unsupported()),
    }
}

fn unsupported() -> Fault {
    Fault::not_supported("The algorithm's keys have no such format")
}

fn unencodable(_: pkcs8::der::Error) -> Fault {
    Fault::operation("The key could not be encoded")
}

fn with_identifier<R>(
    key: &Key,
    then: impl FnOnce(AlgorithmIdentifierRef<'_>) -> Result<R, Fault>,
) -> Result<R, Fault> {
    let named: ObjectIdentifier;
    let (oid, parameters) = match key.algorithm {
        Algorithm::Ecdsa | Algorithm::Ecdh => {
            named = oid_of_curve(key.curve()?);
            (EC_PUBLIC_KEY, Some(AnyRef::from(&named)))
        }
        Algorithm::Ed25519 | Algorithm::X25519 | Algorithm::Ed448 | Algorithm::X448 => {
            (oid_of_okp(key.algorithm), None)
        }
        _ => (RSA_ENCRYPTION, Some(AnyRef::NULL)),
    };
    then(AlgorithmIdentifierRef { oid, parameters })
}

fn spki(key: &Key) -> Result<Secret, Fault> {
    with_identifier(key, |algorithm| {
        let info = SubjectPublicKeyInfoRef {
            algorithm,
            subject_public_key: BitStringRef::from_bytes(&key.material).map_err(unencodable)?,
        };
        info.to_der().map(Secret::new).map_err(unencodable)
    })
}

fn pkcs8(key: &Key) -> Result<Secret, Fault> {
    let inner = match key.algorithm {
        Algorithm::Ecdsa | Algorithm::Ecdh => {
            let (private_key, point) = key.scalar_and_point()?;
            let structure = EcPrivateKey {
                private_key,
                parameters: None,
                public_key: Some(point),
            };
            Secret::new(structure.to_der().map_err(unencodable)?)
        }
        Algorithm::Ed25519 | Algorithm::X25519 | Algorithm::Ed448 | Algorithm::X448 => {
            let octets = OctetStringRef::new(&key.material).map_err(unencodable)?;
            Secret::new(octets.to_der().map_err(unencodable)?)
        }
        _ => key.material.clone(),
    };
    with_identifier(key, |algorithm| {
        let octets = OctetStringRef::new(&inner).map_err(unencodable)?;
        let info = PrivateKeyInfoRef::new(algorithm, octets);
        info.to_der().map(Secret::new).map_err(unencodable)
    })
}

/// A key as a JSON Web Key.
pub(crate) fn export_jwk(key: &Key, usages: u32, extractable: bool) -> Result<Jwk, Fault> {
    let mut jwk = match key.algorithm {
        Algorithm::Hkdf | Algorithm::Pbkdf2 => return Err(unsupported()),
        Algorithm::RsaPkcs1 | Algorithm::RsaPss | Algorithm::RsaOaep => {
            let mut jwk = rsa_keys::members(key)?;
            jwk.alg = Some(rsa_name(key.algorithm, key.hash()?));
            jwk
        }
        Algorithm::Ecdsa | Algorithm::Ecdh => curve_members(key)?,
        Algorithm::Ed25519 | Algorithm::X25519 | Algorithm::Ed448 | Algorithm::X448 => {
            octet_members(key)?
        }
        _ => secret_members(key)?,
    };
    jwk.describe(usages, extractable);
    Ok(jwk)
}

fn secret_members(key: &Key) -> Result<Jwk, Fault> {
    let bits = key.length_bits;
    let alg = match key.algorithm {
        Algorithm::AesCtr => format!("A{bits}CTR"),
        Algorithm::AesCbc => format!("A{bits}CBC"),
        Algorithm::AesGcm => format!("A{bits}GCM"),
        Algorithm::AesKw => format!("A{bits}KW"),
        _ => format!("HS{}", key.hash()?.bits()),
    };
    let mut jwk = Jwk::default();
    jwk.kty = Some("oct".to_owned());
    jwk.alg = Some(alg);
    jwk.k = Some(encode(&key.material));
    Ok(jwk)
}

fn curve_members(key: &Key) -> Result<Jwk, Fault> {
    let curve: Curve = key.curve()?;
    let (scalar, point) = match key.kind {
        Kind::Private => {
            let (scalar, point) = key.scalar_and_point()?;
            (Some(scalar), point)
        }
        _ => (None, key.material.as_slice()),
    };
    let damaged = || Fault::operation("The key is damaged");
    let coordinates = point.get(1..).ok_or_else(damaged)?;
    let (x, y) = coordinates
        .split_at_checked(curve.field_bytes())
        .ok_or_else(damaged)?;
    let mut jwk = Jwk::default();
    jwk.kty = Some("EC".to_owned());
    jwk.crv = Some(curve.name().to_owned());
    jwk.x = Some(encode(x));
    jwk.y = Some(encode(y));
    jwk.d = scalar.map(encode);
    Ok(jwk)
}

fn octet_members(key: &Key) -> Result<Jwk, Fault> {
    let mut jwk = Jwk::default();
    jwk.kty = Some("OKP".to_owned());
    jwk.crv = Some(okp::name(key.algorithm).to_owned());
    if key.kind == Kind::Private {
        jwk.x = Some(encode(&okp::public_of(key)?.material));
        jwk.d = Some(encode(&key.material));
    } else {
        jwk.x = Some(encode(&key.material));
    }
    Ok(jwk)
}
