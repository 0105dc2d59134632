//! What a deployment consists of: TypeScript, module names and specifiers, WebAssembly, by the first
//! byte.

use isolane::fuzz_support::{admit_wasm, erase_types, has_kind, resolve};
use isolane::{ModuleSource, WorkerDefinition};
use wasmparser::{Parser, Payload};

pub(crate) const MAX_PAGES: usize = 256;

pub(crate) fn check(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind % 3 {
        0 => check_typescript(&String::from_utf8_lossy(rest)),
        1 => check_names(&String::from_utf8_lossy(rest)),
        _ => check_wasm(rest),
    }
}

/// What remains of a module is where it was.
fn check_typescript(source: &str) {
    let Ok(erased) = erase_types(source) else {
        return;
    };
    // The mark in front of a text is no part of it, and is dropped.
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let lines = |text: &str| text.split(['\n', '\u{2028}', '\u{2029}']).count();
    assert_eq!(lines(&erased), lines(source));
    assert_eq!(
        erased.encode_utf16().count(),
        source.encode_utf16().count(),
        "columns moved"
    );
}

/// Lines: the referrer, the specifier, and then the names of modules.
fn check_names(text: &str) {
    let mut lines = text.lines();
    let (Some(from), Some(specifier)) = (lines.next(), lines.next()) else {
        return;
    };
    let mut worker = WorkerDefinition::script("");
    worker.modules = lines
        .map(|name| (name.to_owned(), ModuleSource::Text(String::new())))
        .collect();
    if let Some(found) = resolve(&worker, from, specifier) {
        assert!(worker.modules.iter().any(|(name, _)| *name == found));
    }
    for (name, _) in &worker.modules {
        let _ = has_kind(name);
    }
}

/// What V8 may see has bounded memories.
fn check_wasm(module: &[u8]) {
    let Ok(admitted) = admit_wasm(module, MAX_PAGES) else {
        return;
    };
    for payload in Parser::new(0).parse_all(&admitted) {
        match payload {
            Ok(Payload::MemorySection(memories)) => {
                for memory in memories.into_iter().flatten() {
                    let pages = memory.maximum.expect("a memory without a maximum");
                    assert!(pages <= MAX_PAGES as u64, "{pages} pages");
                }
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}
