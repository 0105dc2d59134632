//! See `checks/streams.rs`.

#![no_main]

#[path = "../checks/streams.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
