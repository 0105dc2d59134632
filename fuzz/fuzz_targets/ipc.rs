//! See `checks/ipc.rs`.

#![no_main]

#[path = "../checks/ipc.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
