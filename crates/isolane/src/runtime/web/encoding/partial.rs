//! Where a chunk of a stream may be cut, so that decoders need no state but the few bytes after the cut.
//!
//! Stateless and without V8. The rules follow the decoders of the WHATWG Encoding Standard: a cut is where the
//! decoder has no byte pending. Only ISO-2022-JP has a state besides: the character set that the last escape
//! sequence chose, and whether a character has followed it.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE,
};

/// What a streaming decoder remembers between two chunks, small enough to be one integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Carry {
    bytes: [u8; 3],
    length: u8,
    charset: Charset,
    /// Whether a character has followed the escape sequence: only then may another one come.
    settled: bool,
}

/// The character set of ISO-2022-JP; the discriminant is its place in a carry's bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Charset {
    #[default]
    Initial = 0,
    Ascii = 1,
    Roman = 2,
    Katakana = 3,
    Jis0208 = 4,
}

impl Charset {
    /// The escape sequence that chooses this set, and a character of the set.
    fn sequence(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Initial => (b"", b""),
            Self::Ascii => (b"\x1B(B", b"a"),
            Self::Roman => (b"\x1B(J", b"a"),
            Self::Katakana => (b"\x1B(I", b"!"),
            Self::Jis0208 => (b"\x1B$B", b"!!"),
        }
    }
}

impl Carry {
    fn tail(bytes: &[u8]) -> Self {
        let mut carry = Self::default();
        for (slot, &byte) in carry.bytes.iter_mut().zip(bytes) {
            *slot = byte;
            carry.length += 1;
        }
        carry
    }

    /// The carry in an integer: 24 bits of bytes, 2 of length, 3 of character set, 1 of `settled`.
    pub(super) fn to_bits(self) -> u32 {
        let [first, second, third] = self.bytes;
        u32::from_le_bytes([first, second, third, 0])
            | u32::from(self.length) << 24
            | (self.charset as u32) << 26
            | u32::from(self.settled) << 29
    }

    /// The carry of an integer that [`to_bits`](Self::to_bits) gave.
    pub(super) fn from_bits(bits: u32) -> Self {
        let [first, second, third, _] = bits.to_le_bytes();
        Self {
            bytes: [first, second, third],
            length: (bits >> 24 & 3) as u8,
            charset: match bits >> 26 & 7 {
                1 => Charset::Ascii,
                2 => Charset::Roman,
                3 => Charset::Katakana,
                4 => Charset::Jis0208,
                _ => Charset::Initial,
            },
            settled: bits >> 29 & 1 == 1,
        }
    }

    /// The bytes that bring a new decoder to this state, to be put before the next chunk.
    pub(super) fn prefix(self, encoding: &'static Encoding) -> Vec<u8> {
        let mut prefix = Vec::new();
        if encoding == ISO_2022_JP {
            let (escape, character) = self.charset.sequence();
            prefix.extend_from_slice(escape);
            if self.settled {
                prefix.extend_from_slice(character);
            }
        }
        prefix.extend_from_slice(&self.bytes[..usize::from(self.length)]);
        prefix
    }

    /// How many code units of decoded text stem from the character in the prefix and are not the stream's.
    pub(super) fn placeholder_units(self) -> usize {
        usize::from(self.settled && self.charset != Charset::Initial)
    }
}

/// Where the complete part of `bytes` ends, and what to carry to the next chunk.
pub(super) fn split(encoding: &'static Encoding, bytes: &[u8]) -> (Carry, usize) {
    if encoding == ISO_2022_JP {
        return split_iso_2022_jp(bytes);
    }
    let pending = if encoding == UTF_8 {
        pending_utf8(bytes)
    } else if encoding == UTF_16LE || encoding == UTF_16BE {
        pending_utf16(encoding, bytes)
    } else if encoding == GB18030 || encoding == GBK {
        pending_gb18030(bytes)
    } else if encoding == EUC_JP {
        pending_euc_jp(bytes)
    } else if encoding == BIG5 || encoding == EUC_KR {
        pending_double_byte(bytes, |byte| matches!(byte, 0x81..=0xFE))
    } else if encoding == SHIFT_JIS {
        pending_double_byte(bytes, |byte| matches!(byte, 0x81..=0x9F | 0xE0..=0xFC))
    } else {
        0
    };
    let end = bytes.len() - pending;
    (Carry::tail(&bytes[end..]), end)
}

fn pending_utf8(bytes: &[u8]) -> usize {
    let recent = &bytes[bytes.len().saturating_sub(3)..];
    let Some(lead) = recent.iter().rposition(|&byte| byte >= 0xC0) else {
        return 0;
    };
    match std::str::from_utf8(&recent[lead..]) {
        Err(error) if error.error_len().is_none() => recent.len() - lead,
        _ => 0,
    }
}

fn pending_utf16(encoding: &'static Encoding, bytes: &[u8]) -> usize {
    let odd = bytes.len() % 2;
    let high_byte = if encoding == UTF_16BE { 2 } else { 1 };
    let last = (bytes.len() - odd)
        .checked_sub(high_byte)
        .map(|index| bytes[index]);
    match last {
        Some(0xD8..=0xDB) => odd + 2,
        _ => odd,
    }
}

