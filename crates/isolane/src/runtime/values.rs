//! Native values as a guest's. Runs inside a turn.

use crate::limits::buffer;

use super::realm_state::RealmState;
use super::web::throw::throw_range_error;

type Scope<'a, 's, 'i> = &'a mut v8::PinScope<'s, 'i>;

/// An id or a count as a guest's number.
pub(crate) fn number<'s>(scope: Scope<'_, 's, '_>, value: u64) -> v8::Local<'s, v8::Value> {
    match i32::try_from(value) {
        Ok(small) => v8::Integer::new(scope, small).into(),
        Err(_) => v8::Number::new(scope, value as f64).into(),
    }
}

/// A guest's string; a text longer than V8 can hold becomes empty.
pub(crate) fn string<'s>(scope: Scope<'_, 's, '_>, text: &str) -> v8::Local<'s, v8::Value> {
    utf8(scope, text.as_bytes())
}

/// The same of UTF-8.
pub(crate) fn utf8<'s>(scope: Scope<'_, 's, '_>, text: &[u8]) -> v8::Local<'s, v8::Value> {
    let made = if text.is_ascii() {
        v8::String::new_from_one_byte(scope, text, v8::NewStringType::Normal)
    } else {
        v8::String::new_from_utf8(scope, text, v8::NewStringType::Normal)
    };
    made.unwrap_or_else(|| v8::String::empty(scope)).into()
}

/// Names and values in turn.
pub(crate) fn flat<'s>(
    scope: Scope<'_, 's, '_>,
    pairs: &[(String, String)],
) -> v8::Local<'s, v8::Value> {
    let mut values = Vec::with_capacity(pairs.len() * 2);
    for (name, value) in pairs {
        values.push(string(scope, name));
        values.push(string(scope, value));
    }
    v8::Array::new_with_elements(scope, &values).into()
}

/// Bytes as a guest's Uint8Array, counted like its own; throws a RangeError past the limit.
pub(crate) fn bytes_value<'s>(
    scope: Scope<'_, 's, '_>,
    realm: &RealmState,
    bytes: &[u8],
) -> Option<v8::Local<'s, v8::Value>> {
    let Some(buffer) = buffer::array_buffer(scope, &realm.guards.buffers, bytes) else {
        throw_range_error(scope, "Array buffer allocation failed");
        return None;
    };
    v8::Uint8Array::new(scope, buffer, 0, bytes.len()).map(Into::into)
}
