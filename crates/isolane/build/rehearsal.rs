//! Finds out what the snapshot should hold: runs `rehearsal.js` on the guest side, in contexts that are
//! thrown away.

use crate::snapshot::{self, Source, function, property, string};

/// What a warmed-up context has run: typical requests, on a host whose operations do nothing.
const REHEARSAL: &str = include_str!("rehearsal.js");

/// What is known of the families.
pub(crate) struct Plan {
    pub(crate) globals: Vec<Global>,
    /// The families that typical requests make. Only these are in the snapshot: every isolate pays for
    /// its size, and every context for each definition.
    pub(crate) made: Vec<String>,
}

/// A global, and the family that makes it.
pub(crate) struct Global {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) family: String,
}

/// Rehearses with all families in an isolate that is thrown away, and then makes every other family too:
/// a mistake is to end the build.
pub(crate) fn plan(sources: &'static [Source]) -> Plan {
    let mut isolate = v8::Isolate::new(v8::CreateParams::default());
    v8::scope!(let scope, &mut isolate);
    let scripts = snapshot::compile(scope, sources.iter());
    let context = v8::Context::new(scope, v8::ContextOptions::default());
    let scope = &mut v8::ContextScope::new(scope, context);
    let stage = Stage::new(scope, &scripts[0]);
    let notes = stage.call(scope, "notes", &[]);
    let recorder = stage.call(scope, "recorder", &[stage.define, notes]);
    snapshot::define_families(scope, &scripts[1..], recorder);
    stage.call(scope, "rehearse", &[stage.booted.into()]);
    let notes: v8::Local<v8::Object> = notes.try_into().expect("an object");
    let made = list(scope, notes, "made")
        .into_iter()
        .map(|name| name.to_rust_string_lossy(scope))
        .collect();
    stage.call(scope, "checkAll", &[stage.booted.into(), notes.into()]);
    let globals = list(scope, notes, "globals");
    let globals = globals.into_iter().map(|global| {
        let parts: v8::Local<v8::Array> = global.try_into().expect("an array");
        let part = |index| {
            let part = parts.get_index(scope, index).expect("a part");
            part.to_rust_string_lossy(scope)
        };
        Global {
            name: part(0),
            kind: part(1),
            family: part(2),
        }
    });
    Plan {
        globals: globals.collect(),
        made,
    }
}

/// Makes the families that most workers use and runs typical requests: their bytecode goes into the
/// snapshot. What is rare is compiled at its first use.
pub(crate) fn warm_up<'s>(
    scope: &mut v8::PinScope<'s, '_, ()>,
    scripts: &[v8::Local<'s, v8::UnboundScript>],
) {
    let context = v8::Context::new(scope, v8::ContextOptions::default());
    let scope = &mut v8::ContextScope::new(scope, context);
    let stage = Stage::new(scope, &scripts[0]);
    snapshot::define_families(scope, &scripts[1..], stage.define);
    stage.call(scope, "rehearse", &[stage.booted.into()]);
}

/// A context in which `boot` has run on a host that does nothing.
struct Stage<'s> {
    parts: v8::Local<'s, v8::Object>,
    booted: v8::Local<'s, v8::Object>,
    define: v8::Local<'s, v8::Value>,
}

impl<'s> Stage<'s> {
    fn new(scope: &mut v8::PinScope<'s, '_>, boot: &v8::Local<'s, v8::UnboundScript>) -> Self {
        let code = string(scope, REHEARSAL);
        let parts = v8::Script::compile(scope, code, None).and_then(|script| script.run(scope));
        let parts: v8::Local<v8::Object> = parts
            .and_then(|value| value.try_into().ok())
            .expect("an object expression");
        let idle_host = property(scope, parts, "idleHost");
        let (booted, define) = snapshot::start(scope, boot, idle_host);
        snapshot::ready(scope, booted);
        Self {
            parts,
            booted,
            define,
        }
    }

    /// Calls one of the rehearsal's parts.
    fn call(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        part: &str,
        arguments: &[v8::Local<'s, v8::Value>],
    ) -> v8::Local<'s, v8::Value> {
        let part = function(property(scope, self.parts, part));
        v8::tc_scope!(let scope, scope);
        let Some(value) = part.call(scope, self.parts.into(), arguments) else {
            let stack = scope.stack_trace().or(scope.exception());
            panic!(
                "the rehearsal threw: {}",
                stack
                    .map(|value| value.to_rust_string_lossy(scope))
                    .unwrap_or_default()
            );
        };
        scope.perform_microtask_checkpoint();
        value
    }
}

fn list<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
) -> Vec<v8::Local<'s, v8::Value>> {
    let list: v8::Local<v8::Array> = property(scope, object, name).try_into().expect("an array");
    (0..list.length())
        .map(|index| list.get_index(scope, index).expect("an element"))
        .collect()
}