/// A lead and whatever follows it always resolve together, to a character or to an error.
fn pending_double_byte(bytes: &[u8], is_lead: impl Fn(u8) -> bool) -> usize {
    let mut pending = 0;
    for &byte in bytes {
        pending = usize::from(pending == 0 && is_lead(byte));
    }
    pending
}

fn pending_euc_jp(bytes: &[u8]) -> usize {
    let mut start = 0;
    while start < bytes.len() {
        let rest = &bytes[start..];
        start += match rest {
            [0x8F, 0xA1..=0xFE] | [0x8E | 0x8F | 0xA1..=0xFE] => return rest.len(),
            [0x8F, 0xA1..=0xFE, _, ..] => 3,
            [0x8E | 0x8F | 0xA1..=0xFE, _, ..] => 2,
            _ => 1,
        };
    }
    0
}

fn pending_gb18030(bytes: &[u8]) -> usize {
    let mut start = 0;
    while start < bytes.len() {
        let rest = &bytes[start..];
        start += match rest {
            [0x81..=0xFE] | [0x81..=0xFE, 0x30..=0x39] => return rest.len(),
            [0x81..=0xFE, 0x30..=0x39, 0x81..=0xFE] => return 3,
            [0x81..=0xFE, 0x30..=0x39, 0x81..=0xFE, 0x30..=0x39, ..] => 4,
            // An error takes the lead alone; the digit and what follows it are decoded again.
            [0x81..=0xFE, 0x30..=0x39, ..] => 1,
            [0x81..=0xFE, _, ..] => 2,
            _ => 1,
        };
    }
    0
}

fn split_iso_2022_jp(bytes: &[u8]) -> (Carry, usize) {
    let mut charset = Charset::Initial;
    let mut settled = false;
    let mut start = 0;
    while start < bytes.len() {
        let rest = &bytes[start..];
        let chosen = match rest {
            [0x1B] | [0x1B, b'$' | b'('] => break,
            [0x1B, b'(', b'B', ..] => Some(Charset::Ascii),
            [0x1B, b'(', b'J', ..] => Some(Charset::Roman),
            [0x1B, b'(', b'I', ..] => Some(Charset::Katakana),
            [0x1B, b'$', b'@' | b'B', ..] => Some(Charset::Jis0208),
            _ => None,
        };
        if let Some(chosen) = chosen {
            charset = chosen;
            settled = false;
            start += 3;
            continue;
        }
        let is_lead = charset == Charset::Jis0208 && matches!(rest[0], 0x21..=0x7E);
        start += match rest {
            [_] if is_lead => break,
            // The trail is decoded as an escape where it is one.
            [_, 0x1B, ..] if is_lead => 1,
            _ if is_lead => 2,
            _ => 1,
        };
        settled = true;
    }
    let carry = Carry {
        charset,
        settled,
        ..Carry::tail(&bytes[start..])
    };
    (carry, start)
}

#[cfg(test)]
mod tests {
    use super::super::legacy;
    use super::{Carry, split};
    use encoding_rs::{
        BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE,
        UTF_16LE, WINDOWS_1252,
    };

    /// Bytes that matter to some decoder, so that short random input meets every rule.
    const INTERESTING: &[u8] = b"\x1B\x1B$$((BJI@!!aA0309\x81\x82\x84\xA1\xA4\x8E\x8F\xE0\xE3\xF0\xFE\xFF\x80\x40\xD8\xDC\xC2\x9F";

    fn decode_whole(encoding: &'static Encoding, bytes: &[u8]) -> Vec<u16> {
        if encoding == UTF_16LE || encoding == UTF_16BE {
            legacy::decode_utf16(encoding, bytes, false).expect("malformed input is replaced")
        } else {
            legacy::decode(encoding, bytes, false).expect("malformed input is replaced")
        }
    }

    fn decode_in_chunks(encoding: &'static Encoding, chunks: &[&[u8]]) -> Vec<u16> {
        let mut text = Vec::new();
        let mut carry = Carry::default();
        for (index, chunk) in chunks.iter().enumerate() {
            let mut bytes = carry.prefix(encoding);
            bytes.extend_from_slice(chunk);
            let (next, end) = if index + 1 == chunks.len() {
                (Carry::default(), bytes.len())
            } else {
                split(encoding, &bytes)
            };
            let decoded = decode_whole(encoding, &bytes[..end]);
            text.extend_from_slice(&decoded[carry.placeholder_units()..]);
            assert_eq!(Carry::from_bits(next.to_bits()), next);
            carry = next;
        }
        text
    }

    #[test]
    fn chunks_decode_to_what_the_whole_does() {
        let encodings = [
            BIG5,
            EUC_JP,
            EUC_KR,
            GB18030,
            GBK,
            ISO_2022_JP,
            SHIFT_JIS,
            UTF_8,
            UTF_16BE,
            UTF_16LE,
            WINDOWS_1252,
        ];
        let mut seed = 1_u64;
        let mut random = |below: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..random(14))
                .map(|_| INTERESTING[random(INTERESTING.len())])
                .collect();
            let first = random(bytes.len() + 1);
            let second = first + random(bytes.len() + 1 - first);
            let chunks = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            for encoding in encodings {
                assert_eq!(
                    decode_in_chunks(encoding, &chunks),
                    decode_whole(encoding, &bytes),
                    "{} of {chunks:X?}",
                    encoding.name()
                );
            }
        }
    }
}
