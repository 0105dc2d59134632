//! Owns how native operations throw into the guest. Runs on the thread that holds the isolate.

use crate::runtime::realm_state::RealmState;

/// Throws a `TypeError`.
pub(crate) fn throw_type_error(scope: &mut v8::PinScope<'_, '_>, message: &str) {
    let message = new_string(scope, message);
    let error = v8::Exception::type_error(scope, message);
    scope.throw_exception(error);
}

/// Throws a `RangeError`.
pub(crate) fn throw_range_error(scope: &mut v8::PinScope<'_, '_>, message: &str) {
    let message = new_string(scope, message);
    let error = v8::Exception::range_error(scope, message);
    scope.throw_exception(error);
}

/// Throws a `DOMException` with a name such as `"NotSupportedError"`.
///
/// Where making it throws (the guest is being terminated, its stack is full), that is what stays thrown.
pub(crate) fn throw_dom_exception(scope: &mut v8::PinScope<'_, '_>, name: &str, message: &str) {
    if let Some(error) = dom_exception(scope, name, message) {
        scope.throw_exception(error);
    }
}

/// Makes a `DOMException`; `None` where that threw.
pub(crate) fn dom_exception<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: &str,
    message: &str,
) -> Option<v8::Local<'s, v8::Value>> {
    let message = new_string(scope, message);
    let name = new_string(scope, name);
    let Some(class) = resolve_global(scope, "DOMException")? else {
        return Some(v8::Exception::error(scope, message));
    };
    let error = class.new_instance(scope, &[message.into(), name.into()])?;
    Some(error.into())
}

/// The runtime's own function of that global name: `Some(None)` where the context has no web APIs,
/// `None` where loading it threw.
pub(super) fn resolve_global<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: &str,
) -> Option<Option<v8::Local<'s, v8::Function>>> {
    let Some(realm) = RealmState::of(scope) else {
        return Some(None);
    };
    let found = realm.resolve(scope, name)?;
    Some(found.try_cast::<v8::Function>().ok())
}

fn new_string<'s>(scope: &mut v8::PinScope<'s, '_>, text: &str) -> v8::Local<'s, v8::String> {
    // Only texts past V8's longest string (half a gigabyte) fail; those of errors are short.
    v8::String::new(scope, text).unwrap_or_else(|| v8::String::empty(scope))
}
