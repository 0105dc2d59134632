//! Where console messages and uncaught exceptions leave the guest.

use crate::request::LogLevel;
use crate::runtime::exception;
use crate::runtime::realm_state::RealmState;

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
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let text = exception::describe(scope, args.get(0)).into_report();
    realm.log(LogLevel::Error, format!("Uncaught {text}"));
}
