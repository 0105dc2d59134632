//! Native half of the encoding family: text to bytes and back (WHATWG Encoding Standard), base64 (WHATWG Infra).
//!
//! Stateless; called on whichever thread holds the isolate. What a streaming decoder must remember between two
//! chunks is one integer that the guest keeps, so there is nothing to free here when a decoder is dropped.

mod legacy;
mod partial;

use super::buffer_source::{with_bytes, with_bytes_mut};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use partial::Carry;
use v8::{FunctionCallbackArguments, Local, PinScope, ReturnValue, Value};

/// The codes that decoding operations return in the place of a string; guest/encoding.ts has the same.
const NOT_A_BUFFER: i32 = 0;
const MALFORMED: i32 = 1;
const TOO_LONG: i32 = 2;

/// The `flags` of the decoding operations; guest/encoding.ts has the same.
const FATAL: i32 = 1;
const KEEP_BOM: i32 = 2;
const STREAM: i32 = 4;

/// `textEncode(text, bytes)`: the length of `text` in UTF-8; writes it where `bytes` is long enough.
pub(crate) fn encode<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let Ok(text) = Local::<v8::String>::try_from(args.get(0)) else {
        return;
    };
    let length = text.utf8_length(scope);
    with_bytes_mut(args.get(1), |bytes| {
        if length <= bytes.len() {
            text.write_utf8_v2(scope, bytes, v8::WriteFlags::kReplaceInvalidUtf8, None);
        }
    });
    rv.set_double(length as f64);
}

/// `textEncodeInto(text, bytes)`: writes as many whole characters as fit; `[codeUnitsRead, bytesWritten]`.
pub(crate) fn encode_into<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let Ok(text) = Local::<v8::String>::try_from(args.get(0)) else {
        return;
    };
    let mut read = 0;
    let written = with_bytes_mut(args.get(1), |bytes| {
        text.write_utf8_v2(
            scope,
            bytes,
            v8::WriteFlags::kReplaceInvalidUtf8,
            Some(&mut read),
        )
    });
    let read: Local<Value> = v8::Number::new(scope, read as f64).into();
    let written: Local<Value> = v8::Number::new(scope, written.unwrap_or(0) as f64).into();
    rv.set(v8::Array::new_with_elements(scope, &[read, written]).into());
}

/// `textEncoding(label)`: `[id, name]` of the encoding with that label, or null.
pub(crate) fn for_label<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let label = args.get(0).to_rust_string_lossy(scope);
    let found = Encoding::for_label_no_replacement(label.as_bytes())
        .and_then(|encoding| Some((legacy::id_of(encoding)?, encoding)));
    let Some((id, encoding)) = found else {
        rv.set_null();
        return;
    };
    let Some(name) = v8::String::new(scope, &encoding.name().to_ascii_lowercase()) else {
        rv.set_null();
        return;
    };
    let id: Local<Value> = v8::Integer::new_from_unsigned(scope, id).into();
    rv.set(v8::Array::new_with_elements(scope, &[id, name.into()]).into());
}

/// `textDecode(id, source, flags)`: the whole of `source` as text, or a code.
pub(crate) fn decode<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let encoding = legacy::by_id(args.get(0).uint32_value(scope).unwrap_or(0));
    let flags = args.get(2).int32_value(scope).unwrap_or(0);
    let text = with_bytes(args.get(1), |bytes| {
        decode_all(scope, encoding, bytes, flags)
    });
    match text.unwrap_or(Err(NOT_A_BUFFER)) {
        Ok(text) => rv.set(text.into()),
        Err(code) => rv.set_int32(code),
    }
}

