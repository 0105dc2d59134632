//! Owns a quick way through V8's structured clone wire format for primitive values: the arguments and results
//! of most host functions. What else there is goes through V8's serializer (structured_clone.rs). Runs on the
//! thread that holds the isolate.

/// What announces the format's version, and a version that all of V8 that Node 20 and later have reads.
const HEADER: [u8; 2] = [0xff, 15];

/// More arguments, or longer ones, are for V8's serializer.
const MOST_ARGUMENTS: u32 = 16;
const LONGEST_STRING: usize = 1024;

/// Serializes the arguments of a call, an array that no guest code has seen; `None` where one of them is not
/// a short primitive value.
pub(crate) fn write_arguments(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::Local<'_, v8::Value>,
) -> Option<Vec<u8>> {
    let arguments = v8::Local::<v8::Array>::try_from(arguments).ok()?;
    let count = arguments.length();
    if count > MOST_ARGUMENTS {
        return None;
    }
    let mut bytes = Vec::with_capacity(64);
    bytes.extend(HEADER);
    bytes.push(b'A');
    write_unsigned(&mut bytes, count);
    for index in 0..count {
        let argument = arguments.get_index(scope, index)?;
        write_primitive(scope, &mut bytes, argument)?;
    }
    // No properties beside the elements.
    bytes.extend([b'$', 0]);
    write_unsigned(&mut bytes, count);
    Some(bytes)
}

fn write_primitive(
    scope: &mut v8::PinScope<'_, '_>,
    bytes: &mut Vec<u8>,
    value: v8::Local<'_, v8::Value>,
) -> Option<()> {
    if let Ok(text) = v8::Local::<v8::String>::try_from(value) {
        if !text.is_onebyte() || text.length() > LONGEST_STRING {
            return None;
        }
        bytes.push(b'"');
        write_unsigned(bytes, u32::try_from(text.length()).ok()?);
        let begin = bytes.len();
        bytes.resize(begin + text.length(), 0);
        text.write_one_byte_v2(scope, 0, &mut bytes[begin..], v8::WriteFlags::empty());
    } else if value.is_int32() {
        let value = value.int32_value(scope)?;
        bytes.push(b'I');
        write_unsigned(bytes, ((value << 1) ^ (value >> 31)).cast_unsigned());
    } else if value.is_number() {
        bytes.push(b'N');
        bytes.extend(value.number_value(scope)?.to_le_bytes());
    } else if value.is_null() {
        bytes.push(b'0');
    } else if value.is_undefined() {
        bytes.push(b'_');
    } else if value.is_boolean() {
        bytes.push(if value.is_true() { b'T' } else { b'F' });
    } else {
        return None;
    }
    Some(())
}

/// The value in a serialized form; `None` where it is not a primitive one, or cannot be read.
pub(crate) fn read<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    bytes: &[u8],
) -> Option<v8::Local<'s, v8::Value>> {
    let [0xff, version, tag, content @ ..] = bytes else {
        return None;
    };
    // Before it there were no strings of a byte a character.
    if *version < 13 {
        return None;
    }
    match (tag, content) {
        (b'"', content) => {
            let (length, text) = read_unsigned(content)?;
            let text = (text.len() == usize::try_from(length).ok()?).then_some(text)?;
            v8::String::new_from_one_byte(scope, text, v8::NewStringType::Normal).map(Into::into)
        }
        (b'I', content) => {
            let (folded, rest) = read_unsigned(content)?;
            let value = (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed();
            rest.is_empty()
                .then(|| v8::Integer::new(scope, value).into())
        }
        (b'N', content) => {
            let value = f64::from_le_bytes(content.try_into().ok()?);
            Some(v8::Number::new(scope, value).into())
        }
        (b'_', []) => Some(v8::undefined(scope).into()),
        (b'0', []) => Some(v8::null(scope).into()),
        (b'T', []) => Some(v8::Boolean::new(scope, true).into()),
        (b'F', []) => Some(v8::Boolean::new(scope, false).into()),
        _ => None,
    }
}

/// Seven bits a byte, the lowest first.
fn write_unsigned(bytes: &mut Vec<u8>, mut value: u32) {
    while value > 0x7f {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn read_unsigned(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0_u32;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f).checked_shl(7 * index as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}
