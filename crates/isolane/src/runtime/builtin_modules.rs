//! Modules that are the runtime's own, for what programs import by a name that they all know. Their
//! exports are made by the guest side. Runs under the isolate's lock, inside a turn.

use crate::error::Error;

use super::realm_state::RealmState;
use super::web::throw::throw_type_error;

/// The names of the modules, as the guest side lists them, with what each exports.
const MODULES: &[(&str, &[&str])] = &[(
    "node:async_hooks",
    &["AsyncLocalStorage", "AsyncResource", "default"],
)];

/// The module that a specifier means.
pub(super) fn named(specifier: &str) -> Option<&'static str> {
    let names = MODULES.iter().map(|(name, _)| *name);
    names
        .into_iter()
        .find(|name| *name == specifier || name.strip_prefix("node:") == Some(specifier))
}

/// Makes a module whose exports are read when it is evaluated.
pub(super) fn compile<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: &str,
) -> Result<v8::Local<'s, v8::Module>, Error> {
    let missing = || Error::internal("a module of the runtime's own is missing");
    let exports = exports_of(name).ok_or_else(missing)?;
    let exports: Option<Vec<_>> = exports
        .iter()
        .map(|export| v8::String::new(scope, export))
        .collect();
    let (Some(exports), Some(name)) = (exports, v8::String::new(scope, name)) else {
        return Err(missing());
    };
    Ok(v8::Module::create_synthetic_module(
        scope, name, &exports, evaluate,
    ))
}

fn exports_of(name: &str) -> Option<&'static [&'static str]> {
    let found = MODULES.iter().find(|(module, _)| *module == name);
    found.map(|(_, exports)| *exports)
}

fn evaluate<'s>(
    context: v8::Local<'s, v8::Context>,
    module: v8::Local<'s, v8::Module>,
) -> Option<v8::Local<'s, v8::Value>> {
    v8::callback_scope!(unsafe scope, context);
    if export_all(scope, module).is_none() {
        // V8 wants an exception where an evaluation has no result.
        throw_type_error(scope, "a module of the runtime's own could not be made");
        return None;
    }
    let resolver = v8::PromiseResolver::new(scope)?;
    let undefined = v8::undefined(scope).into();
    resolver.resolve(scope, undefined)?;
    Some(resolver.get_promise(scope).into())
}

/// Sets a module's exports to what the guest side has under their names.
fn export_all(scope: &mut v8::PinScope<'_, '_>, module: v8::Local<v8::Module>) -> Option<()> {
    let realm = RealmState::of(scope)?;
    let name = realm.modules.borrow().name_of(module)?;
    let namespace = realm.resolve(scope, &name)?;
    let namespace: v8::Local<v8::Object> = namespace.try_into().ok()?;
    for export in exports_of(&name)? {
        let key = v8::String::new(scope, export)?;
        let value = namespace.get(scope, key.into())?;
        module.set_synthetic_module_export(scope, key, value)?;
    }
    Some(())
}
