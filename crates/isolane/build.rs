//! Makes the one startup snapshot that every isolate of every mode starts from.
//!
//! V8's read-only heap is shared by all isolates of a process, so two snapshots may never be alive
//! in one process. The snapshot is therefore made here, in the build script's own process, from the
//! guest side of the web APIs (`src/runtime/web/guest/*.ts`) with the types erased.

#[path = "build/guest.rs"]
mod guest;
#[path = "build/rehearsal.rs"]
mod rehearsal;
#[path = "build/snapshot.rs"]
mod snapshot;
#[path = "src/typescript.rs"]
mod typescript;
#[path = "src/v8_flags.rs"]
mod v8_flags;

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-changed=src/typescript.rs");
    println!("cargo:rerun-if-changed=src/v8_flags.rs");
    println!("cargo:rerun-if-changed=src/runtime/web/ops.in.rs");
    println!("cargo:rerun-if-changed=src/runtime/web/guest");

    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("set by cargo"));
    let sources = guest::sources(&root.join("src/runtime/web/guest"));
    guest::write_sources(&sources, &out).expect("OUT_DIR is writable");
    let (blob, plan) = snapshot::create(sources);
    guest::write_globals(&plan.globals, &out).expect("OUT_DIR is writable");
    std::fs::write(out.join("snapshot.bin"), &blob[..]).expect("OUT_DIR is writable");
}
