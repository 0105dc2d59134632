//! The asynchronous context: a value of the guest side's that V8 hands from a promise to its
//! reactions. Every entry into the guest begins without one, so that none gets into another request.

/// `host.asyncContext()`: the value of what runs.
pub(crate) fn current<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    _args: v8::FunctionCallbackArguments<'s>,
    mut value: v8::ReturnValue,
) {
    value.set(scope.get_continuation_preserved_embedder_data());
}

/// `host.setAsyncContext(value)`: the value of what runs next, and of the promises that it waits for.
pub(crate) fn set<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    args: v8::FunctionCallbackArguments<'s>,
    _value: v8::ReturnValue,
) {
    scope.set_continuation_preserved_embedder_data(args.get(0));
}

/// Takes the value away: what runs next belongs to something else.
pub(crate) fn clear(scope: &mut v8::PinScope<'_, '_>) {
    let undefined = v8::undefined(scope).into();
    scope.set_continuation_preserved_embedder_data(undefined);
}
