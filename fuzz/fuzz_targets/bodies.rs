//! See `checks/bodies.rs`.

#![no_main]

#[path = "../checks/bodies.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
