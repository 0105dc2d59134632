//! Erases TypeScript's types, keeping every line and column where it was.
//!
//! The build script uses this for the guest side of the web APIs, the library for workers' own
//! `.ts` modules. No isolate is involved; any thread may call it.

use std::sync::{Arc, Mutex, PoisonError};

use swc_common::errors::{DiagnosticBuilder, Emitter, Handler};
use swc_common::sync::Lrc;
use swc_common::{GLOBALS, Globals, SourceMap};
use swc_ts_fast_strip::{Mode, Options};

/// Replaces the types in `source` by white space; `name` appears in error messages.
///
/// Only erasable syntax is accepted: no `enum`, no parameter properties, no value namespaces.
///
/// # Errors
///
/// `name:line:column: SyntaxError: …`, for the first thing that cannot be erased or parsed.
pub(crate) fn erase_types(source: &str, name: &str) -> Result<String, String> {
    let map: Lrc<SourceMap> = Lrc::default();
    let first = Arc::new(Mutex::new(None));
    let emitter = FirstError {
        map: map.clone(),
        name: name.to_owned(),
        first: first.clone(),
    };
    let handler = Handler::with_emitter(true, false, Box::new(emitter));
    let options = Options {
        filename: Some(name.to_owned()),
        mode: Mode::StripOnly,
        ..Options::default()
    };
    let erased = GLOBALS.set(&Globals::new(), || {
        swc_ts_fast_strip::operate(&map, &handler, source.to_owned(), options)
    });
    erased.map(|output| output.code).map_err(|error| {
        let described = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        described.unwrap_or_else(|| format!("{name}: SyntaxError: {}", error.message))
    })
}

/// Keeps the first diagnostic, with its place.
struct FirstError {
    map: Lrc<SourceMap>,
    name: String,
    first: Arc<Mutex<Option<String>>>,
}

impl Emitter for FirstError {
    fn emit(&mut self, diagnostic: &mut DiagnosticBuilder<'_>) {
        let place = match diagnostic.span.primary_span() {
            Some(span) => {
                let at = self.map.lookup_char_pos(span.lo);
                format!("{}:{}:{}", self.name, at.line, at.col.0 + 1)
            }
            None => self.name.clone(),
        };
        let message = diagnostic.message();
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| format!("{place}: SyntaxError: {message}"));
    }
}
