//! The kinds of modules and how each is compiled: JavaScript through the code cache, TypeScript with
//! its types erased, and JSON, text and WebAssembly as synthetic modules with a default export.

use crate::definition::ModuleSource;
use crate::error::{Error, ErrorKind};
use crate::typescript;

use super::builtin_modules;
use super::code_cache;
use super::exception;
use super::realm_state::RealmState;
use super::web::{json, wasm};

/// What a module is, by its name's extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModuleKind {
    JavaScript,
    TypeScript,
    Json,
    Text,
    Wasm,
}

impl ModuleKind {
    /// The kind that a name's extension says; `None` for one that says nothing.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let file = name.rsplit('/').next().unwrap_or(name);
        match file.rsplit_once('.').map(|(_, extension)| extension) {
            None | Some("js" | "mjs") => Some(Self::JavaScript),
            Some("ts") => Some(Self::TypeScript),
            Some("json") => Some(Self::Json),
            Some("txt") => Some(Self::Text),
            Some("wasm") => Some(Self::Wasm),
            Some(_) => None,
        }
    }
}

/// Compiles one module, whatever it is; its imports are not looked at.
pub(super) fn compile<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    name: &str,
) -> Result<v8::Local<'s, v8::Module>, Error> {
    let definition = realm.modules.borrow().definition.clone();
    let source = definition.modules.iter().find(|(module, _)| module == name);
    let Some((_, source)) = source else {
        return builtin_modules::compile(scope, name);
    };
    match ModuleKind::of(name) {
        Some(ModuleKind::JavaScript) | None => {
            compile_javascript(scope, realm, name, &text(name, source)?)
        }
        Some(ModuleKind::TypeScript) => {
            let erased = typescript::erase_types(&text(name, source)?, name)
                .map_err(|message| Error::new(ErrorKind::WorkerSyntax(message)))?;
            compile_javascript(scope, realm, name, &erased)
        }
        Some(ModuleKind::Json) => {
            let text = text(name, source)?;
            let value = synthetic_value(scope, name, |scope| {
                let text = v8::String::new(scope, &text)?;
                json::parse(scope, realm, text)
            })?;
            synthetic(scope, realm, name, value)
        }
        Some(ModuleKind::Text) => {
            let text = text(name, source)?;
            let value = synthetic_value(scope, name, |scope| {
                v8::String::new(scope, &text).map(Into::into)
            })?;
            synthetic(scope, realm, name, value)
        }
        Some(ModuleKind::Wasm) => {
            let admitted = wasm::admit_for(realm, source.as_bytes())
                .map_err(|why| Error::new(ErrorKind::WorkerSyntax(format!("{name}: {why}"))))?;
            let value = synthetic_value(scope, name, |scope| {
                v8::WasmModuleObject::compile(scope, &admitted).map(Into::into)
            })?;
            synthetic(scope, realm, name, value)
        }
    }
}

fn text(name: &str, source: &ModuleSource) -> Result<String, Error> {
    match source {
        ModuleSource::Text(text) => Ok(text.clone()),
        ModuleSource::Bytes(bytes) => String::from_utf8(bytes.to_vec())
            .map_err(|_| ErrorKind::WorkerSyntax(format!("{name}: not valid UTF-8")).into()),
    }
}

fn compile_javascript<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    name: &str,
    text: &str,
) -> Result<v8::Local<'s, v8::Module>, Error> {
    v8::tc_scope!(let scope, scope);
    let compiled = origin(scope, name, true)
        .and_then(|origin| code_cache::compile_module(scope, &origin, text));
    match compiled {
        Some((module, to_keep)) => {
            realm.modules.borrow_mut().code_to_keep.extend(to_keep);
            Ok(module)
        }
        None => {
            let (thrown, message) = (scope.exception(), scope.message());
            Err(ErrorKind::WorkerSyntax(exception::syntax_error(scope, thrown, message)).into())
        }
    }
}

/// What V8 says of where a script is from.
pub(super) fn origin<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: &str,
    is_module: bool,
) -> Option<v8::ScriptOrigin<'s>> {
    let name = v8::String::new(scope, name)?.into();
    Some(v8::ScriptOrigin::new(
        scope, name, 0, 0, false, -1, None, false, false, is_module, None,
    ))
}

/// Makes the value that a synthetic module exports.
fn synthetic_value<'s, 'i>(
    scope: &mut v8::PinScope<'s, 'i>,
    name: &str,
    make: impl FnOnce(&mut v8::PinScope<'s, 'i>) -> Option<v8::Local<'s, v8::Value>>,
) -> Result<v8::Local<'s, v8::Value>, Error> {
    v8::tc_scope!(let scope, scope);
    match make(scope) {
        Some(value) => Ok(value),
        None => {
            let thrown = scope.exception();
            let what = exception::syntax_error(scope, thrown, None);
            Err(ErrorKind::WorkerSyntax(format!("{name}: {what}")).into())
        }
    }
}

fn synthetic<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    name: &str,
    value: v8::Local<'s, v8::Value>,
) -> Result<v8::Local<'s, v8::Module>, Error> {
    let (Some(module_name), Some(export)) = (
        v8::String::new(scope, name),
        v8::String::new(scope, "default"),
    ) else {
        return Err(Error::internal("a module's name is too long"));
    };
    let module =
        v8::Module::create_synthetic_module(scope, module_name, &[export], evaluate_synthetic);
    let value = v8::Global::new(scope, value);
    realm
        .modules
        .borrow_mut()
        .defaults
        .insert(module.get_identity_hash(), value);
    Ok(module)
}

fn evaluate_synthetic<'s>(
    context: v8::Local<'s, v8::Context>,
    module: v8::Local<'s, v8::Module>,
) -> Option<v8::Local<'s, v8::Value>> {
    v8::callback_scope!(unsafe scope, context);
    let realm = RealmState::of(scope)?;
    let value = realm
        .modules
        .borrow()
        .defaults
        .get(&module.get_identity_hash())
        .cloned()?;
    let export = v8::String::new(scope, "default")?;
    let value = v8::Local::new(scope, value);
    module.set_synthetic_module_export(scope, export, value)?;
    let resolver = v8::PromiseResolver::new(scope)?;
    let undefined = v8::undefined(scope).into();
    resolver.resolve(scope, undefined)?;
    Some(resolver.get_promise(scope).into())
}
