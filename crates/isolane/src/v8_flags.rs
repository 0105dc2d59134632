//! V8's command line flags, the same when the snapshot is made and when it is used.
//!
//! Loop unrolling is off because its analysis also removes stack checks: where a short loop of the
//! compiler's own (the fill of `new Array(1000)`, say) has none, the mark to remove it falls on the
//! next loop of the guest's, which then can never be terminated.
//!
//! Functions are optimised on the thread that runs them. Loops of code that is not optimised look whether they
//! are to end when a budget for their function is used up, and while another thread optimises the function
//! that budget is a thousand million bytecodes: a loop that begins then ends seconds late, or in days where
//! each pass takes long. The same holds for functions that are too large to be optimised (see SECURITY.md).
//! What is large is set such that optimising a function takes no more than half of the default CPU limit.
//!
//! Maglev is off because it is one more compiler that guests could attack, and optimising in one step takes
//! less time on the thread that has to wait for it.
//!
//! Without Maglev, functions are optimised where it would have taken them over: by default TurboFan waits for
//! seven times as much, and a handler with a loop may never get there, because the optimised loop is left
//! again at the end of each call.
//!
//! An isolate's garbage is collected on the thread that runs it, so that a tenant who makes much of it pays
//! for it in its own time: V8's helper threads would take the processors from the others, uncharged.

/// Flags for `V8::set_flags_from_string`, before V8 is initialised.
pub(crate) const V8_FLAGS: &str = concat!(
    "--no-flush-bytecode",
    " --enable-sharedarraybuffer-per-context",
    " --no-verify-snapshot-checksum",
    " --no-turboshaft-loop-unrolling",
    " --no-wasm-loop-unrolling",
    " --no-concurrent-recompilation",
    " --max-optimized-bytecode-size=8192",
    " --no-maglev",
    " --invocation-count-for-turbofan=400",
    " --single-threaded-gc",
);
