//! The startup snapshot that the build script made, and the native functions and sources it refers to.

use std::sync::OnceLock;

use v8::MapFnTo;

use super::families::FAMILIES;
use super::realm_state::RealmState;
use super::web::OPERATIONS;

static BLOB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/snapshot.bin"));

/// The snapshot's context data: the guest side's entry function.
pub(crate) const ENTRY: usize = 0;
/// The snapshot's context data: the function that makes a global at its first use.
pub(crate) const RESOLVE: usize = 1;

/// The snapshot that every isolate of this process starts from.
pub(crate) fn blob() -> v8::StartupData {
    v8::StartupData::from(BLOB)
}

struct Addresses(Vec<v8::ExternalReference>);
// SAFETY: the addresses are of functions, which live as long as the program.
unsafe impl Send for Addresses {}
// SAFETY: as above; nothing is ever written.
unsafe impl Sync for Addresses {}

/// The addresses behind the snapshot's positions, in the build script's order, ending with null.
pub(crate) fn external_references() -> &'static [v8::ExternalReference] {
    static REFERENCES: OnceLock<Addresses> = OnceLock::new();
    &REFERENCES
        .get_or_init(|| {
            let getter: v8::AccessorNameGetterCallback = lazy_global.map_fn_to();
            let getter = v8::ExternalReference {
                pointer: getter as *mut std::ffi::c_void,
            };
            let operations = OPERATIONS.iter().map(|operation| v8::ExternalReference {
                function: *operation,
            });
            let sources = FAMILIES.iter().map(|family| v8::ExternalReference {
                pointer: std::ptr::from_ref(&family.source).cast_mut().cast(),
            });
            let end = v8::ExternalReference {
                pointer: std::ptr::null_mut(),
            };
            Addresses(
                [getter]
                    .into_iter()
                    .chain(operations)
                    .chain(sources)
                    .chain([end])
                    .collect(),
            )
        })
        .0
}

/// Puts a global on a context that is made when it is first read.
pub(crate) fn set_lazy(
    scope: &mut v8::PinScope<'_, '_>,
    global: v8::Local<v8::Object>,
    name: v8::Local<v8::Name>,
) -> Option<()> {
    let data = v8::undefined(scope).into();
    let set = global.set_lazy_data_property_with_data(
        scope,
        name,
        lazy_global,
        data,
        v8::PropertyAttribute::DONT_ENUM,
        v8::SideEffectType::HasSideEffect,
        v8::SideEffectType::HasSideEffect,
    );
    set.filter(|set| *set).map(drop)
}

/// Makes a global when it is first read; V8 then replaces it by an ordinary data property.
fn lazy_global<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: v8::Local<'s, v8::Name>,
    _args: v8::PropertyCallbackArguments,
    mut value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let name = name.to_rust_string_lossy(scope);
    if let Some(made) = realm.resolve(scope, &name) {
        value.set(made);
    }
}
