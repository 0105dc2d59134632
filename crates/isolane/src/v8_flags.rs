//! V8's command line flags, the same when the snapshot is made and when it is used.
//!
//! Loop unrolling is off because its analysis also removes stack checks: where a short loop of the
//! compiler's own (the fill of `new Array(1000)`, say) has none, the mark to remove it falls on the
//! next loop of the guest's, which then can never be terminated.
//!
//! Maglev is off because a short loop of its code (`for (;;);` in a function that has run before) only counts
//! down its budget for optimisation: it looks whether it is to end when that is used up, seconds late. Code that
//! is not optimised at all does so too, while another thread optimises its function. To optimise on the guest's
//! own thread (`--no-concurrent-recompilation`) would end that, but takes up to 25 ms of the one request that
//! meets it, and so breaks workers with low CPU limits for good: each new isolate gets there again.
//!
//! Without Maglev, functions are optimised where it would have taken them over: by default TurboFan waits for
//! seven times as much, and a handler with a loop may never get there, because the optimised loop is left
//! again at the end of each call.
//!
//! An isolate's garbage is collected on the thread that runs it, so that a tenant who makes much of it pays
//! for it in its own time: V8's helper threads would take the processors from the others, uncharged. What V8
//! leaves to them all the same runs with a lower priority (`platform.rs`). The tables that it would make in each
//! isolate for seven such threads, 16 KiB, are made for one, the fewest that it allows.

/// Flags for `V8::set_flags_from_string`, before V8 is initialised.
pub(crate) const V8_FLAGS: &str = concat!(
    "--no-flush-bytecode",
    " --enable-sharedarraybuffer-per-context",
    " --no-verify-snapshot-checksum",
    " --no-turboshaft-loop-unrolling",
    " --no-wasm-loop-unrolling",
    " --no-maglev",
    " --invocation-count-for-turbofan=400",
    " --single-threaded-gc",
    " --concurrent-marking-max-worker-num=1",
);
