//! Builds the startup snapshot: a context in which every web API has its place, and none is made but
//! what every request needs.

use std::borrow::Cow;
use std::ffi::c_void;

use v8::MapFnTo;

use crate::guest::GuestSource;
use crate::rehearsal::{self, Global, Plan};
use crate::v8_flags::V8_FLAGS;

/// The names of the native operations, in the order of their external references.
macro_rules! ops {
    ($($name:literal => $path:path,)*) => { const OP_NAMES: &[&str] = &[$($name),*]; };
}
include!("../src/runtime/web/ops.in.rs");

/// A guest file's name, and its code as V8 reads it: where it is.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) code: v8::OneByteConst,
}

/// What the snapshot is made from, for as long as this process lives.
struct Material {
    sources: Vec<Source>,
    references: Vec<v8::ExternalReference>,
}

impl Material {
    fn new(sources: Vec<GuestSource>) -> &'static Self {
        let sources = sources.into_iter().map(|source| Source {
            name: source.name,
            code: v8::String::create_external_onebyte_const(source.code.leak().as_bytes()),
        });
        let material: &'static mut Self = Box::leak(Box::new(Self {
            sources: sources.collect(),
            references: Vec::new(),
        }));
        material.references = external_references(&material.sources);
        material
    }
}

/// Where guests' native functions and sources will be at run time; a snapshot stores their positions.
/// The functions only need addresses that differ, since nothing calls them while the snapshot is made.
fn external_references(sources: &[Source]) -> Vec<v8::ExternalReference> {
    static SLOTS: [u64; 512] = [0; 512];
    assert!(OP_NAMES.len() < SLOTS.len(), "more operations than slots");
    let getter: v8::AccessorNameGetterCallback = lazy_global.map_fn_to();
    let getter = getter as *mut c_void;
    let operations = SLOTS[..OP_NAMES.len()].iter();
    let operations = operations.map(|slot| std::ptr::from_ref(slot).cast_mut().cast());
    let sources = sources
        .iter()
        .map(|source| std::ptr::from_ref(&source.code).cast_mut().cast());
    let pointers = std::iter::once(getter).chain(operations).chain(sources);
    pointers
        .map(|pointer| v8::ExternalReference { pointer })
        .collect()
}

/// V8 marks functions that Sparkplug has compiled, and has it compile them at their first call in every isolate that
/// begins with the snapshot: on other threads, for a tenth of the isolate's start, and an idle one keeps 70 KiB of it.
const FLAGS_OF_REHEARSALS: &str = "--no-sparkplug";

/// Stands where the library's getter will be at run time.
fn lazy_global(
    _scope: &mut v8::PinScope,
    _name: v8::Local<v8::Name>,
    _args: v8::PropertyCallbackArguments,
    _value: v8::ReturnValue,
) {
    panic!("a global was touched while the snapshot was made");
}

/// The snapshot, and what it was made by.
pub(crate) fn create(sources: Vec<GuestSource>) -> (v8::StartupData, Plan) {
    let material = Material::new(sources);
    v8::V8::set_flags_from_string(V8_FLAGS);
    v8::V8::set_flags_from_string(FLAGS_OF_REHEARSALS);
    let platform = v8::new_unprotected_default_platform(1, false).make_shared();
    v8::V8::initialize_platform(platform);
    v8::V8::initialize();

    let plan = rehearsal::plan(&material.sources);
    let references = Cow::Borrowed(&material.references[..]);
    let mut isolate = v8::Isolate::snapshot_creator(Some(references), None);
    {
        v8::scope!(let scope, &mut isolate);
        let is_used = |source: &&Source| source.name == "boot" || plan.made.contains(&source.name);
        let scripts = compile(scope, material.sources.iter().filter(is_used));
        rehearsal::warm_up(scope, &scripts);
        let context = v8::Context::new(scope, v8::ContextOptions::default());
        {
            let scope = &mut v8::ContextScope::new(scope, context);
            let booted = boot(scope, &scripts, &material.references);
            install_globals(scope, context, &plan.globals);
            for (index, name) in ["entry", "resolve"].into_iter().enumerate() {
                let function = property(scope, booted, name);
                assert_eq!(scope.add_context_data(context, function), index);
            }
        }
        scope.set_default_context(context);
    }
    let blob = isolate
        .create_blob(v8::FunctionCodeHandling::Keep)
        .expect("a snapshot");
    (blob, plan)
}

/// Compiles guest files once, so that all contexts share the functions and their bytecode.
pub(crate) fn compile<'s>(
    scope: &mut v8::PinScope<'s, '_, ()>,
    sources: impl Iterator<Item = &'static Source>,
) -> Vec<v8::Local<'s, v8::UnboundScript>> {
    let context = v8::Context::new(scope, v8::ContextOptions::default());
    let scope = &mut v8::ContextScope::new(scope, context);
    sources
        .map(|source| {
            let code = v8::String::new_from_onebyte_const(scope, &source.code).expect("a string");
            let origin = origin(scope, &format!("isolane:{}", source.name));
            let mut source_text = v8::script_compiler::Source::new(code, Some(&origin));
            v8::script_compiler::compile_unbound_script(
                scope,
                &mut source_text,
                v8::script_compiler::CompileOptions::NoCompileOptions,
                v8::script_compiler::NoCacheReason::NoReason,
            )
            .unwrap_or_else(|| panic!("{} does not compile", source.name))
        })
        .collect()
}

