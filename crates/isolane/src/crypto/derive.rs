//! Derivation: HKDF, PBKDF2, and key agreement on curves.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};

use super::hash::with_hash;
use super::{Algorithm, Control, Fault, Hash, Key, Kind, Secret, ec, okp};

/// How many rounds of PBKDF2 are made between two looks: a fraction of a millisecond.
const ROUNDS_PER_LOOK: u32 = 1024;

/// How bits are derived from a key.
pub(crate) enum Derivation {
    Agreement {
        public: Key,
    },
    Hkdf {
        hash: Hash,
        salt: Vec<u8>,
        info: Vec<u8>,
    },
    Pbkdf2 {
        hash: Hash,
        salt: Vec<u8>,
        iterations: u32,
    },
}

/// Derives `length_bits` bits; all there are where that is `None`.
pub(super) fn derive(
    key: &Key,
    derivation: &Derivation,
    length_bits: Option<u32>,
    control: &Control<'_>,
) -> Result<Secret, Fault> {
    match derivation {
        Derivation::Agreement { public } => truncated(agree(key, public)?, length_bits),
        Derivation::Hkdf { hash, salt, info } => {
            let length = whole_bytes("HKDF", length_bits)?;
            with_hash!(hash, D => hkdf_expand::<D>(&key.material, salt, info, length))
        }
        Derivation::Pbkdf2 {
            hash,
            salt,
            iterations,
        } => {
            let length = whole_bytes("PBKDF2", length_bits)?;
            if *iterations == 0 {
                return Err(Fault::operation("PBKDF2: iterations must not be 0"));
            }
            let mut output = Secret::new(vec![0; length]);
            with_hash!(hash, D => {
                let state = <Hmac<D> as KeyInit>::new_from_slice(&key.material)
                    .map_err(|_| Fault::operation("The key cannot be used"))?;
                pbkdf2(&state, salt, *iterations, &mut output, control)?;
            });
            Ok(output)
        }
    }
}

fn whole_bytes(what: &str, length_bits: Option<u32>) -> Result<usize, Fault> {
    match length_bits {
        Some(bits) if bits % 8 == 0 => Ok(bits as usize / 8),
        _ => Err(Fault::operation(format!(
            "{what}: length must be a multiple of 8"
        ))),
    }
}

fn hkdf_expand<D: HkdfHash>(
    material: &[u8],
    salt: &[u8],
    info: &[u8],
    length: usize,
) -> Result<Secret, Fault> {
    let mut output = Secret::new(Vec::new());
    let too_long = || Fault::operation("HKDF: length must be at most 255 hashes");
    if length > 255 * D::BYTES {
        return Err(too_long());
    }
    output.resize(length, 0);
    D::expand(material, salt, info, &mut output).map_err(|_| too_long())?;
    Ok(output)
}

trait HkdfHash {
    const BYTES: usize;
    fn expand(
        material: &[u8],
        salt: &[u8],
        info: &[u8],
        output: &mut [u8],
    ) -> Result<(), hkdf::InvalidLength>;
}

macro_rules! hkdf_hash {
    ($($D:ty => $bytes:literal),*) => {$(
        impl HkdfHash for $D {
            const BYTES: usize = $bytes;
            fn expand(
                material: &[u8],
                salt: &[u8],
                info: &[u8],
                output: &mut [u8],
            ) -> Result<(), hkdf::InvalidLength> {
                Hkdf::<$D>::new(Some(salt), material).expand(info, output)
            }
        }
    )*};
}
hkdf_hash!(sha1::Sha1 => 20, sha2::Sha256 => 32, sha2::Sha384 => 48, sha2::Sha512 => 64);

/// PBKDF2 (RFC 8018) with looks between its rounds, which may be billions.
fn pbkdf2<M: Mac + Clone>(
    prf: &M,
    salt: &[u8],
    iterations: u32,
    output: &mut [u8],
    control: &Control<'_>,
) -> Result<(), Fault> {
    let block_bytes = M::output_size();
    let mut until_look = 0;
    for (index, chunk) in output.chunks_mut(block_bytes).enumerate() {
        let number =
            u32::try_from(index + 1).map_err(|_| Fault::operation("length is too large"))?;
        let mut round = prf
            .clone()
            .chain_update(salt)
            .chain_update(number.to_be_bytes());
        let mut last = round.finalize().into_bytes();
        let mut sum = last.clone();
        for _ in 1..iterations {
            if until_look == 0 {
                control.check()?;
                until_look = ROUNDS_PER_LOOK;
            }
            until_look -= 1;
            round = prf.clone().chain_update(&last);
            last = round.finalize().into_bytes();
            sum.iter_mut()
                .zip(&last)
                .for_each(|(sum, byte)| *sum ^= byte);
        }
        chunk.copy_from_slice(&sum[..chunk.len()]);
        if index % 1024 == 1023 {
            control.check()?;
        }
    }
    Ok(())
}

fn agree(key: &Key, public: &Key) -> Result<Secret, Fault> {
    key.expect(Kind::Private)?;
    public.expect(Kind::Public)?;
    if key.algorithm != public.algorithm {
        return Err(Fault::invalid_access(
            "public is a key of another algorithm",
        ));
    }
    match key.algorithm {
        Algorithm::Ecdh if key.curve != public.curve => {
            Err(Fault::invalid_access("public is a key on another curve"))
        }
        Algorithm::Ecdh => ec::agree(key, public),
        Algorithm::X25519 | Algorithm::X448 => okp::agree(key, public),
        _ => Err(Fault::invalid_access("The key does not derive bits")),
    }
}

/// The first bits of a secret; the rest of its last byte is zero.
fn truncated(mut secret: Secret, length_bits: Option<u32>) -> Result<Secret, Fault> {
    let Some(bits) = length_bits else {
        return Ok(secret);
    };
    let bytes = (bits as usize).div_ceil(8);
    if bytes > secret.len() {
        return Err(Fault::operation("length is more than the secret has"));
    }
    secret.truncate(bytes);
    if let (Some(last), rest @ 1..) = (secret.last_mut(), bits % 8) {
        *last &= 0xFF << (8 - rest);
    }
    Ok(secret)
}
