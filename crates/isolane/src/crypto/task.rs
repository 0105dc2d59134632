//! One call of `crypto.subtle` as a value that can be worked off on any thread.

use super::aes::{self, Gcm};
use super::{
    Algorithm, Control, Derivation, Fault, Format, Generation, Hash, Import, Key, KeyData, Kind,
    Secret, derive, ec, export, export_jwk, mac, okp, rsa_schemes,
};

/// What is done in the call: up to here it takes at most a few milliseconds.
const SHORT_BYTES: usize = 256 << 10;
const SHORT_ROUNDS: u64 = 4096;
const SHORT_MODULUS_BITS: u32 = 2048;

/// The parameters of encryption, beside the key.
pub(crate) enum Cipher {
    Ctr { counter: Vec<u8>, counter_bits: u32 },
    Cbc { iv: Vec<u8> },
    Gcm(Gcm),
    Wrap,
    Oaep { label: Vec<u8> },
}

impl Cipher {
    /// Galois/Counter Mode.
    pub(crate) fn gcm(iv: Vec<u8>, additional_data: Vec<u8>, tag_bits: u32) -> Self {
        Self::Gcm(Gcm {
            iv,
            additional_data,
            tag_bits,
        })
    }

    fn extra_bytes(&self) -> usize {
        match self {
            Self::Gcm(gcm) => gcm.iv.len() + gcm.additional_data.len(),
            Self::Oaep { label } => label.len(),
            Self::Ctr { .. } | Self::Cbc { .. } | Self::Wrap => 0,
        }
    }

    fn encrypt(&self, key: &Key, data: Secret, control: &Control<'_>) -> Result<Secret, Fault> {
        match self {
            Self::Ctr {
                counter,
                counter_bits,
            } => aes::ctr(key, counter, *counter_bits, data, control),
            Self::Cbc { iv } => aes::cbc_encrypt(key, iv, data, control),
            Self::Gcm(gcm) => aes::gcm_encrypt(key, gcm, data, control),
            Self::Wrap => aes::wrap(key, &data),
            Self::Oaep { label } => rsa_schemes::encrypt(key, label, &data),
        }
    }

    fn decrypt(&self, key: &Key, data: Secret, control: &Control<'_>) -> Result<Secret, Fault> {
        match self {
            Self::Ctr {
                counter,
                counter_bits,
            } => aes::ctr(key, counter, *counter_bits, data, control),
            Self::Cbc { iv } => aes::cbc_decrypt(key, iv, data, control),
            Self::Gcm(gcm) => aes::gcm_decrypt(key, gcm, data, control),
            Self::Wrap => aes::unwrap(key, &data),
            Self::Oaep { label } => rsa_schemes::decrypt(key, label, &data),
        }
    }
}

/// The parameters of a signature, beside the key.
pub(crate) struct Scheme {
    /// ECDSA.
    pub(crate) hash: Option<Hash>,
    /// RSA-PSS.
    pub(crate) salt_bytes: u32,
    /// Ed448.
    pub(crate) context: Vec<u8>,
}

/// What is to be done; everything in it is a copy of the guest's.
pub(crate) enum Task {
    Digest {
        hash: Hash,
        data: Secret,
    },
    Encrypt {
        key: Key,
        cipher: Cipher,
        data: Secret,
    },
    Decrypt {
        key: Key,
        cipher: Cipher,
        data: Secret,
    },
    Sign {
        key: Key,
        scheme: Scheme,
        data: Secret,
    },
    Verify {
        key: Key,
        scheme: Scheme,
        signature: Vec<u8>,
        data: Secret,
    },
    Generate(Generation),
    DeriveBits {
        key: Key,
        derivation: Derivation,
        length_bits: Option<u32>,
    },
    DeriveKey {
        key: Key,
        derivation: Derivation,
        length_bits: Option<u32>,
        import: Import,
    },
    Wrap {
        format: Format,
        key: Key,
        usages: u32,
        wrapping: Key,
        cipher: Cipher,
    },
    Unwrap {
        format: Format,
        data: Secret,
        unwrapping: Key,
        cipher: Cipher,
        import: Import,
    },
}

/// What came of it.
pub(crate) enum Output {
    Bytes(Secret),
    Truth(bool),
    Key(Key),
    Pair { public: Key, private: Key },
}

impl Task {
    /// Whether the work is not to be done in the call.
    pub(crate) fn is_long(&self) -> bool {
        if self.input_bytes() > SHORT_BYTES {
            return true;
        }
        match self {
            Self::Generate(generation) => generation.is_long(),
            Self::Sign { key, .. }
            | Self::Decrypt { key, .. }
            | Self::Unwrap {
                unwrapping: key, ..
            } => key.kind == Kind::Private && key.length_bits > SHORT_MODULUS_BITS,
            Self::DeriveBits {
                derivation,
                length_bits,
                ..
            }
            | Self::DeriveKey {
                derivation,
                length_bits,
                ..
            } => match derivation {
                Derivation::Pbkdf2 { iterations, .. } => {
                    // The shortest hash has 160 bits.
                    let blocks = u64::from(length_bits.unwrap_or(0)).div_ceil(160);
                    u64::from(*iterations).saturating_mul(blocks) > SHORT_ROUNDS
                }
                Derivation::Agreement { .. } | Derivation::Hkdf { .. } => false,
            },
            Self::Digest { .. }
            | Self::Encrypt { .. }
            | Self::Verify { .. }
            | Self::Wrap { .. } => false,
        }
    }

