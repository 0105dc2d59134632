//! Feeds the corpora that fuzzing has gathered to the checks of the fuzz targets; see `fuzz/`.

#[path = "../../../../fuzz/checks/clones.rs"]
mod clones;
#[cfg(unix)]
#[path = "../../../../fuzz/checks/ipc.rs"]
mod ipc;
#[path = "../../../../fuzz/checks/modules.rs"]
mod modules;
#[path = "../../../../fuzz/checks/urls.rs"]
mod urls;

use std::fs;
use std::path::Path;

/// Runs the check on each file of the target's corpus.
fn replay(target: &str, check: impl Fn(&[u8])) {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let files = fs::read_dir(corpora.join(target)).expect("the target has a corpus");
    let mut count = 0;
    for file in files {
        let path = file.expect("it can be listed").path();
        // Shown only where the test fails.
        println!("{}", path.display());
        check(&fs::read(&path).expect("it can be read"));
        count += 1;
    }
    assert!(count > 0, "the corpus of {target} is empty");
}

#[test]
fn clones_are_values_or_errors() {
    replay("clones", clones::check);
}

#[cfg(unix)]
#[test]
fn frames_of_a_child_are_frames_or_errors() {
    replay("ipc", ipc::check);
}

#[test]
fn modules_stay_where_they_were() {
    replay("modules", modules::check);
}

#[test]
fn urls_are_what_they_say() {
    replay("urls", urls::check);
}
