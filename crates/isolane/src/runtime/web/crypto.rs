//! Native half of the crypto family: random values (W3C Web Cryptography).
//!
//! Called on whichever thread holds the isolate.

use v8::{FunctionCallbackArguments, PinScope, ReturnValue};

use super::buffer_source::with_bytes_mut;
use crate::crypto::fill_random;

/// The most that one call of `getRandomValues` may ask for.
const MAX_REQUEST_BYTES: usize = 65_536;

/// What `randomFill` answers; guest/crypto.ts has the same.
const FILLED: i32 = 0;
const TOO_LONG: i32 = 1;
const UNAVAILABLE: i32 = 2;

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
