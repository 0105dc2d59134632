//! Ends a guest that holds too much outside of V8's heap.
//!
//! The ArrayBuffer allocator refuses ordinary buffers (see `buffer.rs`). Resizable buffers,
//! WebAssembly memory and compiled WebAssembly code do not go through it; V8 only counts them. So its
//! count is looked at on the isolate's thread: when a turn ends, and, asked for by the watchdog,
//! while a turn runs.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use super::buffer::BufferBudget;
use super::heap::HeapGuard;

/// What V8 counts besides buffers that were allowed: compiled code, data of `Intl` objects.
const ALLOWANCE_BYTES: usize = 8 << 20;

/// For how many times its duration no other collection follows one that made room: a guest that stays
/// near the limit would have its heap collected without pause.
const REST: u32 = 4;

/// Watches what one isolate holds outside of its heap.
#[derive(Debug)]
pub(crate) struct ExternalGuard {
    handle: v8::IsolateHandle,
    heap: Arc<HeapGuard>,
    limit_bytes: usize,
    /// V8's count when last looked at.
    used: AtomicUsize,
    exceeded: AtomicBool,
    /// An interrupt that looks is on its way.
    asked: AtomicBool,
    /// Until when another collection is not worth its time.
    rests_until: Mutex<Option<Instant>>,
}

impl ExternalGuard {
    /// A guard for `isolate`, which must be dropped before the guard.
    pub(crate) fn new(
        isolate: &mut v8::Isolate,
        heap: Arc<HeapGuard>,
        buffers: &BufferBudget,
    ) -> Arc<Self> {
        Arc::new(Self {
            handle: isolate.thread_safe_handle(),
            heap,
            limit_bytes: buffers.limit().saturating_add(ALLOWANCE_BYTES),
            used: AtomicUsize::new(0),
            exceeded: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            rests_until: Mutex::new(None),
        })
    }

    /// The handle of the isolate that is watched.
    pub(crate) fn handle(&self) -> &v8::IsolateHandle {
        &self.handle
    }

    /// The guard of the same isolate's heap.
    pub(crate) fn heap(&self) -> &HeapGuard {
        &self.heap
    }

    /// Whether the limit was passed; the isolate is then not to be used again.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }

    /// Looks at the count, and ends what runs where it is past the limit also after a collection.
    /// For the thread that has the isolate entered.
    pub(crate) fn look(&self, isolate: &mut v8::Isolate) {
        // Also what V8 has forgotten, because another thread has locked the isolate since, is asked for again.
        self.asked.store(false, Ordering::Relaxed);
        if !self.is_past(isolate) || self.rests() {
            return;
        }
        let begin = Instant::now();
        isolate.low_memory_notification();
        *self.rests_until.lock() = Some(Instant::now() + begin.elapsed() * REST);
        if self.is_past(isolate) {
            self.exceeded.store(true, Ordering::Relaxed);
            self.handle.terminate_execution();
        }
    }

    /// Whether it collected a moment ago, and what has come since is not much.
    fn rests(&self) -> bool {
        let rests = self
            .rests_until
            .lock()
            .is_some_and(|until| Instant::now() < until);
        rests && self.used() < self.limit_bytes.saturating_mul(2)
    }

    /// Asks the isolate's thread to look when it next can. For any thread.
    pub(crate) fn ask(&self) {
        if !self.asked.swap(true, Ordering::Relaxed) {
            let guard = std::ptr::from_ref(self).cast_mut().cast();
            self.handle.request_interrupt(interrupted, guard);
        }
    }

    /// What V8 counted outside of its heap when last looked at.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn is_past(&self, isolate: &mut v8::Isolate) -> bool {
        let bytes = isolate.adjust_amount_of_external_allocated_memory(0);
        let used = usize::try_from(bytes).unwrap_or(0);
        self.used.store(used, Ordering::Relaxed);
        used > self.limit_bytes
    }
}

unsafe extern "C" fn interrupted(isolate: v8::UnsafeRawIsolatePtr, guard: *mut c_void) {
    // SAFETY: V8 calls back on the thread that has this isolate entered, while it lives.
    let mut isolate = unsafe { v8::Isolate::from_raw_isolate_ptr(isolate) };
    // SAFETY: the address is the guard's, and the guard outlives its isolate.
    let guard = unsafe { &*guard.cast::<ExternalGuard>() };
    guard.look(&mut isolate);
}
