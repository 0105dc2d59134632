//! Reads the guest side of the web APIs and erases its types.

use std::path::Path;

use crate::typescript;

/// One guest file: its name without extension, and its JavaScript.
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
            GuestSource {
                name,
                code: without_comments(&code),
            }
        })
        .collect()
}

/// Drops indentation, empty lines and comments that have lines of their own: the sources are in the
/// snapshot, and every isolate copies it.
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
