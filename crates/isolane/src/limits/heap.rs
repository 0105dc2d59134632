//! Ends a guest whose heap nears its limit, before V8 would end the process.
//!
//! V8 calls back on the isolate's thread, in the middle of an allocation. The callback must answer
//! with more than the current limit, or V8 aborts; and what still does not fit after it is fatal
//! too. So it terminates, gives room for any single object, and the isolate is condemned.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Room for the guest to unwind in: more than the largest single object.
const UNWIND_BYTES: usize = 1 << 30;

/// Watches one isolate's heap.
#[derive(Debug)]
pub(crate) struct HeapGuard {
    handle: v8::IsolateHandle,
    exceeded: AtomicBool,
}

impl HeapGuard {
    /// Starts to watch `isolate`, which must be dropped before the guard.
    pub(crate) fn install(isolate: &mut v8::Isolate) -> Arc<Self> {
        let guard = Arc::new(Self {
            handle: isolate.thread_safe_handle(),
            exceeded: AtomicBool::new(false),
        });
        let data = Arc::as_ptr(&guard).cast_mut().cast::<c_void>();
        isolate.add_near_heap_limit_callback(near_heap_limit, data);
        guard
    }

    /// Whether the limit was reached; the isolate is then not to be used again.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }
}

unsafe extern "C" fn near_heap_limit(
    data: *mut c_void,
    current_limit: usize,
    _initial_limit: usize,
) -> usize {
    // SAFETY: `data` is the guard's address, and the guard outlives its isolate.
    let guard = unsafe { &*data.cast::<HeapGuard>() };
    guard.exceeded.store(true, Ordering::Relaxed);
    guard.handle.terminate_execution();
    current_limit + UNWIND_BYTES
}
