#!/bin/sh
# Runs the tests under sanitizers. They need a nightly toolchain (RUSTUP_TOOLCHAIN to choose one; with
# RUSTC_BOOTSTRAP=1 a stable one will do), `thread` and `careful` also its component rust-src, and `careful` the
# program cargo-careful.
#
#   scripts/sanitize.sh address   isolane-lanes, isolane-scheduler and isolane under AddressSanitizer
#   scripts/sanitize.sh thread    isolane-lanes and isolane-scheduler under ThreadSanitizer, with a standard library that is instrumented
#   scripts/sanitize.sh careful   isolane-lanes and isolane-scheduler with a standard library that checks what callers promise it
#
# V8 is not instrumented: an error inside of it, or in memory that it allocated itself, is not seen.
# The target is named so that cargo keeps the flags away from build scripts, one of which runs V8.
set -eu
cd "$(dirname "$0")/.."

toolchain="${RUSTUP_TOOLCHAIN:-nightly}"
target="$(rustc +"$toolchain" -vV | sed -n 's/^host: //p')"

run() {
  sanitizer="$1"
  shift
  RUSTFLAGS="-Zsanitizer=$sanitizer -Cforce-frame-pointers=yes" \
    cargo +"$toolchain" test --release --target "$target" --target-dir "target/$sanitizer" "$@"
}

case "${1:-}" in
  address)
    # What V8 keeps until the process ends would be reported as leaks.
    export ASAN_OPTIONS="detect_leaks=0"
    run address --package isolane-lanes --package isolane-scheduler --tests
    # Freed memory is kept for a while, frames are larger and everything takes longer: tests of memory, of
    # stacks and of much work within the default limit of CPU time say nothing here.
    run address --package isolane --lib --test behaviour -- \
      --skip soak:: --skip in_flat_memory --skip for_want_of_memory --skip as_deep_as_it_is_long \
      --skip what_cannot_be_kept_is_refused --skip a_closed_source_is_silent \
      --skip the_test_data_of_the_standard_passes
    ;;
  thread)
    run thread -Zbuild-std --package isolane-lanes --package isolane-scheduler --tests
    ;;
  careful)
    cargo +"$toolchain" careful test --release --package isolane-lanes --package isolane-scheduler --tests --target-dir target/careful
    ;;
  *)
    sed -n '2,10s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
