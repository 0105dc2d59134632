//! Builds the startup snapshot: a context in which every web API is defined, none is made.

use std::borrow::Cow;
use std::ffi::c_void;

use v8::MapFnTo;

use crate::guest::GuestSource;
use crate::v8_flags::V8_FLAGS;

/// The names of the native operations, in the order of their external references.
macro_rules! ops {
    ($($name:literal => $path:path,)*) => { const OP_NAMES: &[&str] = &[$($name),*]; };
}
include!("../src/runtime/web/ops.in.rs");

/// A guest file's name, and its code as V8 reads it: where it is.
struct Source {
    name: String,
    code: v8::OneByteConst,
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

/// Stands where the library's getter will be at run time.
fn lazy_global(
    _scope: &mut v8::PinScope,
    _name: v8::Local<v8::Name>,
    _args: v8::PropertyCallbackArguments,
    _value: v8::ReturnValue,
) {
    panic!("a global was touched while the snapshot was made");
}

pub(crate) fn create(sources: Vec<GuestSource>) -> v8::StartupData {
    let material = Material::new(sources);
    v8::V8::set_flags_from_string(V8_FLAGS);
    let platform = v8::new_unprotected_default_platform(1, false).make_shared();
    v8::V8::initialize_platform(platform);
    v8::V8::initialize();

    check(&material.sources);
    let references = Cow::Borrowed(&material.references[..]);
    let mut isolate = v8::Isolate::snapshot_creator(Some(references), None);
    {
        v8::scope!(let scope, &mut isolate);
        let scripts = compile(scope, &material.sources);
        warm_up(scope, &scripts);
        let context = v8::Context::new(scope, v8::ContextOptions::default());
        {
            let scope = &mut v8::ContextScope::new(scope, context);
            let booted = boot(scope, &scripts, &material.references);
            install_globals(scope, context, booted);
            for (index, name) in ["entry", "resolve"].into_iter().enumerate() {
                let function = property(scope, booted, name);
                assert_eq!(scope.add_context_data(context, function), index);
            }
        }
        scope.set_default_context(context);
    }
    isolate
        .create_blob(v8::FunctionCodeHandling::Keep)
        .expect("a snapshot")
}

/// Compiles every guest file once, so that all contexts share the functions and their bytecode.
fn compile<'s>(
    scope: &mut v8::PinScope<'s, '_, ()>,
    sources: &'static [Source],
) -> Vec<v8::Local<'s, v8::UnboundScript>> {
    let context = v8::Context::new(scope, v8::ContextOptions::default());
    let scope = &mut v8::ContextScope::new(scope, context);
    sources
        .iter()
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

/// What a warmed-up context has run: typical requests, on a host whose operations do nothing.
const REHEARSAL: &str = include_str!("rehearsal.js");

/// Makes every family in an isolate that is thrown away: a mistake is to end the build.
fn check(sources: &'static [Source]) {
    let mut isolate = v8::Isolate::new(v8::CreateParams::default());
    v8::scope!(let scope, &mut isolate);
    let scripts = compile(scope, sources);
    rehearse(scope, &scripts, "checkAll");
}

/// Makes the families that most workers use and runs typical requests, in a context that is thrown
/// away: their bytecode goes into the snapshot. What is rare is compiled at its first use, because
/// every isolate pays for the size of the snapshot.
fn warm_up<'s>(scope: &mut v8::PinScope<'s, '_, ()>, scripts: &[v8::Local<'s, v8::UnboundScript>]) {
    rehearse(scope, scripts, "rehearse");
}

fn rehearse<'s>(
    scope: &mut v8::PinScope<'s, '_, ()>,
    scripts: &[v8::Local<'s, v8::UnboundScript>],
    part: &str,
) {
    let context = v8::Context::new(scope, v8::ContextOptions::default());
    let scope = &mut v8::ContextScope::new(scope, context);
    let code = string(scope, REHEARSAL);
    let parts = v8::Script::compile(scope, code, None).and_then(|script| script.run(scope));
    let parts: v8::Local<v8::Object> = parts
        .and_then(|value| value.try_into().ok())
        .expect("an object expression");
    let idle_host = property(scope, parts, "idleHost");
    let booted = boot_with(scope, scripts, idle_host);
    let part: v8::Local<v8::Function> =
        property(scope, parts, part).try_into().expect("a function");
    v8::tc_scope!(let scope, scope);
    let undefined = v8::undefined(scope).into();
    if part.call(scope, undefined, &[booted.into()]).is_none() {
        let stack = scope.stack_trace().or(scope.exception());
        panic!(
            "the rehearsal threw: {}",
            stack
                .map(|value| value.to_rust_string_lossy(scope))
                .unwrap_or_default()
        );
    }
    scope.perform_microtask_checkpoint();
}

