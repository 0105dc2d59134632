//! A worker's modules: compiles them (with a code cache), links them among themselves, and answers
//! static and dynamic imports. Runs under the isolate's lock, inside the turn that loads the worker.

use std::collections::HashMap;
use std::num::NonZeroI32;
use std::sync::Arc;

use crate::definition::WorkerDefinition;
use crate::error::{Error, ErrorKind};

use super::builtin_modules;
use super::code_cache::CodeToKeep;
use super::exception;
use super::module_kinds::{ModuleKind, compile, origin};
use super::realm_state::RealmState;
use super::web::throw::throw_type_error;

/// The modules of one realm.
pub(crate) struct ModuleMap {
    pub(super) definition: Arc<WorkerDefinition>,
    compiled: HashMap<String, v8::Global<v8::Module>>,
    names: HashMap<NonZeroI32, String>,
    /// What a synthetic module exports as its default.
    pub(super) defaults: HashMap<NonZeroI32, v8::Global<v8::Value>>,
    pub(super) code_to_keep: Vec<CodeToKeep>,
}

impl ModuleMap {
    pub(crate) fn new(definition: Arc<WorkerDefinition>) -> Self {
        Self {
            definition,
            compiled: HashMap::new(),
            names: HashMap::new(),
            defaults: HashMap::new(),
            code_to_keep: Vec::new(),
        }
    }

    /// The name under which a module was compiled.
    pub(super) fn name_of(&self, module: v8::Local<v8::Module>) -> Option<String> {
        self.names.get(&module.get_identity_hash()).cloned()
    }

    fn insert(&mut self, scope: &v8::PinScope<'_, '_>, name: &str, module: v8::Local<v8::Module>) {
        self.names
            .insert(module.get_identity_hash(), name.to_owned());
        self.compiled
            .insert(name.to_owned(), v8::Global::new(scope, module));
    }
}

/// Checks what can be checked about a definition without an isolate.
///
/// # Errors
///
/// `ERR_INVALID_ARG` where there is no module, or one whose extension says nothing.
pub(crate) fn validate(definition: &WorkerDefinition) -> Result<(), Error> {
    if definition.modules.is_empty() {
        return Err(Error::invalid_arg(
            "worker.modules",
            "at least one module",
            "none",
        ));
    }
    for (name, _) in &definition.modules {
        if name.is_empty() || ModuleKind::of(name).is_none() {
            return Err(Error::invalid_arg(
                "worker.modules",
                "names that end in .js, .mjs, .ts, .json, .txt or .wasm",
                format!("{name:?}"),
            ));
        }
    }
    Ok(())
}

/// What loading the entry gave.
pub(crate) struct Loaded<'s> {
    /// The promise of the evaluation, where top-level await may keep it pending.
    pub(crate) evaluation: Option<v8::Local<'s, v8::Promise>>,
    pub(crate) namespace: Option<v8::Local<'s, v8::Object>>,
}

/// Compiles, links and starts to evaluate the entry module.
///
/// # Errors
///
/// `ERR_WORKER_SYNTAX` where something does not compile or link, `ERR_WORKER_EXCEPTION` where a
/// classic script throws; a module's exception is in the promise.
pub(crate) fn load<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
) -> Result<Loaded<'s>, Error> {
    let definition = realm.modules.borrow().definition.clone();
    let Some((entry, source)) = definition.modules.first() else {
        return Err(Error::invalid_arg(
            "worker.modules",
            "at least one module",
            "none",
        ));
    };
    let is_javascript = ModuleKind::of(entry) == Some(ModuleKind::JavaScript);
    let script = is_javascript.then(|| String::from_utf8_lossy(source.as_bytes()));
    if let Some(text) = script.as_deref()
        && !has_words_of_a_module(text)
        && let Some(loaded) = run_classic(scope, entry, text)
    {
        return loaded;
    }
    let module = compile_graph(scope, realm, entry)?;
    link(scope, module)?;
    if let Some(text) = script.as_deref()
        && is_bare(scope, module)
        && has_words_of_a_module(text)
        && let Some(loaded) = run_classic(scope, entry, text)
    {
        return loaded;
    }
    v8::tc_scope!(let scope, scope);
    let evaluation = module.evaluate(scope);
    exception::keep_terminating(scope.has_terminated(), scope);
    let Some(evaluation) = evaluation else {
        let error = match scope.exception() {
            Some(thrown) => ErrorKind::WorkerException(exception::describe(scope, thrown)).into(),
            None => Error::internal("a module did not evaluate"),
        };
        return Err(error);
    };
    Ok(Loaded {
        evaluation: v8::Local::<v8::Promise>::try_from(evaluation).ok(),
        namespace: v8::Local::<v8::Object>::try_from(module.get_module_namespace()).ok(),
    })
}

