//! Native half of the crypto family: random bytes and digests (W3C Web Cryptography).
//!
//! Owns each thread's small store of random bytes, which come from the operating system only; nothing of it can
//! get into a startup snapshot. Called on whichever thread holds the isolate.

use super::buffer_source::{with_bytes, with_bytes_mut};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::cell::RefCell;
use v8::{FunctionCallbackArguments, PinScope, ReturnValue};

/// Requests up to this size come from the store, which saves a system call for each.
const STORED_REQUEST_BYTES: usize = 64;
const STORE_BYTES: usize = 1024;

/// The most that one call of `getRandomValues` may ask for.
const MAX_REQUEST_BYTES: usize = 65_536;

/// What `randomFill` answers; guest/crypto.ts has the same.
const FILLED: i32 = 0;
const TOO_LONG: i32 = 1;
const UNAVAILABLE: i32 = 2;

struct RandomStore {
    bytes: [u8; STORE_BYTES],
    used: usize,
}

thread_local! {
    static STORE: RefCell<RandomStore> = const {
        RefCell::new(RandomStore { bytes: [0; STORE_BYTES], used: STORE_BYTES })
    };
}

/// Fills `target` with random bytes of the operating system.
fn fill_random(target: &mut [u8]) -> Result<(), getrandom::Error> {
    if target.len() > STORED_REQUEST_BYTES {
        return getrandom::fill(target);
    }
    STORE.with_borrow_mut(|store| {
        if STORE_BYTES - store.used < target.len() {
            getrandom::fill(&mut store.bytes)?;
            store.used = 0;
        }
        let taken = &mut store.bytes[store.used..][..target.len()];
        target.copy_from_slice(taken);
        // What was handed out must not be readable here later.
        taken.fill(0);
        store.used += target.len();
        Ok(())
    })
}

/// `randomFill(view)`: fills the view with random bytes; answers one of the codes above.
pub(crate) fn random_fill<'s>(
    _scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let code = with_bytes_mut(args.get(0), |bytes| {
        if bytes.len() > MAX_REQUEST_BYTES {
            return TOO_LONG;
        }
        fill_random(bytes).map_or(UNAVAILABLE, |()| FILLED)
    });
    rv.set_int32(code.unwrap_or(UNAVAILABLE));
}

/// `randomUUID()`: a random UUID of version 4 (RFC 9562), or null where the system has no random bytes to give.
pub(crate) fn random_uuid<'s>(
    scope: &mut PinScope<'s, '_>,
    _args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let mut bytes = [0; 16];
    let text = fill_random(&mut bytes).ok().and_then(|()| {
        v8::String::new_from_one_byte(scope, &uuid_text(bytes), v8::NewStringType::Normal)
    });
    match text {
        Some(text) => rv.set(text.into()),
        None => rv.set_null(),
    }
}

fn uuid_text(mut bytes: [u8; 16]) -> [u8; 36] {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 0xF)];
        at += 2;
    }
    text
}

/// `digest(algorithm, source, target)`: writes the hash of `source` to `target`, whose length must be the hash's.
///
/// `algorithm` is the length of the hash in bits, 1 for SHA-1. False where an argument is not as it should be.
pub(crate) fn digest<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let algorithm = args.get(0).uint32_value(scope).unwrap_or(0);
    let hash = with_bytes(args.get(1), |bytes| {
        Some(match algorithm {
            1 => Sha1::digest(bytes).to_vec(),
            256 => Sha256::digest(bytes).to_vec(),
            384 => Sha384::digest(bytes).to_vec(),
            512 => Sha512::digest(bytes).to_vec(),
            _ => return None,
        })
    });
    let written = hash.flatten().and_then(|hash| {
        with_bytes_mut(args.get(2), |target| {
            let fits = target.len() == hash.len();
            if fits {
                target.copy_from_slice(&hash);
            }
            fits
        })
    });
    rv.set_bool(written == Some(true));
}

#[cfg(test)]
mod tests {
    use super::uuid_text;

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        let text = uuid_text([0xFF; 16]);
        assert_eq!(&text, b"ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(&uuid_text([0; 16]), b"00000000-0000-4000-8000-000000000000");
    }
}
