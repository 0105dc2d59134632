//! The decoders of what guests deploy and pass, and of what a hostile child process may send, for the
//! fuzz targets and the replay of their corpora. Nothing else calls these. None needs an isolate.

use std::borrow::Cow;

use crate::definition::WorkerDefinition;
use crate::limits::wasm;
use crate::runtime::module_kinds::ModuleKind;
use crate::runtime::modules;
use crate::runtime::web::url::engine::{self, Parsed, Part};
use crate::typescript;

#[cfg(unix)]
pub use crate::process::decode_from_child;

/// Replaces the types in TypeScript by white space.
///
/// # Errors
/// What is wrong with the module.
pub fn erase_types(source: &str) -> Result<String, String> {
    typescript::erase_types(source, "fuzz.ts")
}

/// Tells whether a module of that name is of a kind that is known.
pub fn has_kind(name: &str) -> bool {
    ModuleKind::of(name).is_some()
}

/// Finds the module that a specifier means in another.
pub fn resolve(worker: &WorkerDefinition, from: &str, specifier: &str) -> Option<String> {
    modules::find(worker, from, specifier)
}

/// Gives a WebAssembly module as V8 may see it.
///
/// # Errors
/// Why V8 may not see it.
pub fn admit_wasm(module: &[u8], max_pages: usize) -> Result<Cow<'_, [u8]>, &'static str> {
    wasm::admit(module, max_pages, 1)
}

/// Parses a URL as guests do: the URL and the offsets of its components.
pub fn parse_url(input: &str, base: Option<&str>) -> Option<(String, Vec<u32>)> {
    engine::parse(input, base).map(parts)
}

/// Sets a part of a URL as guests do.
pub fn set_url(url: &str, part: i32, value: &str) -> Option<(String, Vec<u32>)> {
    engine::set(url, Part::from_code(part)?, value).map(parts)
}

fn parts(parsed: Parsed) -> (String, Vec<u32>) {
    (parsed.href, parsed.offsets.to_vec())
}
