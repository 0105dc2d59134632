//! Reads the arguments of `crypto.subtle`'s native operations, one after another. What is read is
//! a copy, and large copies are counted as the guest's memory for as long as the operation has them.
//!
//! Called on whichever thread holds the isolate.

use crate::crypto::{
    Algorithm, Cipher, Curve, Derivation, Fault, Format, Hash, Import, Jwk, Key, KeyData, Scheme,
    Secret,
};
use crate::limits::buffer::Charge;
use crate::runtime::realm_state::RealmState;

use super::buffer_source::with_bytes;
use super::computing::charge;

/// Copies up to here are not counted: they are gone before the guest goes on.
const UNCOUNTED_BYTES: usize = 256 << 10;

/// How many members of a JSON Web Key's `key_ops` are read.
const MAX_OPERATIONS: u32 = 64;

/// The arguments that were not read yet.
pub(super) struct Arguments<'a, 's> {
    values: &'a v8::FunctionCallbackArguments<'s>,
    next: i32,
    pub(super) realm: &'a RealmState,
    pub(super) charges: Vec<Charge>,
}

/// An algorithm of keys and what it is given.
pub(super) struct Parameters {
    pub(super) algorithm: Algorithm,
    pub(super) hash: Option<Hash>,
    pub(super) curve: Option<Curve>,
    pub(super) length_bits: Option<u32>,
}

/// Whether reading went on: where not, the guest has been thrown an exception, or the guest side's call
/// was not one that it makes.
pub(super) type Read<T> = Option<T>;

impl<'a, 's> Arguments<'a, 's> {
    pub(super) fn new(
        scope: &v8::PinScope<'a, '_>,
        values: &'a v8::FunctionCallbackArguments<'s>,
    ) -> Read<Self> {
        Some(Self {
            values,
            next: 0,
            realm: RealmState::of(scope)?,
            charges: Vec::new(),
        })
    }

