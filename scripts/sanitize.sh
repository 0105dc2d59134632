#!/bin/sh
# Runs the tests under sanitizers. They need a nightly toolchain (RUSTUP_TOOLCHAIN to choose one), `thread` and
# `careful` also its component rust-src, and `careful` the program cargo-careful.
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
    run address --package isolane --lib --test behaviour
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