/// Boots a context on the native functions, and makes the families that every request needs.
fn boot<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    scripts: &[v8::Local<'s, v8::UnboundScript>],
    references: &[v8::ExternalReference],
) -> v8::Local<'s, v8::Object> {
    let host = v8::Object::new(scope);
    for (index, name) in OP_NAMES.iter().enumerate() {
        // Position 0 belongs to the lazy globals' getter.
        // SAFETY: all members of the union have one size, and the address is never called here.
        let callback = unsafe { references[index + 1].function };
        let function = v8::Function::builder_raw(callback)
            .constructor_behavior(v8::ConstructorBehavior::Throw)
            .build(scope)
            .expect("a function");
        let key = string(scope, name);
        host.set(scope, key.into(), function.into())
            .expect("a plain object");
    }
    let booted = boot_with(scope, scripts, host.into());
    let load: v8::Local<v8::Function> = property(scope, booted, "load")
        .try_into()
        .expect("a function");
    let undefined = v8::undefined(scope).into();
    for name in [
        "native_guards",
        "array_buffer",
        "callbacks",
        "serve",
        "global_scope",
    ] {
        let name = string(scope, name).into();
        load.call(scope, undefined, &[name])
            .expect("a factory does not throw");
    }
    booted
}

/// Runs `boot` and hands it a host and the definitions of every family.
fn boot_with<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    scripts: &[v8::Local<'s, v8::UnboundScript>],
    host: v8::Local<'s, v8::Value>,
) -> v8::Local<'s, v8::Object> {
    let undefined = v8::undefined(scope).into();
    let mut wrappers = scripts.iter().map(|script| {
        let value = script
            .bind_to_current_context(scope)
            .run(scope)
            .expect("a function expression");
        v8::Local::<v8::Function>::try_from(value).expect("a function")
    });
    let boot = wrappers.next().expect("boot is first");
    let wrappers: Vec<_> = wrappers.collect();
    let booted = v8::Object::new(scope);
    boot.call(scope, undefined, &[booted.into()])
        .expect("boot does not throw");
    let start: v8::Local<v8::Function> = property(scope, booted, "start")
        .try_into()
        .expect("a function");
    let define = start
        .call(scope, undefined, &[host])
        .expect("start does not throw");
    for wrapper in wrappers {
        wrapper
            .call(scope, undefined, &[define])
            .expect("a definition does not throw");
    }
    booted
}

/// Puts every global on the global object as a lazy data property: guests see an ordinary data
/// property, and the family behind it is made when one is first read.
fn install_globals(
    scope: &mut v8::PinScope<'_, '_>,
    context: v8::Local<v8::Context>,
    booted: v8::Local<v8::Object>,
) {
    let global = context.global(scope);
    let list: v8::Local<v8::Array> = property(scope, booted, "globals")
        .try_into()
        .expect("an array");
    for index in 0..list.length() {
        let pair: v8::Local<v8::Array> = list
            .get_index(scope, index)
            .and_then(|pair| pair.try_into().ok())
            .expect("a pair");
        let name: v8::Local<v8::Name> = pair
            .get_index(scope, 0)
            .and_then(|name| name.try_into().ok())
            .expect("a name");
        let kind = pair
            .get_index(scope, 1)
            .expect("a kind")
            .to_rust_string_lossy(scope);
        if kind == "native" || kind == "module" {
            continue;
        }
        let attributes = match kind.as_str() {
            "function" => v8::PropertyAttribute::NONE,
            _ => v8::PropertyAttribute::DONT_ENUM,
        };
        global.delete(scope, name.into());
        set_lazy(scope, global, name, attributes);
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

fn property<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<v8::Object>,
    name: &str,
) -> v8::Local<'s, v8::Value> {
    let key = string(scope, name);
    object.get(scope, key.into()).expect("a plain object")
}

fn string<'s>(scope: &mut v8::PinScope<'s, '_>, text: &str) -> v8::Local<'s, v8::String> {
    v8::String::new(scope, text).expect("a short string")
}

fn origin<'s>(scope: &mut v8::PinScope<'s, '_>, name: &str) -> v8::ScriptOrigin<'s> {
    let name = string(scope, name).into();
    v8::ScriptOrigin::new(
        scope, name, 0, 0, false, -1, None, false, false, false, None,
    )
}