/// Boots a context on the native functions, and makes the families that every request needs.
fn boot<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    scripts: &[v8::Local<'s, v8::UnboundScript>],
    references: &[v8::ExternalReference],
) -> v8::Local<'s, v8::Object> {
    let (mut names, mut functions) = (Vec::new(), Vec::<v8::Local<v8::Value>>::new());
    for (index, name) in OP_NAMES.iter().enumerate() {
        // Position 0 belongs to the lazy globals' getter.
        // SAFETY: all members of the union have one size, and the address is never called here.
        let callback = unsafe { references[index + 1].function };
        let function = v8::Function::builder_raw(callback)
            .constructor_behavior(v8::ConstructorBehavior::Throw)
            .build(scope)
            .expect("a function");
        names.push(string(scope, name).into());
        functions.push(function.into());
    }
    // Made at once it has one table of properties; one after the other each leaves a map behind, which
    // every context would have.
    let null = v8::null(scope).into();
    let host = v8::Object::with_prototype_and_properties(scope, null, &names, &functions);
    let (booted, define) = start(scope, &scripts[0], host.into());
    define_families(scope, &scripts[1..], define);
    let resolve: v8::Local<v8::Function> = function(property(scope, booted, "resolve"));
    let undefined = v8::undefined(scope).into();
    let none = string(scope, "").into();
    for name in [
        "native_guards",
        "array_buffer",
        "callbacks",
        "serve",
        "global_scope",
    ] {
        let name = string(scope, name).into();
        resolve
            .call(scope, undefined, &[name, none])
            .expect("a factory does not throw");
    }
    ready(scope, booted);
    booted
}

/// Runs `boot` on a host; gives its object, and `define`.
pub(crate) fn start<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    boot: &v8::Local<'s, v8::UnboundScript>,
    host: v8::Local<'s, v8::Value>,
) -> (v8::Local<'s, v8::Object>, v8::Local<'s, v8::Value>) {
    let undefined = v8::undefined(scope).into();
    let booted = v8::Object::new(scope);
    wrapper(scope, boot)
        .call(scope, undefined, &[booted.into()])
        .expect("boot does not throw");
    let start = function(property(scope, booted, "start"));
    let define = start
        .call(scope, undefined, &[host])
        .expect("start does not throw");
    (booted, define)
}

/// What is made from now on is made because somebody uses it.
pub(crate) fn ready<'s>(scope: &mut v8::PinScope<'s, '_>, booted: v8::Local<'s, v8::Object>) {
    let undefined = v8::undefined(scope).into();
    function(property(scope, booted, "ready"))
        .call(scope, undefined, &[])
        .expect("it does not throw");
}

/// Hands `define` to families' files.
pub(crate) fn define_families<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    scripts: &[v8::Local<'s, v8::UnboundScript>],
    define: v8::Local<'s, v8::Value>,
) {
    let undefined = v8::undefined(scope).into();
    for script in scripts {
        wrapper(scope, script)
            .call(scope, undefined, &[define])
            .expect("a definition does not throw");
    }
}

/// The function that a guest file is.
fn wrapper<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    script: &v8::Local<'s, v8::UnboundScript>,
) -> v8::Local<'s, v8::Function> {
    let value = script.bind_to_current_context(scope).run(scope);
    function(value.expect("a function expression"))
}

/// Puts every global on the global object as a lazy data property: guests see an ordinary data
/// property, and the family behind it is made when one is first read.
fn install_globals(
    scope: &mut v8::PinScope<'_, '_>,
    context: v8::Local<v8::Context>,
    globals: &[Global],
) {
    let target = context.global(scope);
    for global in globals {
        let attributes = match global.kind.as_str() {
            // What V8 makes with every context, and what only modules export.
            "native" | "module" => continue,
            "function" => v8::PropertyAttribute::NONE,
            _ => v8::PropertyAttribute::DONT_ENUM,
        };
        let name = string(scope, &global.name);
        target.delete(scope, name.into());
        set_lazy(scope, target, name.into(), attributes);
    }
}

fn set_lazy(
    scope: &mut v8::PinScope<'_, '_>,
    global: v8::Local<v8::Object>,
    name: v8::Local<v8::Name>,
    attributes: v8::PropertyAttribute,
) {
    let data = v8::undefined(scope).into();
    global
        .set_lazy_data_property_with_data(
            scope,
            name,
            lazy_global,
            data,
            attributes,
            v8::SideEffectType::HasSideEffect,
            v8::SideEffectType::HasSideEffect,
        )
        .expect("an extensible global");
}

pub(crate) fn function<'s>(value: v8::Local<'s, v8::Value>) -> v8::Local<'s, v8::Function> {
    value.try_into().expect("a function")
}

pub(crate) fn property<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<v8::Object>,
    name: &str,
) -> v8::Local<'s, v8::Value> {
    let key = string(scope, name);
    object.get(scope, key.into()).expect("a plain object")
}

pub(crate) fn string<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    text: &str,
) -> v8::Local<'s, v8::String> {
    v8::String::new(scope, text).expect("a short string")
}

fn origin<'s>(scope: &mut v8::PinScope<'s, '_>, name: &str) -> v8::ScriptOrigin<'s> {
    let name = string(scope, name).into();
    v8::ScriptOrigin::new(
        scope, name, 0, 0, false, -1, None, false, false, false, None,
    )
}
