#!/bin/sh
# Runs the tests under sanitizers, which need a nightly toolchain (RUSTUP_TOOLCHAIN to choose one).
#
#   scripts/sanitize.sh address   crates/isolane and crates/scheduler under AddressSanitizer and LeakSanitizer
#   scripts/sanitize.sh thread    crates/scheduler under ThreadSanitizer
#   scripts/sanitize.sh careful   crates/scheduler with cargo-careful, which needs the rust-src component
#
# Neither V8 nor the standard library is instrumented: what happens inside of them is not seen. For the address
# sanitizer that means missed errors only. The thread sanitizer does not see the standard library's own
# synchronisation, which it would need to see to know that two accesses are ordered; see TSAN_OPTIONS below.
#
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
    # V8 keeps memory until the process ends, which is no leak of ours.
    export ASAN_OPTIONS="detect_leaks=${DETECT_LEAKS:-0}:detect_stack_use_after_return=0"
    run address --package isolane-scheduler --tests
    run address --package isolane --lib --test behaviour
    ;;
  thread)
    export TSAN_OPTIONS="suppressions=$PWD/scripts/tsan-suppressions.txt:halt_on_error=0"
    run thread --package isolane-scheduler --tests -- --test-threads=2
    ;;
  careful)
    cargo +"$toolchain" careful test --package isolane-scheduler --target-dir target/careful
    ;;
  *)
    sed -n '2,11s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