const REHEARSED: &str = "export default { fetch: () => new Response('') }";

/// Loads a worker that nobody has made, so that the first real one finds V8 prepared; gives its namespace.
pub(crate) fn rehearse<'s>(scope: &mut v8::PinScope<'s, '_>) -> Option<v8::Local<'s, v8::Object>> {
    let origin = origin(scope, "rehearsal.js", true)?;
    let code = v8::String::new(scope, REHEARSED)?;
    let mut source = v8::script_compiler::Source::new(code, Some(&origin));
    // Not from the cache of code: what is seen for the first time is compiled.
    let module = v8::script_compiler::compile_module(scope, &mut source)?;
    link(scope, module).ok()?;
    module.evaluate(scope)?;
    module.get_module_namespace().try_cast().ok()
}

/// Whether the text may import or export something. One without these words need not be compiled as a module to
/// tell that it is none.
fn has_words_of_a_module(text: &str) -> bool {
    text.contains("export") || text.contains("import")
}

/// Whether the module has neither imports nor exports: it may be a classic script.
fn is_bare(scope: &mut v8::PinScope<'_, '_>, module: v8::Local<v8::Module>) -> bool {
    if !module.is_source_text_module() || module.get_module_requests().length() > 0 {
        return false;
    }
    let Ok(namespace) = v8::Local::<v8::Object>::try_from(module.get_module_namespace()) else {
        return false;
    };
    // Most have this one, and to ask for it takes less than to list all.
    let default = v8::String::new(scope, "default");
    if default.is_some_and(|name| namespace.has(scope, name.into()) == Some(true)) {
        return false;
    }
    // All properties: to ask which are enumerable would read exports before they have values.
    let names = v8::GetPropertyNamesArgsBuilder::new()
        .property_filter(v8::PropertyFilter::ALL_PROPERTIES | v8::PropertyFilter::SKIP_SYMBOLS)
        .build();
    let names = namespace.get_own_property_names(scope, names);
    names.is_some_and(|names| names.length() == 0)
}

/// Runs a script that registers its handlers with `addEventListener`; `None` where it is only valid
/// as a module (top-level await).
fn run_classic<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: &str,
    text: &str,
) -> Option<Result<Loaded<'s>, Error>> {
    v8::tc_scope!(let scope, scope);
    let source = v8::String::new(scope, text)?;
    let origin = origin(scope, name, false)?;
    let script = v8::Script::compile(scope, source, Some(&origin))?;
    let value = script.run(scope);
    exception::keep_terminating(scope.has_terminated(), scope);
    if value.is_none() {
        let error = match scope.exception() {
            Some(thrown) if !scope.has_terminated() => {
                ErrorKind::WorkerException(exception::describe(scope, thrown)).into()
            }
            _ => Error::internal("a script was terminated"),
        };
        return Some(Err(error));
    }
    Some(Ok(Loaded {
        evaluation: None,
        namespace: None,
    }))
}

/// Compiles a module and all that it imports.
fn compile_graph<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    entry: &str,
) -> Result<v8::Local<'s, v8::Module>, Error> {
    let mut waiting = vec![entry.to_owned()];
    while let Some(name) = waiting.pop() {
        if realm.modules.borrow().compiled.contains_key(&name) {
            continue;
        }
        let module = compile(scope, realm, &name)?;
        realm.modules.borrow_mut().insert(scope, &name, module);
        let requests = module.get_module_requests();
        for index in 0..requests.length() {
            let request = requests.get(scope, index);
            let Some(request) =
                request.and_then(|data| v8::Local::<v8::ModuleRequest>::try_from(data).ok())
            else {
                continue;
            };
            let specifier = request.get_specifier().to_rust_string_lossy(scope);
            let found = find(&realm.modules.borrow().definition, &name, &specifier);
            let Some(found) = found else {
                let at = module.source_offset_to_location(request.get_source_offset());
                return Err(ErrorKind::WorkerSyntax(format!(
                    "{name}:{}:{}: there is no module {specifier:?}",
                    at.get_line_number() + 1,
                    at.get_column_number() + 1,
                ))
                .into());
            };
            waiting.push(found);
        }
    }
    let modules = realm.modules.borrow();
    match modules.compiled.get(entry) {
        Some(module) => Ok(v8::Local::new(scope, module)),
        None => Err(Error::internal("a compiled module is missing")),
    }
}

