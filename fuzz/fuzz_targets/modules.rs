//! See `checks/modules.rs`. Only here, because the library does without a validator: a WebAssembly
//! module that was valid is still valid as V8 sees it.

#![no_main]

#[path = "../checks/modules.rs"]
mod check;

use isolane::fuzz_support::admit_wasm;
use wasmparser::{Validator, WasmFeatures};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
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