    pub(super) fn value(&mut self) -> v8::Local<'s, v8::Value> {
        self.next += 1;
        self.values.get(self.next - 1)
    }

    pub(super) fn flag(&mut self) -> bool {
        self.value().is_true()
    }

    /// An unsigned number; 0 for all else.
    pub(super) fn number(&mut self) -> u32 {
        v8::Local::<v8::Number>::try_from(self.value()).map_or(0, |number| number.value() as u32)
    }

    /// An unsigned number or null.
    fn optional_number(&mut self) -> Option<u32> {
        let number = v8::Local::<v8::Number>::try_from(self.value());
        number.ok().map(|number| number.value() as u32)
    }

    /// The bytes of a buffer source; none for anything else.
    pub(super) fn bytes(&mut self, scope: &mut v8::PinScope<'_, '_>) -> Read<Secret> {
        let value = self.value();
        let length = with_bytes(value, <[u8]>::len).unwrap_or(0);
        if length > UNCOUNTED_BYTES {
            let charge = charge(scope, self.realm, length)?;
            self.charges.push(charge);
        }
        let bytes = with_bytes(value, <[u8]>::to_vec).unwrap_or_default();
        Some(Secret::new(bytes))
    }

    fn plain_bytes(&mut self, scope: &mut v8::PinScope<'_, '_>) -> Read<Vec<u8>> {
        Some(std::mem::take(&mut *self.bytes(scope)?))
    }

    pub(super) fn key(&mut self) -> Read<Key> {
        with_bytes(self.value(), Key::from_bytes).flatten()
    }

    pub(super) fn hash(&mut self) -> Read<Hash> {
        Hash::from_number(self.number())
    }

    pub(super) fn format(&mut self) -> Read<Format> {
        Format::from_number(self.number())
    }

    /// Two parameters of bytes and one number, as the key's algorithm wants them.
    pub(super) fn cipher(&mut self, scope: &mut v8::PinScope<'_, '_>, key: &Key) -> Read<Cipher> {
        let first = self.plain_bytes(scope)?;
        let second = self.plain_bytes(scope)?;
        let number = self.number();
        Some(match key.algorithm {
            Algorithm::AesCtr => Cipher::Ctr {
                counter: first,
                counter_bits: number,
            },
            Algorithm::AesCbc => Cipher::Cbc { iv: first },
            Algorithm::AesGcm => Cipher::gcm(first, second, number),
            Algorithm::AesKw => Cipher::Wrap,
            Algorithm::RsaOaep => Cipher::Oaep { label: first },
            _ => return None,
        })
    }

    /// A hash, the length of a salt, and a context.
    pub(super) fn scheme(&mut self, scope: &mut v8::PinScope<'_, '_>) -> Read<Scheme> {
        Some(Scheme {
            hash: Hash::from_number(self.number()),
            salt_bytes: self.number(),
            context: self.plain_bytes(scope)?,
        })
    }

    /// A hash, two parameters of bytes (the first may be a public key) and a count of iterations.
    pub(super) fn derivation(
        &mut self,
        scope: &mut v8::PinScope<'_, '_>,
        key: &Key,
    ) -> Read<(Derivation, Option<u32>)> {
        let hash = Hash::from_number(self.number());
        let derivation = if matches!(
            key.algorithm,
            Algorithm::Ecdh | Algorithm::X25519 | Algorithm::X448
        ) {
            let public = self.key()?;
            self.value();
            self.value();
            Derivation::Agreement { public }
        } else {
            let salt = self.plain_bytes(scope)?;
            let info = self.plain_bytes(scope)?;
            let iterations = self.number();
            match key.algorithm {
                Algorithm::Hkdf => Derivation::Hkdf {
                    hash: hash?,
                    salt,
                    info,
                },
                _ => Derivation::Pbkdf2 {
                    hash: hash?,
                    salt,
                    iterations,
                },
            }
        };
        Some((derivation, self.optional_number()))
    }

    /// An algorithm and its parameter, which is a hash or a curve, and a length.
    pub(super) fn algorithm(&mut self) -> Read<Parameters> {
        let algorithm = Algorithm::from_number(self.number())?;
        let parameter = self.number();
        let (hash, curve) = match algorithm {
            Algorithm::Ecdsa | Algorithm::Ecdh => (None, Curve::from_number(parameter)),
            _ => (Hash::from_number(parameter), None),
        };
        Some(Parameters {
            algorithm,
            hash,
            curve,
            length_bits: self.optional_number(),
        })
    }

    /// What an imported key is to be.
    pub(super) fn import(&mut self) -> Read<Import> {
        let parameters = self.algorithm()?;
        Some(Import {
            algorithm: parameters.algorithm,
            hash: parameters.hash,
            curve: parameters.curve,
            length_bits: parameters.length_bits,
            extractable: self.flag(),
            usages: self.number(),
        })
    }

    /// A key in a format: bytes, or the members of a JSON Web Key in a list.
    pub(super) fn key_data(&mut self, scope: &mut v8::PinScope<'_, '_>) -> Read<KeyData> {
        let format = self.format()?;
        if format != Format::Jwk {
            return Some(KeyData::Bytes(format, self.bytes(scope)?));
        }
        let list = v8::Local::<v8::Array>::try_from(self.value()).ok()?;
        let count = Jwk::TEXTS.len() as u32;
        let mut texts = Vec::with_capacity(Jwk::TEXTS.len());
        for index in 0..count {
            let value = list.get_index(scope, index)?;
            let text = value.is_string().then(|| value.to_rust_string_lossy(scope));
            texts.push(text);
        }
        let mut jwk = Jwk::from_texts(texts);
        let operations = list.get_index(scope, count)?;
        if let Ok(operations) = v8::Local::<v8::Array>::try_from(operations) {
            let mut names = Vec::new();
            for index in 0..operations.length().min(MAX_OPERATIONS) {
                names.push(
                    operations
                        .get_index(scope, index)?
                        .to_rust_string_lossy(scope),
                );
            }
            jwk.key_ops = Some(names);
        }
        let ext = list.get_index(scope, count + 1)?;
        jwk.ext = ext.is_boolean().then(|| ext.is_true());
        jwk.has_other_primes = list.get_index(scope, count + 2)?.is_true();
        Some(KeyData::Jwk(Box::new(jwk)))
    }
}

/// What the guest side's call would have had to be.
pub(super) fn unexpected() -> Fault {
    Fault::operation("The operation failed")
}
