//! See `checks/destinations.rs`.

#![no_main]

#[path = "../checks/destinations.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
