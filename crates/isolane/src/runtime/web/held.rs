//! Bytes of the guest's that the host takes along when an operation goes on after its turn: they are
//! copied once, and counted as the guest's own for as long as the host holds them.

use bytes::Bytes;

use crate::runtime::realm_state::RealmState;

use super::throw::throw_range_error;

/// What became of a value's bytes.
pub(super) enum Held {
    /// It has none.
    Nothing,
    Bytes(Bytes),
    /// There is no room for them; the guest has been thrown a RangeError.
    Refused,
}

/// Takes the bytes of a string (as UTF-8) or of a view.
pub(super) fn held(
    scope: &mut v8::PinScope<'_, '_>,
    realm: &RealmState,
    value: v8::Local<v8::Value>,
) -> Held {
    let budget = &realm.guards.buffers;
    let held = if let Ok(text) = v8::Local::<v8::String>::try_from(value) {
        let length = text.utf8_length(scope);
        budget.make_room(scope, length);
        budget.hold(length, || text.to_rust_string_lossy(scope).into_bytes())
    } else if let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(value) {
        budget.make_room(scope, view.byte_length());
        budget.hold(view.byte_length(), || {
            let mut bytes = vec![0; view.byte_length()];
            let copied = view.copy_contents(&mut bytes);
            bytes.truncate(copied);
            bytes
        })
    } else {
        return Held::Nothing;
    };
    held.map_or_else(|| refuse(scope), Held::Bytes)
}

/// Takes bytes that were made of the guest's.
pub(super) fn take(scope: &mut v8::PinScope<'_, '_>, realm: &RealmState, bytes: Vec<u8>) -> Held {
    let budget = &realm.guards.buffers;
    budget.make_room(scope, bytes.len());
    let held = budget.hold(bytes.len(), || bytes);
    held.map_or_else(|| refuse(scope), Held::Bytes)
}

fn refuse(scope: &mut v8::PinScope<'_, '_>) -> Held {
    throw_range_error(scope, "Array buffer allocation failed");
    Held::Refused
}
