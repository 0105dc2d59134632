//! Ends a guest whose heap nears its limit, before V8 would end the process.
//!
//! V8 calls back on the isolate's thread, in the middle of an allocation. The callback must answer
//! with more than the current limit, or V8 aborts; and what still does not fit after it is fatal
//! too. So it terminates, gives room for any single object, and the isolate is condemned.
//!
//! V8 also calls back when the ArrayBuffer allocator refuses, however empty the heap is. That is no
//! reason to end anything: the limit is raised until the turn is over, and until then every garbage
//! collection looks whether the heap has passed its real limit.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::buffer::BufferBudget;

/// Room for the guest to unwind in: more than the largest single object.
const UNWIND_BYTES: usize = 1 << 30;

/// Values up to this size are given to the heap without a look at its statistics.
const SMALL_BYTES: usize = 1 << 20;

/// Watches one isolate's heap.
#[derive(Debug)]
pub(crate) struct HeapGuard {
    handle: v8::IsolateHandle,
    isolate: v8::UnsafeRawIsolatePtr,
    limit_bytes: usize,
    buffers: Arc<BufferBudget>,
    exceeded: AtomicBool,
    raised: AtomicBool,
    /// V8 collects garbage, on the isolate's thread.
    collecting: AtomicBool,
    /// The most that the heap took when garbage was about to be collected.
    most_bytes: AtomicUsize,
}

// SAFETY: the raw isolate pointer is used only inside V8's callbacks, which V8 makes on the thread
// that has the isolate entered; the rest is Send and Sync.
unsafe impl Send for HeapGuard {}
// SAFETY: as above.
unsafe impl Sync for HeapGuard {}

impl HeapGuard {
    /// Starts to watch `isolate`, which must be dropped before the guard.
    pub(crate) fn install(
        isolate: &mut v8::Isolate,
        limit_bytes: usize,
        buffers: Arc<BufferBudget>,
    ) -> Arc<Self> {
        let guard = Arc::new(Self {
            handle: isolate.thread_safe_handle(),
            // SAFETY: the pointer is not used after the isolate is gone: only its callbacks use it.
            isolate: unsafe { isolate.as_raw_isolate_ptr() },
            limit_bytes,
            buffers,
            exceeded: AtomicBool::new(false),
            raised: AtomicBool::new(false),
            collecting: AtomicBool::new(false),
            most_bytes: AtomicUsize::new(0),
        });
        isolate.add_near_heap_limit_callback(near_heap_limit, guard.data());
        isolate.add_gc_prologue_callback(before_collection, guard.data(), v8::GCType::kGCTypeAll);
        isolate.add_gc_epilogue_callback(after_collection, guard.data(), v8::GCType::kGCTypeAll);
        guard
    }

    /// Whether the limit was reached; the isolate is then not to be used again.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }

    /// The most that the heap has taken from the system, as far as it was looked at.
    pub(crate) fn most_bytes(&self, isolate: &mut v8::Isolate) -> usize {
        let now = isolate.get_heap_statistics().total_heap_size();
        self.most_bytes.load(Ordering::Relaxed).max(now)
    }

    /// What the heap may take.
    pub(crate) fn limit(&self) -> usize {
        self.limit_bytes
    }

    /// Whether garbage is collected now, which nothing can interrupt; to be asked on any thread.
    pub(crate) fn is_collecting(&self) -> bool {
        self.collecting.load(Ordering::Relaxed)
    }

    /// Whether a value of the host's of that many bytes has room in the heap; it is not looked at how
    /// much of what is there is garbage.
    pub(crate) fn has_room(&self, isolate: &mut v8::Isolate, bytes: usize) -> bool {
        bytes < SMALL_BYTES
            || isolate.get_heap_statistics().used_heap_size() + bytes <= self.limit_bytes
    }

    /// Takes back what a refused ArrayBuffer had raised, when the turn is over.
    pub(crate) fn restore(&self, isolate: &mut v8::Isolate) {
        if self.raised.swap(false, Ordering::Relaxed) {
            isolate.remove_near_heap_limit_callback(near_heap_limit, self.limit_bytes);
            isolate.add_near_heap_limit_callback(near_heap_limit, self.data());
        }
    }

    fn data(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// To be called from V8's callbacks only.
    fn statistics(&self) -> v8::HeapStatistics {
        // SAFETY: V8 calls back while the isolate lives and is entered here.
        let mut isolate = unsafe { v8::Isolate::from_raw_isolate_ptr(self.isolate) };
        isolate.get_heap_statistics()
    }

    fn used_bytes(&self) -> usize {
        self.statistics().used_heap_size()
    }

    /// Only collections of the young or the whole heap count; other kinds are parts of these.
    fn note_collection(&self, kind: v8::GCType, begins: bool) {
        if kind == v8::GCType::kGCTypeScavenge || kind == v8::GCType::kGCTypeMarkSweepCompact {
            self.collecting.store(begins, Ordering::Relaxed);
        }
    }

    fn end(&self) {
        self.exceeded.store(true, Ordering::Relaxed);
        self.handle.terminate_execution();
    }
}

/// The guard that a callback was added with.
///
/// # Safety
///
/// `data` is what [`HeapGuard::data`] gave, and the isolate lives, which its guard outlives.
unsafe fn guard_of<'a>(data: *mut c_void) -> &'a HeapGuard {
    // SAFETY: the caller promises that the guard is at that address.
    unsafe { &*data.cast::<HeapGuard>() }
}

unsafe extern "C" fn near_heap_limit(
    data: *mut c_void,
    current_limit: usize,
    _initial_limit: usize,
) -> usize {
    // SAFETY: V8 passes what the callback was added with: the address of this isolate's guard.
    let guard = unsafe { guard_of(data) };
    if guard.buffers.was_denied() && guard.used_bytes() < guard.limit_bytes / 4 * 3 {
        guard.raised.store(true, Ordering::Relaxed);
    } else {
        guard.end();
    }
    current_limit + UNWIND_BYTES
}

unsafe extern "C" fn before_collection(
    _isolate: v8::UnsafeRawIsolatePtr,
    kind: v8::GCType,
    _flags: v8::GCCallbackFlags,
    data: *mut c_void,
) {
    // SAFETY: V8 passes what the callback was added with: the address of this isolate's guard.
    let guard = unsafe { guard_of(data) };
    guard.note_collection(kind, true);
    let bytes = guard.statistics().total_heap_size();
    guard.most_bytes.fetch_max(bytes, Ordering::Relaxed);
}

unsafe extern "C" fn after_collection(
    _isolate: v8::UnsafeRawIsolatePtr,
    kind: v8::GCType,
    _flags: v8::GCCallbackFlags,
    data: *mut c_void,
) {
    // SAFETY: V8 passes what the callback was added with: the address of this isolate's guard.
    let guard = unsafe { guard_of(data) };
    guard.note_collection(kind, false);
    if guard.raised.load(Ordering::Relaxed) && guard.used_bytes() > guard.limit_bytes {
        guard.end();
    }
}