/// `textDecodeChunk(id, source, flags, carry)`: `[text, carry]` for the next part of a stream, or a code.
///
/// `carry` is what the previous call returned, 0 at the start. Without the flag STREAM this part is the last.
pub(crate) fn decode_chunk<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let encoding = legacy::by_id(args.get(0).uint32_value(scope).unwrap_or(0));
    let flags = args.get(2).int32_value(scope).unwrap_or(0);
    let carry = Carry::from_bits(args.get(3).uint32_value(scope).unwrap_or(0));
    let decoded = with_bytes(args.get(1), |chunk| {
        let mut bytes = carry.prefix(encoding);
        bytes.extend_from_slice(chunk);
        let (next, end) = match flags & STREAM {
            0 => (Carry::default(), bytes.len()),
            _ => partial::split(encoding, &bytes),
        };
        let text = match carry.placeholder_units() {
            0 => decode_all(scope, encoding, &bytes[..end], flags | KEEP_BOM),
            units => legacy::decode(encoding, &bytes[..end], flags & FATAL != 0)
                .ok_or(MALFORMED)
                .and_then(|text| two_byte(scope, &text[units..])),
        };
        text.map(|text| (text, next))
    });
    match decoded.unwrap_or(Err(NOT_A_BUFFER)) {
        Ok((text, next)) => {
            let next: Local<Value> = v8::Integer::new_from_unsigned(scope, next.to_bits()).into();
            rv.set(v8::Array::new_with_elements(scope, &[text.into(), next]).into());
        }
        Err(code) => rv.set_int32(code),
    }
}

fn decode_all<'s>(
    scope: &mut PinScope<'s, '_>,
    encoding: &'static Encoding,
    bytes: &[u8],
    flags: i32,
) -> Result<Local<'s, v8::String>, i32> {
    let fatal = flags & FATAL != 0;
    if encoding == UTF_8 {
        let bytes = match bytes {
            [0xEF, 0xBB, 0xBF, rest @ ..] if flags & KEEP_BOM == 0 => rest,
            _ => bytes,
        };
        if fatal && Encoding::utf8_valid_up_to(bytes) != bytes.len() {
            return Err(MALFORMED);
        }
        return v8::String::new_from_utf8(scope, bytes, v8::NewStringType::Normal).ok_or(TOO_LONG);
    }
    if encoding == UTF_16LE || encoding == UTF_16BE {
        let units = legacy::decode_utf16(encoding, bytes, fatal).ok_or(MALFORMED)?;
        return match units.as_slice() {
            [0xFEFF, rest @ ..] if flags & KEEP_BOM == 0 => two_byte(scope, rest),
            units => two_byte(scope, units),
        };
    }
    let units = legacy::decode(encoding, bytes, fatal).ok_or(MALFORMED)?;
    two_byte(scope, &units)
}

fn two_byte<'s>(scope: &mut PinScope<'s, '_>, units: &[u16]) -> Result<Local<'s, v8::String>, i32> {
    v8::String::new_from_two_byte(scope, units, v8::NewStringType::Normal).ok_or(TOO_LONG)
}

/// `base64Decode(text)`: the bytes as a string of code units up to 255, or null where `text` is not base64.
pub(crate) fn atob<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let decoded = one_byte_contents(scope, args.get(0)).and_then(|mut text| {
        let bytes = base64_simd::forgiving_decode_inplace(&mut text).ok()?;
        v8::String::new_from_one_byte(scope, bytes, v8::NewStringType::Normal)
    });
    match decoded {
        Some(decoded) => rv.set(decoded.into()),
        None => rv.set_null(),
    }
}

/// `base64Encode(text)`: base64 of a string of code units up to 255, or null where it has others.
pub(crate) fn btoa<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let encoded = one_byte_contents(scope, args.get(0)).and_then(|bytes| {
        let encoded = base64_simd::STANDARD.encode_type::<Vec<u8>>(&bytes);
        v8::String::new_from_one_byte(scope, &encoded, v8::NewStringType::Normal)
    });
    match encoded {
        Some(encoded) => rv.set(encoded.into()),
        None => rv.set_null(),
    }
}

fn one_byte_contents(scope: &PinScope, text: Local<Value>) -> Option<Vec<u8>> {
    let text = Local::<v8::String>::try_from(text).ok()?;
    if !text.contains_only_onebyte() {
        return None;
    }
    let mut bytes = vec![0; text.length()];
    text.write_one_byte_v2(scope, 0, &mut bytes, v8::WriteFlags::empty());
    Some(bytes)
}
