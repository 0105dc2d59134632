//! The native side of the web APIs: one family a file; the guest side is beside it in `guest/`.
//! Operations run under the isolate's lock, inside a turn.

pub(crate) mod async_context;
pub(crate) mod buffer_source;
pub(crate) mod cache;
pub(crate) mod clock;
pub(crate) mod compression;
pub(crate) mod computing;
pub(crate) mod crypto;
pub(crate) mod encoding;
pub(crate) mod fetch;
mod held;
pub(crate) mod inspect;
pub(crate) mod json;
pub(crate) mod reporting;
pub(crate) mod serve;
mod short_clone;
pub(crate) mod streams;
pub(crate) mod structured_clone;
pub(crate) mod subtle;
mod subtle_arguments;
pub(crate) mod throw;
pub(crate) mod timers;
pub(crate) mod url;
pub(crate) mod url_pattern;
pub(crate) mod wasm;

use std::panic::{AssertUnwindSafe, catch_unwind};

use v8::MapFnTo;

use super::families;
use super::realm_state::RealmState;

macro_rules! ops {
    ($($name:literal => $path:path,)*) => {
        /// The native operations, in the order in which the startup snapshot refers to them.
        pub(crate) static OPERATIONS: std::sync::LazyLock<Vec<v8::FunctionCallback>> =
            std::sync::LazyLock::new(|| vec![$(
                {
                    fn operation<'s>(
                        scope: &mut v8::PinScope<'s, '_>,
                        args: v8::FunctionCallbackArguments<'s>,
                        value: v8::ReturnValue<'s>,
                    ) {
                        guarded(scope, args, value, $path);
                    }
                    operation.map_fn_to()
                }
            ),*]);
    };
}
include!("ops.in.rs");

/// Runs an operation so that a panic of ours ends the guest's turn and not the process: unwinding
/// into V8 would abort.
fn guarded<'s, 'i>(
    scope: &mut v8::PinScope<'s, 'i>,
    args: v8::FunctionCallbackArguments<'s>,
    value: v8::ReturnValue<'s>,
    operation: impl FnOnce(
        &mut v8::PinScope<'s, 'i>,
        v8::FunctionCallbackArguments<'s>,
        v8::ReturnValue<'s>,
    ),
) {
    let run = AssertUnwindSafe(|| operation(scope, args, value));
    if catch_unwind(run).is_err() {
        if let Some(realm) = RealmState::of(scope) {
            realm.panicked.set(true);
        }
        scope.terminate_execution();
    }
}
