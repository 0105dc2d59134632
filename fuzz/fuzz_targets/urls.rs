//! See `checks/urls.rs`.

#![no_main]

#[path = "../checks/urls.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
