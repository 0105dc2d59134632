//! The native side of the web APIs: one family a file; the guest side is beside it in `guest/`.
//! Operations run under the isolate's lock, inside a turn.

pub(crate) mod buffer_source;
pub(crate) mod clock;
pub(crate) mod crypto;
pub(crate) mod encoding;
pub(crate) mod fetch;
pub(crate) mod inspect;
pub(crate) mod reporting;
pub(crate) mod serve;
pub(crate) mod streams;
pub(crate) mod structured_clone;
pub(crate) mod throw;
pub(crate) mod timers;
pub(crate) mod url;

use v8::MapFnTo;

macro_rules! ops {
    ($($name:literal => $path:path,)*) => {
        /// The native operations, in the order in which the startup snapshot refers to them.
        pub(crate) static OPERATIONS: std::sync::LazyLock<Vec<v8::FunctionCallback>> =
            std::sync::LazyLock::new(|| vec![$($path.map_fn_to()),*]);
    };
}
include!("ops.in.rs");
