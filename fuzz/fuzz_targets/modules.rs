//! See `checks/modules.rs`. Only here, because the library does without a validator: a WebAssembly
//! module that was valid is still valid as V8 sees it.
//!
//! The TypeScript parser panics now and then, on a thread of its own, of which the library makes an
//! error; libFuzzer would end the process.

#![no_main]

#[path = "../checks/modules.rs"]
mod check;

use isolane::fuzz_support::admit_wasm;
use wasmparser::{Validator, WasmFeatures};

fn forgive_the_parser() {
    let fatal = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some("isolane-strip") {
            fatal(panic);
        }
    }));
}

libfuzzer_sys::fuzz_target!(init: forgive_the_parser(), |data: &[u8]| {
    check::check(data);
    if let Some((2, module)) = data.split_first()
        && let Ok(admitted) = admit_wasm(module, check::MAX_PAGES)
        && is_valid(module)
    {
        assert!(is_valid(&admitted), "the module was broken");
    }
});

fn is_valid(module: &[u8]) -> bool {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    validator.validate_all(module).is_ok()
}
