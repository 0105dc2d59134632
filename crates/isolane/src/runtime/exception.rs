//! Turns what guests throw into text, and collects rejections that nobody handles.
//!
//! Reading a thrown value runs guest code (getters, `toString`), so all of this happens inside the
//! turn that is charged for it.

use crate::error::GuestException;

use super::realm_state::RealmState;

/// The most text that one thrown value may become.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// Describes a thrown value without throwing.
pub(crate) fn describe(
    scope: &mut v8::PinScope<'_, '_>,
    thrown: v8::Local<v8::Value>,
) -> GuestException {
    v8::tc_scope!(let scope, scope);
    let Ok(object) = v8::Local::<v8::Object>::try_from(thrown) else {
        return GuestException {
            name: "Error".to_owned(),
            message: primitive(scope, thrown),
            stack: String::new(),
        };
    };
    let name = property(scope, object, "name").filter(|name| !name.is_empty());
    let message = property(scope, object, "message");
    let stack = property(scope, object, "stack").unwrap_or_default();
    GuestException {
        name: name.unwrap_or_else(|| "Error".to_owned()),
        message: message.unwrap_or_else(|| primitive(scope, thrown)),
        stack: without_own_frames(&stack),
    }
}

/// Asks again for a termination that a scope has `caught`.
///
/// V8 forgets one that is caught outside of all JavaScript. Whatever the guest runs next in the turn
/// would then run without end, since a turn is terminated once.
pub(crate) fn keep_terminating(caught: bool, isolate: &v8::Isolate) {
    if caught {
        isolate.terminate_execution();
    }
}

fn property(
    scope: &mut v8::PinScope<'_, '_>,
    object: v8::Local<v8::Object>,
    name: &str,
) -> Option<String> {
    v8::tc_scope!(let scope, scope);
    let key = v8::String::new(scope, name)?;
    let value = object.get(scope, key.into());
    keep_terminating(scope.has_terminated(), scope);
    let value = value?;
    value.is_string().then(|| text_of(scope, value))
}

/// The beginning of a string, as much of it as is worth keeping.
pub(crate) fn text_of(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<v8::Value>) -> String {
    let Ok(text) = v8::Local::<v8::String>::try_from(value) else {
        return String::new();
    };
    let mut bytes = vec![0; text.length().saturating_mul(3).min(MAX_TEXT_BYTES)];
    let flags = v8::WriteFlags::kReplaceInvalidUtf8;
    let written = text.write_utf8_v2(scope, &mut bytes, flags, None);
    bytes.truncate(written);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn primitive(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<v8::Value>) -> String {
    v8::tc_scope!(let scope, scope);
    let text = value.to_detail_string(scope);
    keep_terminating(scope.has_terminated(), scope);
    text.map_or_else(String::new, |text| text_of(scope, text.into()))
}

/// The frames of the runtime's own guest side say nothing to the worker's author.
fn without_own_frames(stack: &str) -> String {
    let own = |line: &&str| !(line.trim_start().starts_with("at ") && line.contains("isolane:"));
    stack.lines().filter(own).collect::<Vec<_>>().join("\n")
}

/// Notes a promise that was rejected without a handler, or that got one later.
pub(crate) unsafe extern "C" fn on_promise_reject(message: v8::PromiseRejectMessage) {
    v8::callback_scope!(unsafe scope, &message);
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let promise = v8::Global::new(scope, message.get_promise());
    match message.get_event() {
        v8::PromiseRejectEvent::PromiseRejectWithNoHandler => {
            if let Some(reason) = message.get_value() {
                let reason = v8::Global::new(scope, reason);
                realm.unhandled.borrow_mut().push((promise, reason));
            }
        }
        v8::PromiseRejectEvent::PromiseHandlerAddedAfterReject => {
            let mut unhandled = realm.unhandled.borrow_mut();
            let before = unhandled.len();
            unhandled.retain(|(rejected, _)| *rejected != promise);
            if unhandled.len() == before && realm.has_reported.get() {
                realm.handled_late.borrow_mut().push(promise);
            }
        }
        _ => {}
    }
}

/// The compile error of a module as `name:line:column: SyntaxError: …`.
pub(crate) fn syntax_error(
    scope: &mut v8::PinScope<'_, '_>,
    thrown: Option<v8::Local<v8::Value>>,
    message: Option<v8::Local<v8::Message>>,
) -> String {
    let what = match thrown {
        Some(thrown) => {
            let guest = describe(scope, thrown);
            format!("{}: {}", guest.name, guest.message)
        }
        None => "SyntaxError".to_owned(),
    };
    let Some(message) = message else { return what };
    let file = message
        .get_script_resource_name(scope)
        .map(|name| name.to_rust_string_lossy(scope))
        .unwrap_or_default();
    let line = message.get_line_number(scope).unwrap_or(0);
    let column = message.get_start_column() + 1;
    if file.is_empty() {
        what
    } else {
        format!("{file}:{line}:{column}: {what}")
    }
}
