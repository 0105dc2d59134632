//! The guest side's families of web APIs: their sources, which globals they make, and the code of those
//! that are not in the startup snapshot, compiled when a context first asks for one. Runs on the thread
//! that has the isolate entered, inside a turn.

use std::sync::OnceLock;

use v8::script_compiler::{self, CachedData, CompileOptions, NoCacheReason, Source};

/// A file of the guest side.
pub(super) struct Family {
    name: &'static str,
    pub(super) source: v8::OneByteConst,
    /// What V8 compiled of it where a family was first made, for all isolates.
    code: OnceLock<Box<[u8]>>,
}

impl Family {
    const fn new(name: &'static str, source: &'static [u8]) -> Self {
        Self {
            name,
            source: v8::String::create_external_onebyte_const(source),
            code: OnceLock::new(),
        }
    }

    fn named(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.name == name)
    }

    fn compile<'s>(
        &'static self,
        scope: &mut v8::PinScope<'s, '_>,
    ) -> Option<v8::Local<'s, v8::UnboundScript>> {
        let text = v8::String::new_from_onebyte_const(scope, &self.source)?;
        let name = v8::String::new(scope, &format!("isolane:{}", self.name))?.into();
        let origin = v8::ScriptOrigin::new(
            scope, name, 0, 0, false, -1, None, false, false, false, None,
        );
        let (mut source, options) = match self.code.get() {
            Some(code) => {
                let code = CachedData::new(code);
                let source = Source::new_with_cached_data(text, Some(&origin), code);
                (source, CompileOptions::ConsumeCodeCache)
            }
            None => (
                Source::new(text, Some(&origin)),
                CompileOptions::NoCompileOptions,
            ),
        };
        script_compiler::compile_unbound_script(
            scope,
            &mut source,
            options,
            NoCacheReason::NoReason,
        )
    }
}

// All files, `boot` first; the startup snapshot refers to their sources in this order.
include!(concat!(env!("OUT_DIR"), "/guest_families.rs"));

/// The globals by name, in order, with the families that make them.
static GLOBALS: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/guest_globals.rs"));

/// The family that makes a global, or what modules import by that name.
pub(crate) fn family_of(global: &str) -> Option<&'static str> {
    let at = GLOBALS.binary_search_by_key(&global, |(name, _)| name);
    at.ok().map(|at| GLOBALS[at].1)
}

/// `host.familyLoad(name)`: the function of `define` that a family's file is.
pub(crate) fn load<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    args: v8::FunctionCallbackArguments<'s>,
    mut value: v8::ReturnValue<'s>,
) {
    let name = args.get(0).to_rust_string_lossy(scope);
    // Where this has no value V8 has thrown: the turn is to end, or there is no memory.
    if let Some(family) = Family::named(&name)
        && let Some(script) = family.compile(scope)
        && let Some(wrapper) = script.bind_to_current_context(scope).run(scope)
    {
        value.set(wrapper);
    }
}

/// `host.familyKeep(name)`: a family was made here, with all that this compiled of it.
pub(crate) fn keep<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    args: v8::FunctionCallbackArguments<'s>,
    _value: v8::ReturnValue<'s>,
) {
    let name = args.get(0).to_rust_string_lossy(scope);
    let Some(family) = Family::named(&name).filter(|family| family.code.get().is_none()) else {
        return;
    };
    // The isolate has compiled it a moment ago, and finds it again.
    if let Some(code) = family
        .compile(scope)
        .and_then(|script| script.create_code_cache())
    {
        // Where another thread was quicker, its code is as good.
        let _ = family.code.set(Box::from(&code[..]));
    }
}
