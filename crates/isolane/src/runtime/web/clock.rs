//! What time it is, no finer than guests may know: 100 µs, so that timing attacks stay blunt.

use crate::runtime::realm_state::RealmState;

const RESOLUTION_MS: f64 = 0.1;

/// `host.now()`: milliseconds since the context was made.
pub(crate) fn now(
    scope: &mut v8::PinScope,
    _args: v8::FunctionCallbackArguments,
    mut value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let elapsed_ms = realm.origin.elapsed().as_secs_f64() * 1e3;
    value.set_double((elapsed_ms / RESOLUTION_MS).floor() * RESOLUTION_MS);
}

/// `host.timeOrigin()`: when the context was made, in milliseconds since the Unix epoch.
pub(crate) fn time_origin(
    scope: &mut v8::PinScope,
    _args: v8::FunctionCallbackArguments,
    mut value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    value.set_double((realm.origin_unix_ms / RESOLUTION_MS).floor() * RESOLUTION_MS);
}
