//! Frames that a child process sends to its parent, which trusts none of them.

use isolane::fuzz_support::decode_from_child;

/// What one byte of a frame may become at most, as text: a field's name and a number.
const MAX_TEXT_PER_BYTE: usize = 256;

pub(crate) fn check(data: &[u8]) {
    match decode_from_child(data) {
        Ok(said) => assert!(
            said.len() <= (data.len() + 64) * MAX_TEXT_PER_BYTE,
            "{} bytes became {}",
            data.len(),
            said.len()
        ),
        Err(why) => assert!(why.len() < 200, "{why}"),
    }
}
