//! Making RSA keys: the search for primes, which may take seconds and can be stopped at each candidate.

use crypto_bigint::BoxedUint;
use crypto_primes::hazmat::{SetBits, SieveFactory, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime};
use rsa::RsaPrivateKey;

use super::rsa_keys::{MAX_BITS, MIN_BITS};
use super::rsa_schemes::system_random;
use super::{Control, Fault};

/// The largest public exponent: longer ones make what everybody does with a public key slow.
const MAX_EXPONENT: u64 = u32::MAX as u64;

/// Makes a new key.
pub(super) fn generate(
    modulus_bits: u32,
    exponent: &[u8],
    control: &Control<'_>,
) -> Result<RsaPrivateKey, Fault> {
    let exponent = check(modulus_bits, exponent)?;
    loop {
        let p = prime(modulus_bits / 2, control)?;
        let q = prime(modulus_bits / 2, control)?;
        // Primes that do not go with the exponent are rare; then there are others.
        if let Ok(key) = RsaPrivateKey::from_p_q(p, q, BoxedUint::from(exponent)) {
            return Ok(key);
        }
    }
}

/// The public exponent, where a key with it and such a modulus can be made.
pub(super) fn check(modulus_bits: u32, exponent: &[u8]) -> Result<u64, Fault> {
    if !(MIN_BITS..=MAX_BITS).contains(&modulus_bits) || !modulus_bits.is_multiple_of(8) {
        return Err(Fault::operation(format!(
            "modulusLength must be a multiple of 8 from {MIN_BITS} to {MAX_BITS}, and is {modulus_bits}"
        )));
    }
    let leading = exponent.iter().take_while(|&&byte| byte == 0).count();
    let digits = &exponent[leading..];
    let value = digits
        .iter()
        .take(size_of::<u64>() + 1)
        .try_fold(0_u64, |value, &byte| {
            Some(value.checked_mul(256)? | u64::from(byte))
        });
    match value {
        Some(value) if (3..=MAX_EXPONENT).contains(&value) && value % 2 == 1 => Ok(value),
        _ => Err(Fault::operation(
            "publicExponent must be odd and from 3 to 4294967295",
        )),
    }
}

fn prime(bits: u32, control: &Control<'_>) -> Result<BoxedUint, Fault> {
    let failed = |_| Fault::operation("No prime could be found");
    let mut sieves = SmallFactorsSieveFactory::<BoxedUint>::new(Flavor::Any, bits, SetBits::TwoMsb)
        .map_err(failed)?;
    let mut random = system_random();
    loop {
        let sieve = sieves.make_sieve(&mut random, None).map_err(failed)?;
        for candidate in sieve.into_iter().flatten() {
            control.check()?;
            if is_prime(Flavor::Any, &candidate) {
                return Ok(candidate);
            }
        }
    }
}
