//! The encodings other than UTF-8: their ids, and decoding of complete input to UTF-16.
//!
//! Stateless and without V8.

use encoding_rs::{CoderResult, DecoderResult, Encoding, UTF_16BE};

/// Every encoding that a label can name; an index here is the id that the guest holds.
static ENCODINGS: [&Encoding; 39] = [
    encoding_rs::UTF_8,
    encoding_rs::UTF_16LE,
    encoding_rs::UTF_16BE,
    encoding_rs::WINDOWS_1252,
    encoding_rs::BIG5,
    encoding_rs::EUC_JP,
    encoding_rs::EUC_KR,
    encoding_rs::GB18030,
    encoding_rs::GBK,
    encoding_rs::IBM866,
    encoding_rs::ISO_2022_JP,
    encoding_rs::ISO_8859_2,
    encoding_rs::ISO_8859_3,
    encoding_rs::ISO_8859_4,
    encoding_rs::ISO_8859_5,
    encoding_rs::ISO_8859_6,
    encoding_rs::ISO_8859_7,
    encoding_rs::ISO_8859_8,
    encoding_rs::ISO_8859_8_I,
    encoding_rs::ISO_8859_10,
    encoding_rs::ISO_8859_13,
    encoding_rs::ISO_8859_14,
    encoding_rs::ISO_8859_15,
    encoding_rs::ISO_8859_16,
    encoding_rs::KOI8_R,
    encoding_rs::KOI8_U,
    encoding_rs::MACINTOSH,
    encoding_rs::SHIFT_JIS,
    encoding_rs::WINDOWS_874,
    encoding_rs::WINDOWS_1250,
    encoding_rs::WINDOWS_1251,
    encoding_rs::WINDOWS_1253,
    encoding_rs::WINDOWS_1254,
    encoding_rs::WINDOWS_1255,
    encoding_rs::WINDOWS_1256,
    encoding_rs::WINDOWS_1257,
    encoding_rs::WINDOWS_1258,
    encoding_rs::X_MAC_CYRILLIC,
    encoding_rs::X_USER_DEFINED,
];

/// The encoding with that id; UTF-8 for an unknown id.
pub(super) fn by_id(id: u32) -> &'static Encoding {
    ENCODINGS
        .get(id as usize)
        .copied()
        .unwrap_or(encoding_rs::UTF_8)
}

/// The id of an encoding, `None` for "replacement".
pub(super) fn id_of(encoding: &'static Encoding) -> Option<u32> {
    let index = ENCODINGS.iter().position(|&known| known == encoding)?;
    u32::try_from(index).ok()
}

/// Decodes UTF-16; `None` where `fatal` and the input is malformed.
pub(super) fn decode_utf16(
    encoding: &'static Encoding,
    bytes: &[u8],
    fatal: bool,
) -> Option<Vec<u16>> {
    let pairs = bytes.chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let mut units: Vec<u16> = if encoding == UTF_16BE {
        pairs
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect()
    } else {
        pairs
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect()
    };
    let well_formed = encoding_rs::mem::utf16_valid_up_to(&units) == units.len();
    if fatal && (odd || !well_formed) {
        return None;
    }
    let ends_in_lead = units
        .last()
        .is_some_and(|unit| (0xD800..0xDC00).contains(unit));
    if !well_formed {
        encoding_rs::mem::ensure_utf16_validity(&mut units);
    }
    // At the end of input a lead surrogate and the odd byte after it are one error, not two.
    if odd && !ends_in_lead {
        units.push(0xFFFD);
    }
    Some(units)
}

/// Decodes complete input; `None` where `fatal` and the input is malformed.
pub(super) fn decode(encoding: &'static Encoding, bytes: &[u8], fatal: bool) -> Option<Vec<u16>> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    // At least as many as this: the decoder gives at most one unit a byte and a few for a pending error.
    let mut units = vec![0; decoder.max_utf16_buffer_length(bytes.len())?];
    let written = if fatal {
        let (result, _, written) =
            decoder.decode_to_utf16_without_replacement(bytes, &mut units, true);
        if result != DecoderResult::InputEmpty {
            return None;
        }
        written
    } else {
        let (result, _, written, _) = decoder.decode_to_utf16(bytes, &mut units, true);
        debug_assert_eq!(result, CoderResult::InputEmpty);
        written
    };
    units.truncate(written);
    Some(units)
}
