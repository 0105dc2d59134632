//! Owns the native side of WebAssembly's guards: which modules V8 may see, and how large memories
//! and resizable buffers may be. The guest side puts them before the natives.

use std::borrow::Cow;
use std::sync::Arc;

use crate::limits::wasm;
use crate::runtime::realm_state::RealmState;
use crate::runtime::snapshot;
use crate::runtime::values;

use super::buffer_source::with_bytes;

/// `host.wasmAdmit(bytes)`: `undefined` where V8 may see the module, other bytes that it is to see
/// in its place, or a string that says why it may not; `null` where `bytes` are none.
pub(crate) fn admit<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    args: v8::FunctionCallbackArguments<'s>,
    mut value: v8::ReturnValue<'s>,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let admitted = with_bytes(args.get(0), |bytes| {
        admit_for(realm, bytes).map(|module| match module {
            Cow::Borrowed(_) => None,
            Cow::Owned(module) => Some(module),
        })
    });
    match admitted {
        None => value.set_null(),
        Some(Ok(None)) => {}
        Some(Ok(Some(module))) => {
            if let Some(module) = values::bytes_value(scope, realm, &module) {
                value.set(module);
            }
        }
        Some(Err(why)) => value.set(values::string(scope, why)),
    }
}

/// What V8 may see of a module, in this realm.
pub(crate) fn admit_for<'b>(
    realm: &RealmState,
    module: &'b [u8],
) -> Result<Cow<'b, [u8]>, &'static str> {
    let max_pages = wasm::max_pages(realm.guards.buffers.limit());
    // The address names the worker as long as it lives, in all of its isolates.
    let worker = Arc::as_ptr(&realm.modules.borrow().definition).addr();
    wasm::admit(module, max_pages, worker)
}

/// `host.nativeWebAssembly()`: the namespace that V8 made with the context.
pub(crate) fn native_namespace<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    _args: v8::FunctionCallbackArguments<'s>,
    mut value: v8::ReturnValue<'s>,
) {
    let key = native_key(scope);
    let global = scope.get_current_context().global(scope);
    if let Some(native) = global.get_private(scope, key) {
        value.set(native);
    }
}

/// Puts the guards, which are made at the first use, before the namespace of a new context.
pub(crate) fn install(scope: &mut v8::PinScope<'_, '_>) -> Option<()> {
    let global = scope.get_current_context().global(scope);
    let name = v8::String::new(scope, "WebAssembly")?;
    let native = global.get(scope, name.into())?;
    let key = native_key(scope);
    global.set_private(scope, key, native)?;
    snapshot::set_lazy(scope, global, name.into())
}

fn native_key<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Private> {
    let name = v8::String::new(scope, "isolane.WebAssembly");
    v8::Private::for_api(scope, name)
}

/// `host.bufferLimit()`: how many bytes of buffers there may be.
pub(crate) fn buffer_limit(
    scope: &mut v8::PinScope,
    _args: v8::FunctionCallbackArguments,
    mut value: v8::ReturnValue,
) {
    if let Some(realm) = RealmState::of(scope) {
        value.set_double(realm.guards.buffers.limit() as f64);
    }
}
