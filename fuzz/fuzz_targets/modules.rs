//! See `checks/modules.rs`.

#![no_main]

#[path = "../checks/modules.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