fn link(scope: &mut v8::PinScope<'_, '_>, module: v8::Local<v8::Module>) -> Result<(), Error> {
    v8::tc_scope!(let scope, scope);
    if module.instantiate_module(scope, resolve_static).is_some() {
        return Ok(());
    }
    let (thrown, message) = (scope.exception(), scope.message());
    Err(ErrorKind::WorkerSyntax(exception::syntax_error(scope, thrown, message)).into())
}

fn resolve_static<'s>(
    context: v8::Local<'s, v8::Context>,
    specifier: v8::Local<'s, v8::String>,
    _attributes: v8::Local<'s, v8::FixedArray>,
    referrer: v8::Local<'s, v8::Module>,
) -> Option<v8::Local<'s, v8::Module>> {
    v8::callback_scope!(unsafe scope, context);
    let realm = RealmState::of(scope)?;
    let specifier = specifier.to_rust_string_lossy(scope);
    let modules = realm.modules.borrow();
    let from = modules
        .names
        .get(&referrer.get_identity_hash())
        .cloned()
        .unwrap_or_default();
    let found = find(&modules.definition, &from, &specifier)
        .and_then(|name| modules.compiled.get(&name))
        .map(|module| v8::Local::new(scope, module));
    if found.is_none() {
        throw_type_error(scope, &format!("there is no module '{specifier}'"));
    }
    found
}

/// The name of the module that `specifier` means in the module `from`.
pub(crate) fn find(definition: &WorkerDefinition, from: &str, specifier: &str) -> Option<String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let relative = specifier.starts_with("./") || specifier.starts_with("../");
    let path = if relative {
        format!("{folder}/{specifier}")
    } else {
        specifier.to_owned()
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let wanted = parts.join("/");
    let same = |name: &str| name.trim_start_matches("./").trim_start_matches('/') == wanted;
    definition
        .modules
        .iter()
        .map(|(name, _)| name)
        .find(|name| same(name))
        .cloned()
        .or_else(|| builtin_modules::named(specifier).map(str::to_owned))
}

/// Gives `import.meta` its `url`.
pub(crate) extern "C" fn initialize_import_meta(
    context: v8::Local<v8::Context>,
    module: v8::Local<v8::Module>,
    meta: v8::Local<v8::Object>,
) {
    v8::callback_scope!(unsafe scope, context);
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let name = realm
        .modules
        .borrow()
        .names
        .get(&module.get_identity_hash())
        .cloned();
    let url = format!("worker:///{}", name.unwrap_or_default());
    if let (Some(key), Some(url)) = (v8::String::new(scope, "url"), v8::String::new(scope, &url)) {
        meta.create_data_property(scope, key.into(), url.into());
    }
}

/// Answers `import()` among the worker's own modules.
pub(crate) fn import_dynamically<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    _host_defined_options: v8::Local<'s, v8::Data>,
    referrer: v8::Local<'s, v8::Value>,
    specifier: v8::Local<'s, v8::String>,
    _attributes: v8::Local<'s, v8::FixedArray>,
) -> Option<v8::Local<'s, v8::Promise>> {
    let resolver = v8::PromiseResolver::new(scope)?;
    let promise = resolver.get_promise(scope);
    let from = referrer.to_rust_string_lossy(scope);
    let specifier = specifier.to_rust_string_lossy(scope);
    let module = RealmState::of(scope)
        .ok_or_else(String::new)
        .and_then(|realm| {
            let found = find(&realm.modules.borrow().definition, &from, &specifier)
                .ok_or_else(|| format!("there is no module '{specifier}'"))?;
            let module = compile_graph(scope, realm, &found).map_err(|error| error.to_string())?;
            link(scope, module).map_err(|error| error.to_string())?;
            Ok(module)
        });
    match module {
        Ok(module) => {
            let evaluation = module.evaluate(scope)?;
            let evaluation = v8::Local::<v8::Promise>::try_from(evaluation).ok()?;
            let namespace = module.get_module_namespace();
            let answer = v8::Function::builder(answer_import)
                .data(namespace)
                .build(scope)?;
            evaluation.then(scope, answer)
        }
        Err(message) => {
            let message = v8::String::new(scope, &message)?;
            let error = v8::Exception::type_error(scope, message);
            resolver.reject(scope, error)?;
            Some(promise)
        }
    }
}

/// The last step of `import()`: the namespace of the module that has been evaluated.
fn answer_import(
    _scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    mut value: v8::ReturnValue,
) {
    value.set(args.data());
}
