//! Importing JSON Web Keys: each algorithm's members, in the order in which Web Cryptography looks at them.

use super::jwk::{Jwk, decode};
use super::key::usage;
use super::{Algorithm, Curve, Fault, Hash, Import, Key, Kind, Secret, okp, rsa_keys};

/// Makes the key of a JSON Web Key.
pub(super) fn import(import: &Import, jwk: &Jwk) -> Result<Key, Fault> {
    match import.algorithm {
        Algorithm::AesCtr | Algorithm::AesCbc | Algorithm::AesGcm | Algorithm::AesKw => {
            aes(import, jwk)
        }
        Algorithm::Hmac => hmac(import, jwk),
        Algorithm::RsaPkcs1 | Algorithm::RsaPss | Algorithm::RsaOaep => rsa(import, jwk),
        Algorithm::Ecdsa | Algorithm::Ecdh => curve(import, jwk),
        Algorithm::Ed25519 | Algorithm::X25519 | Algorithm::Ed448 | Algorithm::X448 => {
            octets(import, jwk)
        }
        Algorithm::Hkdf | Algorithm::Pbkdf2 => Err(Fault::not_supported(
            "The algorithm's keys have no such format",
        )),
    }
}

fn aes(import: &Import, jwk: &Jwk) -> Result<Key, Fault> {
    import.check_usages(Kind::Secret)?;
    expect_type(jwk, "oct")?;
    let key = import.aes(decode(jwk.k.as_deref(), "k")?)?;
    let mode = match import.algorithm {
        Algorithm::AesCtr => "CTR",
        Algorithm::AesCbc => "CBC",
        Algorithm::AesGcm => "GCM",
        _ => "KW",
    };
    expect_alg(jwk, &format!("A{}{mode}", key.length_bits))?;
    check_common(import, jwk, "enc")?;
    Ok(key)
}

fn hmac(import: &Import, jwk: &Jwk) -> Result<Key, Fault> {
    import.check_usages(Kind::Secret)?;
    expect_type(jwk, "oct")?;
    let bytes = decode(jwk.k.as_deref(), "k")?;
    if let Some(hash) = import.hash {
        expect_alg(jwk, &format!("HS{}", hash.bits()))?;
    }
    check_common(import, jwk, "sig")?;
    import.hmac(bytes)
}

fn rsa(import: &Import, jwk: &Jwk) -> Result<Key, Fault> {
    let kind = half_of(jwk);
    import.check_usages(kind)?;
    expect_type(jwk, "RSA")?;
    let purpose = match import.algorithm {
        Algorithm::RsaOaep => "enc",
        _ => "sig",
    };
    check_common(import, jwk, purpose)?;
    if let Some(hash) = import.hash {
        expect_alg(jwk, &rsa_name(import.algorithm, hash))?;
    }
    match kind {
        Kind::Public => rsa_keys::public_from_jwk(import, jwk),
        _ => rsa_keys::private_from_jwk(import, jwk),
    }
}

/// What JSON Web Keys call an RSA algorithm with a hash.
pub(super) fn rsa_name(algorithm: Algorithm, hash: Hash) -> String {
    match (algorithm, hash) {
        (Algorithm::RsaOaep, Hash::Sha1) => "RSA-OAEP".to_owned(),
        (Algorithm::RsaOaep, hash) => format!("RSA-OAEP-{}", hash.bits()),
        (Algorithm::RsaPss, hash) => format!("PS{}", hash.bits()),
        (_, hash) => format!("RS{}", hash.bits()),
    }
}

