//! The guest side's families of web APIs: their sources, which globals they make, and the code of those
//! that are not in the startup snapshot, compiled when a context first asks for one.
//!
//! What V8 has compiled of those is kept for all isolates of the process, with the functions that the first contexts
//! have called: to compile these takes most of the time of their first use. Runs on the thread that has the isolate
//! entered.

use std::sync::Arc;

use parking_lot::Mutex;
use v8::script_compiler::{self, CachedData, CompileOptions, NoCacheReason, Source};

use super::realm_state::RealmState;

/// How often what contexts have called of a family is written down: more of them call little else.
const LOOKS: u8 = 8;

/// A file of the guest side.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) source: v8::OneByteConst,
    code: Mutex<KeptCode>,
}

struct KeptCode {
    code: Option<Arc<[u8]>>,
    looks_left: u8,
}

impl Family {
    const fn new(name: &'static str, source: &'static [u8]) -> Self {
        Self {
            name,
            source: v8::String::create_external_onebyte_const(source),
            code: Mutex::new(KeptCode {
                code: None,
                looks_left: LOOKS,
            }),
        }
    }

    fn named(name: &str) -> Option<&'static Self> {
        place_of(name).map(|at| &FAMILIES[at])
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
        // The guard is gone before V8 runs.
        let code = self.code.lock().code.clone();
        let (mut source, options) = match &code {
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

/// The place among all families of the one with that name.
pub(super) fn place_of(name: &str) -> Option<usize> {
    FAMILIES.iter().position(|family| family.name == name)
}

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
    let Some(family) = Family::named(&name) else {
        return;
    };
    if let Some(script) = family.compile(scope)
        && let Some(wrapper) = script.bind_to_current_context(scope).run(scope)
    {
        value.set(wrapper);
        if family.code.lock().looks_left > 0
            && let Some(realm) = RealmState::of(scope)
        {
            let script = v8::Global::new(scope, script);
            let family = FamilyToKeep { family, script };
            realm.families_to_keep.borrow_mut().push(family);
        }
    }
}

/// `host.familyUsed(name)`: the context uses a family for the first time.
pub(crate) fn used<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    args: v8::FunctionCallbackArguments<'s>,
    _value: v8::ReturnValue<'s>,
) {
    let name = args.get(0).to_rust_string_lossy(scope);
    if let (Some(at), Some(realm)) = (place_of(&name), RealmState::of(scope)) {
        realm.families_used.set(realm.families_used.get().with(at));
    }
}

/// A family that a context has compiled, whose code is to be kept.
pub(crate) struct FamilyToKeep {
    family: &'static Family,
    script: v8::Global<v8::UnboundScript>,
}

impl FamilyToKeep {
    /// Writes down what V8 has compiled of the family until now, where that is more than what is kept.
    pub(super) fn keep(&self, scope: &v8::PinScope<'_, '_, ()>) {
        let Some(looks_left) = self.family.code.lock().looks_left.checked_sub(1) else {
            return;
        };
        let script = v8::Local::new(scope, &self.script);
        let written = script.create_code_cache();
        let mut kept = self.family.code.lock();
        kept.looks_left = looks_left.min(kept.looks_left);
        let length = kept.code.as_ref().map_or(0, |code| code.len());
        if let Some(written) = written.filter(|written| written.len() > length) {
            kept.code = Some(Arc::from(&written[..]));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::{RunOptions, Runtime, RuntimeOptions, platform};

    fn kept(family: &str) -> usize {
        let family = Family::named(family).expect("a family");
        family
            .code
            .lock()
            .code
            .as_ref()
            .map_or(0, |code| code.len())
    }

    /// Evaluates in a new isolate, which goes then.
    fn run(source: &'static str) {
        let run = move || {
            let mut runtime = Runtime::new(RuntimeOptions::default()).expect("a runtime");
            block_on(runtime.evaluate(source, None, RunOptions::default())).expect("a value");
        };
        let thread = platform::spawn("test", run).expect("a thread");
        thread.join().expect("it does not panic");
    }

    #[test]
    fn what_contexts_have_called_is_kept_for_others() {
        run("new URLPattern().pathname");
        let made = kept("url_pattern");
        assert!(made > 0);
        run("new URLPattern({ pathname: '/:a' }).exec('http://x/y').pathname.input");
        let called = kept("url_pattern");
        assert!(called > made, "{called} bytes after {made}");
        run("new URLPattern().pathname");
        assert_eq!(kept("url_pattern"), called);
    }
}
