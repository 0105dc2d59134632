//! Making new keys.

use super::{
    Algorithm, Control, Curve, Fault, Hash, Key, Kind, Output, ec, okp, random, rsa_keys,
    rsa_primes,
};

/// The longest HMAC key that is made, in bits.
const MAX_HMAC_BITS: u32 = 1 << 23;

/// What key is to be made.
pub(crate) struct Generation {
    pub(crate) algorithm: Algorithm,
    pub(crate) hash: Option<Hash>,
    pub(crate) curve: Option<Curve>,
    /// AES, HMAC where the guest says so, and the modulus of RSA.
    pub(crate) length_bits: Option<u32>,
    /// RSA; the highest byte first.
    pub(crate) public_exponent: Vec<u8>,
    pub(crate) usages: u32,
}

impl Generation {
    /// Whether the work is a search for primes.
    pub(super) fn is_long(&self) -> bool {
        self.is_rsa()
    }

    fn is_rsa(&self) -> bool {
        matches!(
            self.algorithm,
            Algorithm::RsaPkcs1 | Algorithm::RsaPss | Algorithm::RsaOaep
        )
    }

    /// Fails where no such key can be made; what long work would find late is found here.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let (public, private) = self.usages_of_halves();
        if self.usages & !(public | private) != 0 {
            return Err(Fault::syntax("A usage is not one that such a key may have"));
        }
        match self.algorithm {
            Algorithm::RsaPkcs1 | Algorithm::RsaPss | Algorithm::RsaOaep => {
                rsa_primes::check(self.length_bits.unwrap_or(0), &self.public_exponent)?;
            }
            Algorithm::Ecdsa | Algorithm::Ecdh if self.curve.is_none() => {
                return Err(Fault::not_supported(
                    "namedCurve is not P-256, P-384 or P-521",
                ));
            }
            Algorithm::AesCtr | Algorithm::AesCbc | Algorithm::AesGcm | Algorithm::AesKw
                if !matches!(self.length_bits, Some(128 | 192 | 256)) =>
            {
                return Err(Fault::operation("length must be 128, 192 or 256"));
            }
            Algorithm::Hmac
                if self
                    .length_bits
                    .is_some_and(|bits| !(1..=MAX_HMAC_BITS).contains(&bits)) =>
            {
                return Err(Fault::operation(format!(
                    "length must be from 1 to {MAX_HMAC_BITS}"
                )));
            }
            _ => {}
        }
        if self.usages & private == 0 {
            return Err(Fault::syntax("A secret or private key must have a usage"));
        }
        Ok(())
    }

    fn usages_of_halves(&self) -> (u32, u32) {
        (
            self.algorithm.usages(Kind::Public),
            self.algorithm.usages(Kind::Private),
        )
    }

    /// Makes the key, or the pair.
    pub(super) fn run(&self, control: &Control<'_>) -> Result<Output, Fault> {
        self.check()?;
        match (self.algorithm, self.curve, self.hash) {
            (Algorithm::RsaPkcs1 | Algorithm::RsaPss | Algorithm::RsaOaep, _, _) => {
                let bits = self.length_bits.unwrap_or(0);
                let key = rsa_primes::generate(bits, &self.public_exponent, control)?;
                Ok(Output::Pair {
                    public: rsa_keys::public_key(self.algorithm, self.hash, key.as_public_key())?,
                    private: rsa_keys::private_key(self.algorithm, self.hash, &key)?,
                })
            }
            (Algorithm::Ecdsa | Algorithm::Ecdh, Some(curve), _) => {
                pair(ec::generate(self.algorithm, curve)?)
            }
            (Algorithm::Ed25519 | Algorithm::X25519 | Algorithm::Ed448 | Algorithm::X448, _, _) => {
                pair(okp::generate(self.algorithm)?)
            }
            (Algorithm::Hmac, _, Some(hash)) => self.hmac(hash),
            (_, _, _) => {
                let bytes = self.length_bits.unwrap_or(0) as usize / 8;
                let key = Key::secret(self.algorithm, random::secret(bytes)?);
                Ok(Output::Key(key))
            }
        }
    }

    fn hmac(&self, hash: Hash) -> Result<Output, Fault> {
        let bits = self.length_bits.unwrap_or(hash.block_bits());
        let mut material = random::secret((bits as usize).div_ceil(8))?;
        if let (Some(last), rest @ 1..) = (material.last_mut(), bits % 8) {
            *last &= 0xFF << (8 - rest);
        }
        Ok(Output::Key(Key {
            hash: Some(hash),
            length_bits: bits,
            ..Key::secret(self.algorithm, material)
        }))
    }
}

fn pair((public, private): (Key, Key)) -> Result<Output, Fault> {
    Ok(Output::Pair { public, private })
}