    /// How many bytes there are to read.
    pub(crate) fn input_bytes(&self) -> usize {
        match self {
            Self::Digest { data, .. } => data.len(),
            Self::Encrypt { key, cipher, data } | Self::Decrypt { key, cipher, data } => {
                key.material.len() + cipher.extra_bytes() + data.len()
            }
            Self::Sign { key, scheme, data } => {
                key.material.len() + scheme.context.len() + data.len()
            }
            Self::Verify {
                key,
                scheme,
                signature,
                data,
            } => key.material.len() + scheme.context.len() + signature.len() + data.len(),
            Self::Generate(_) => 0,
            Self::DeriveBits {
                key, derivation, ..
            }
            | Self::DeriveKey {
                key, derivation, ..
            } => {
                key.material.len()
                    + match derivation {
                        Derivation::Agreement { .. } => 0,
                        Derivation::Hkdf { salt, info, .. } => salt.len() + info.len(),
                        Derivation::Pbkdf2 { salt, .. } => salt.len(),
                    }
            }
            Self::Wrap { key, cipher, .. } => key.material.len() + cipher.extra_bytes(),
            Self::Unwrap { data, cipher, .. } => data.len() + cipher.extra_bytes(),
        }
    }

    /// How many bytes the task and its output may have at the most, about.
    pub(crate) fn held_bytes(&self) -> usize {
        let output = match self {
            Self::DeriveBits { length_bits, .. } | Self::DeriveKey { length_bits, .. } => {
                length_bits.unwrap_or(0) as usize / 8
            }
            Self::Digest { .. } | Self::Sign { .. } | Self::Verify { .. } | Self::Generate(_) => 0,
            Self::Encrypt { .. }
            | Self::Decrypt { .. }
            | Self::Wrap { .. }
            | Self::Unwrap { .. } => self.input_bytes(),
        };
        self.input_bytes().saturating_add(output)
    }

    /// Does it.
    pub(crate) fn run(self, control: &Control<'_>) -> Result<Output, Fault> {
        match self {
            Self::Digest { hash, data } => {
                let digest = hash.digest(&data, control)?;
                Ok(Output::Bytes(Secret::new(digest)))
            }
            Self::Encrypt { key, cipher, data } => {
                cipher.encrypt(&key, data, control).map(Output::Bytes)
            }
            Self::Decrypt { key, cipher, data } => {
                cipher.decrypt(&key, data, control).map(Output::Bytes)
            }
            Self::Sign { key, scheme, data } => sign(&key, &scheme, &data, control),
            Self::Verify {
                key,
                scheme,
                signature,
                data,
            } => {
                let signed = Signed {
                    signature: &signature,
                    data: &data,
                };
                verify(&key, &scheme, &signed, control).map(Output::Truth)
            }
            Self::Generate(generation) => generation.run(control),
            Self::DeriveBits {
                key,
                derivation,
                length_bits,
            } => derive::derive(&key, &derivation, length_bits, control).map(Output::Bytes),
            Self::DeriveKey {
                key,
                derivation,
                length_bits,
                import,
            } => {
                let bytes = derive::derive(&key, &derivation, length_bits, control)?;
                import
                    .run(&KeyData::Bytes(Format::Raw, bytes))
                    .map(Output::Key)
            }
            Self::Wrap {
                format,
                key,
                usages,
                wrapping,
                cipher,
            } => {
                let bytes = match format {
                    Format::Jwk => export_jwk(&key, usages, true)?.to_text(),
                    _ => export(&key, format)?,
                };
                cipher.encrypt(&wrapping, bytes, control).map(Output::Bytes)
            }
            Self::Unwrap {
                format,
                data,
                unwrapping,
                cipher,
                import,
            } => {
                let bytes = cipher.decrypt(&unwrapping, data, control)?;
                let data = KeyData::unwrapped(format, bytes)?;
                import.run(&data).map(Output::Key)
            }
        }
    }
}

fn sign(key: &Key, scheme: &Scheme, data: &[u8], control: &Control<'_>) -> Result<Output, Fault> {
    let signature = match (key.algorithm, scheme.hash) {
        (Algorithm::Hmac, _) => mac::sign(key, data, control),
        (Algorithm::Ed25519, _) => okp::sign_ed25519(key, data),
        (Algorithm::Ed448, _) => okp::sign_ed448(key, &scheme.context, data),
        (Algorithm::Ecdsa, Some(hash)) => ec::sign(key, hash, data, control),
        (Algorithm::RsaPkcs1 | Algorithm::RsaPss, _) => {
            rsa_schemes::sign(key, scheme.salt_bytes, data, control)
        }
        _ => Err(Fault::invalid_access("The key does not sign")),
    }?;
    Ok(Output::Bytes(Secret::new(signature)))
}

struct Signed<'a> {
    signature: &'a [u8],
    data: &'a [u8],
}

fn verify(
    key: &Key,
    scheme: &Scheme,
    &Signed { signature, data }: &Signed<'_>,
    control: &Control<'_>,
) -> Result<bool, Fault> {
    match (key.algorithm, scheme.hash) {
        (Algorithm::Hmac, _) => mac::verify(key, signature, data, control),
        (Algorithm::Ed25519, _) => okp::verify_ed25519(key, signature, data),
        (Algorithm::Ed448, _) => okp::verify_ed448(key, &scheme.context, signature, data),
        (Algorithm::Ecdsa, Some(hash)) => ec::verify(key, hash, signature, data, control),
        (Algorithm::RsaPkcs1 | Algorithm::RsaPss, _) => {
            rsa_schemes::verify(key, scheme.salt_bytes, signature, data, control)
        }
        _ => Err(Fault::invalid_access("The key does not verify")),
    }
}
