//! Where console messages and uncaught exceptions leave the guest.

use crate::request::LogLevel;
use crate::runtime::exception;
use crate::runtime::realm_state::RealmState;
use crate::runtime::values;

/// `host.log(level, message)`.
pub(crate) fn log(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    _value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let level = LogLevel::from_code(args.get(0).uint32_value(scope).unwrap_or(1));
    let message = exception::text_of(scope, args.get(1));
    realm.log(level, message);
}

/// `host.reportException(error)`: an exception that no guest code caught.
pub(crate) fn report_exception(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    _value: v8::ReturnValue,
) {
    report(scope, args.get(0), "Uncaught");
}

/// `host.reportRejection(reason)`: a promise that was rejected and that no guest code handled.
pub(crate) fn report_rejection(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    _value: v8::ReturnValue,
) {
    report(scope, args.get(0), "Uncaught (in promise)");
}

fn report(scope: &mut v8::PinScope, thrown: v8::Local<v8::Value>, how: &str) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let text = exception::describe(scope, thrown).into_report();
    realm.log(LogLevel::Error, format!("{how} {text}"));
}

/// `host.describeException(error)`: `[message, filename, lineno, colno]` of a thrown value.
pub(crate) fn describe_exception(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    mut value: v8::ReturnValue,
) {
    let message = v8::Exception::create_message(scope, args.get(0));
    let filename = message
        .get_script_resource_name(scope)
        .map(|name| name.to_rust_string_lossy(scope))
        .unwrap_or_default();
    // What our own frames made has no place in the guest's code.
    let (filename, line, column) = if filename.is_empty() || filename.starts_with("isolane:") {
        (v8::String::empty(scope).into(), 0, 0)
    } else {
        let line = message.get_line_number(scope).unwrap_or(0);
        let column = message.get_start_column() + 1;
        (values::string(scope, &filename), line, column)
    };
    let parts = [
        message.get(scope).into(),
        filename,
        values::number(scope, line as u64),
        values::number(scope, column as u64),
    ];
    value.set(v8::Array::new_with_elements(scope, &parts).into());
}
