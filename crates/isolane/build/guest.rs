//! Reads the guest side of the web APIs, erases its types, and writes what is left for the library.
//!
//! The snapshot only refers to the sources: V8 reads them where they are in the binary, so that no
//! isolate has a copy. For that they have to be ASCII.

use std::fmt::Write as _;
use std::path::Path;

use crate::rehearsal::Global;
use crate::typescript;

/// One guest file: its name without extension, and its JavaScript, which is the expression of a
/// function of `define`.
pub(crate) struct GuestSource {
    pub(crate) name: String,
    pub(crate) code: String,
}

/// All families in a stable order; `boot` is first.
pub(crate) fn sources(dir: &Path) -> Vec<GuestSource> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| entry.expect("a readable directory entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "ts"))
        .filter(|path| !path.to_string_lossy().ends_with(".d.ts"))
        .collect();
    files.sort_by_key(|path| (path.file_stem() != Some("boot".as_ref()), path.clone()));
    files
        .iter()
        .map(|path| {
            let name = path
                .file_stem()
                .expect("it has an extension")
                .to_string_lossy()
                .into_owned();
            let source = std::fs::read_to_string(path).expect("a readable file");
            let code = typescript::erase_types(&source, &name)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let body = in_ascii(&without_comments(&code));
            GuestSource {
                name,
                code: format!("(function (define) {{\"use strict\";{body}\n}})"),
            }
        })
        .collect()
}

/// Writes the sources, and the list of them in Rust that `runtime/families.rs` includes.
pub(crate) fn write_sources(sources: &[GuestSource], out: &Path) -> std::io::Result<()> {
    let directory = out.join("guest");
    std::fs::create_dir_all(&directory)?;
    let mut list = String::new();
    for GuestSource { name, code } in sources {
        std::fs::write(directory.join(format!("{name}.js")), code)?;
        let path = format!("concat!(env!(\"OUT_DIR\"), \"/guest/{name}.js\")");
        writeln!(list, "Family::new(\"{name}\", include_bytes!({path})),").expect("memory");
    }
    let count = sources.len();
    let item = format!("pub(super) static FAMILIES: [Family; {count}] = [{list}];");
    std::fs::write(out.join("guest_families.rs"), item)
}

/// Writes which family makes which global, by the globals' names in order, for `runtime/families.rs`.
pub(crate) fn write_globals(globals: &[Global], out: &Path) -> std::io::Result<()> {
    let owner = |global: &Global| (global.name.clone(), global.family.clone());
    let mut owners: Vec<_> = globals.iter().map(owner).collect();
    owners.sort();
    std::fs::write(out.join("guest_globals.rs"), format!("{owners:?}"))
}

/// Escapes what is not ASCII, which only occurs in strings and templates.
fn in_ascii(code: &str) -> String {
    let mut ascii = String::with_capacity(code.len());
    for char in code.chars() {
        if char.is_ascii() {
            ascii.push(char);
            continue;
        }
        for unit in char.encode_utf16(&mut [0; 2]) {
            write!(ascii, "\\u{unit:04x}").expect("memory");
        }
    }
    ascii
}

/// Drops indentation, empty lines and comments that have lines of their own.
fn without_comments(code: &str) -> String {
    let mut in_block = false;
    let mut kept = String::with_capacity(code.len());
    for line in code.lines().map(str::trim) {
        let starts_block = line.starts_with("/*");
        let comment = in_block || starts_block || line.starts_with("//");
        in_block = (in_block || starts_block) && !line.contains("*/");
        if !comment && !line.is_empty() {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}
