//! Erases TypeScript's types, keeping every line and column where it was.
//!
//! The build script uses this for the guest side of the web APIs, the library for workers' own
//! `.ts` modules. No isolate is involved; any thread may call it.

use std::io;

use swc_common::errors::Handler;
use swc_common::sync::Lrc;
use swc_common::{FileName, SourceMap};
use swc_ts_fast_strip::{Mode, Options, TsError};

/// Replaces the types in `source` by white space; `name` appears in error messages.
///
/// Only erasable syntax is accepted: no `enum`, no parameter properties, no value namespaces.
pub(crate) fn erase_types(source: &str, name: &str) -> Result<String, String> {
    let map: Lrc<SourceMap> = Lrc::default();
    let handler = Handler::with_emitter_writer(Box::new(io::sink()), Some(map.clone()));
    let options = Options {
        filename: Some(name.to_owned()),
        mode: Mode::StripOnly,
        ..Options::default()
    };
    let erased = swc_common::GLOBALS.set(&swc_common::Globals::new(), || {
        swc_ts_fast_strip::operate(&map, &handler, source.to_owned(), options)
    });
    match erased {
        Ok(output) => Ok(output.code),
        Err(error) => Err(describe(&error, name)),
    }
}

fn describe(error: &TsError, name: &str) -> String {
    let _ = FileName::Custom(name.to_owned());
    format!("{name}: {}", error.message)
}
