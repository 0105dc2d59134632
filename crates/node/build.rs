//! Sets up the linking of a Node addon that shows nothing but its two entry points.
//!
//! V8's library brings C symbols of its own (`crdtp`, `diplomat`) which a cdylib exports otherwise;
//! they would be in the way of another addon with V8 in it.

fn main() {
    napi_build::setup();
    println!("cargo:rerun-if-changed=exports.map");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        let directory =
            std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it for build scripts");
        println!("cargo:rustc-cdylib-link-arg=-Wl,--version-script={directory}/exports.map");
    }
}