fn curve(import: &Import, jwk: &Jwk) -> Result<Key, Fault> {
    let kind = half_of(jwk);
    import.check_usages(kind)?;
    expect_type(jwk, "EC")?;
    let purpose = match import.algorithm {
        Algorithm::Ecdsa => "sig",
        _ => "enc",
    };
    check_common(import, jwk, purpose)?;
    let curve = import.curve()?;
    if jwk.crv.as_deref() != Some(curve.name()) {
        return Err(Fault::data("The crv of the JSON Web Key is not namedCurve"));
    }
    if import.algorithm == Algorithm::Ecdsa {
        expect_alg(
            jwk,
            match curve {
                Curve::P256 => "ES256",
                Curve::P384 => "ES384",
                Curve::P521 => "ES512",
            },
        )?;
    }
    let mut point = vec![4];
    point.extend_from_slice(&coordinate(curve, jwk.x.as_deref(), "x")?);
    point.extend_from_slice(&coordinate(curve, jwk.y.as_deref(), "y")?);
    if kind == Kind::Public {
        return import.ec_public(curve, &point);
    }
    let scalar = coordinate(curve, jwk.d.as_deref(), "d")?;
    import.ec_private(curve, &scalar, Some(&point))
}

fn coordinate(curve: Curve, member: Option<&str>, name: &str) -> Result<Secret, Fault> {
    let bytes = decode(member, name)?;
    if bytes.len() == curve.field_bytes() {
        return Ok(bytes);
    }
    Err(Fault::data(format!(
        "The {name} of the JSON Web Key does not have the length of the curve's field"
    )))
}

fn octets(import: &Import, jwk: &Jwk) -> Result<Key, Fault> {
    let kind = half_of(jwk);
    import.check_usages(kind)?;
    expect_type(jwk, "OKP")?;
    let name = okp::name(import.algorithm);
    let purpose = match import.algorithm {
        Algorithm::Ed25519 | Algorithm::Ed448 => "sig",
        _ => "enc",
    };
    if jwk.crv.as_deref() != Some(name) {
        return Err(Fault::data(format!(
            "The crv of the JSON Web Key is not {name}"
        )));
    }
    check_common(import, jwk, purpose)?;
    let public = import.okp(Kind::Public, decode(jwk.x.as_deref(), "x")?)?;
    if kind == Kind::Public {
        return Ok(public);
    }
    let private = import.okp(Kind::Private, decode(jwk.d.as_deref(), "d")?)?;
    if okp::public_of(&private)?.material != public.material {
        return Err(Fault::data("The public part is not the private key's"));
    }
    Ok(private)
}

fn half_of(jwk: &Jwk) -> Kind {
    match jwk.d {
        Some(_) => Kind::Private,
        None => Kind::Public,
    }
}

fn expect_type(jwk: &Jwk, kty: &str) -> Result<(), Fault> {
    if jwk.kty.as_deref() == Some(kty) {
        return Ok(());
    }
    Err(Fault::data(format!(
        "The kty of the JSON Web Key is not {kty}"
    )))
}

fn expect_alg(jwk: &Jwk, alg: &str) -> Result<(), Fault> {
    match jwk.alg.as_deref() {
        Some(given) if given != alg => Err(Fault::data(format!(
            "The alg of the JSON Web Key is not {alg}"
        ))),
        _ => Ok(()),
    }
}

/// Looks at `use`, `key_ops` and `ext`.
fn check_common(import: &Import, jwk: &Jwk, purpose: &str) -> Result<(), Fault> {
    if import.usages != 0 && jwk.usage.as_deref().is_some_and(|usage| usage != purpose) {
        return Err(Fault::data(format!(
            "The use of the JSON Web Key is not {purpose}"
        )));
    }
    if let Some(operations) = &jwk.key_ops {
        let mut allowed = 0;
        for (index, operation) in operations.iter().enumerate() {
            if operations[..index].contains(operation) {
                return Err(Fault::data(
                    "The key_ops of the JSON Web Key repeats itself",
                ));
            }
            let bit = usage::NAMES.iter().position(|name| name == operation);
            allowed |= bit.map_or(0, |bit| 1 << bit);
        }
        if import.usages & !allowed != 0 {
            return Err(Fault::data(
                "The key_ops of the JSON Web Key does not allow a usage",
            ));
        }
    }
    if jwk.ext == Some(false) && import.extractable {
        return Err(Fault::data("The JSON Web Key must not be extractable"));
    }
    Ok(())
}
