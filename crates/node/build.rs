//! Sets up the linking of a Node addon that shows nothing but its entry point.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    napi_build::setup();
    println!("cargo:rerun-if-changed=exports.map");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // Its own symbols are never taken from a Node that happens to export the same names.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic");
        // V8's symbol table is half of the file.
        println!("cargo:rustc-cdylib-link-arg=-Wl,--strip-all");
        if links_with_lld() {
            let directory =
                env::var("CARGO_MANIFEST_DIR").expect("cargo sets it for build scripts");
            println!("cargo:rustc-cdylib-link-arg=-Wl,--version-script={directory}/exports.map");
        }
    }
}

/// Whether rustc brings the linker that takes a second version script; GNU ld refuses one.
fn links_with_lld() -> bool {
    let target = env::var("TARGET").expect("cargo sets it for build scripts");
    let rustc = env::var("RUSTC").expect("cargo sets it for build scripts");
    let Ok(output) = Command::new(rustc).args(["--print", "sysroot"]).output() else {
        return false;
    };
    let sysroot = String::from_utf8_lossy(&output.stdout);
    let lld = format!("lib/rustlib/{target}/bin/gcc-ld/ld.lld");
    // Where it is the default: elsewhere rustc has it too and does not use it.
    target == "x86_64-unknown-linux-gnu" && Path::new(sysroot.trim()).join(lld).exists()
}
