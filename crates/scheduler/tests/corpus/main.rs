//! Feeds the corpora that fuzzing has gathered to the checks of the fuzz targets; see `fuzz/`.

#![allow(
    clippy::unwrap_used,
    reason = "a panic is how a test reports, in its helpers too"
)]

#[path = "../../../../fuzz/checks/bodies.rs"]
mod bodies;
#[path = "../../../../fuzz/checks/destinations.rs"]
mod destinations;
#[path = "../../../../fuzz/checks/headers.rs"]
mod headers;
#[path = "../../../../fuzz/checks/streams.rs"]
mod streams;

use std::fs;
use std::path::Path;

/// Runs the check on each file of the target's corpus.
fn replay(target: &str, check: impl Fn(&[u8])) {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let files = fs::read_dir(corpora.join(target)).expect("the target has a corpus");
    let mut count = 0;
    for file in files {
        let path = file.unwrap().path();
        // Shown only where the test fails.
        println!("{}", path.display());
        check(&fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count > 0, "the corpus of {target} is empty");
}

#[test]
fn bodies_decode_the_same_however_they_are_cut() {
    replay("bodies", bodies::check);
}

#[test]
fn destinations_that_are_let_through_are_public() {
    replay("destinations", destinations::check);
}

#[test]
fn headers_stay_what_they_were() {
    replay("headers", headers::check);
}

#[test]
fn streams_keep_their_order_under_any_script() {
    replay("streams", streams::check);
}
