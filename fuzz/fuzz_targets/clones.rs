//! See `checks/clones.rs`.

#![no_main]

#[path = "../checks/clones.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
