//! Counts an isolate's ArrayBuffer memory, and what the host holds for it, and refuses what goes past
//! its limit.
//!
//! V8 calls the allocator from the isolate's thread and, for freeing, from its background threads.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use zeroize::Zeroize;

/// V8 aborts the process where the allocator refuses the buffer behind a small on-heap array, so
/// requests up to this size are always served.
const ALWAYS_SERVED_BYTES: usize = 64;

const ALIGNMENT: usize = 16;

/// The ArrayBuffer bytes of one isolate.
#[derive(Debug)]
pub(crate) struct BufferBudget {
    limit: usize,
    used: AtomicUsize,
    denied: AtomicBool,
}

impl BufferBudget {
    pub(crate) fn new(limit: Option<usize>) -> Arc<Self> {
        Arc::new(Self {
            limit: limit.unwrap_or(usize::MAX),
            used: AtomicUsize::new(0),
            denied: AtomicBool::new(false),
        })
    }

    /// How many bytes there may be.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How many bytes there are.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Has V8 look for garbage where that many bytes do not fit: what earlier chunks of a stream took, say,
    /// of which V8 does not know that it is in the way.
    pub(crate) fn make_room(&self, isolate: &mut v8::Isolate, bytes: usize) {
        let used = self.used.load(Ordering::Relaxed);
        if bytes <= self.limit && used.saturating_add(bytes) > self.limit {
            isolate.low_memory_notification();
        }
    }

    pub(crate) fn was_denied(&self) -> bool {
        self.denied.load(Ordering::Relaxed)
    }

    /// Whether an allocation was refused since the last call.
    pub(crate) fn take_denied(&self) -> bool {
        self.denied.load(Ordering::Relaxed) && self.denied.swap(false, Ordering::Relaxed)
    }

    /// The allocator that V8 uses for this budget.
    pub(crate) fn allocator(self: &Arc<Self>) -> v8::UniqueRef<v8::Allocator> {
        // SAFETY: the pointer comes from Arc::into_raw of the type that the table is for, and the
        // table's `drop` gives it back exactly once.
        unsafe { v8::new_rust_allocator(Arc::into_raw(self.clone()), &VTABLE) }
    }

    fn reserve(&self, bytes: usize) -> bool {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        if bytes <= ALWAYS_SERVED_BYTES || before.saturating_add(bytes) <= self.limit {
            return true;
        }
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        self.denied.store(true, Ordering::Relaxed);
        false
    }
}

/// Bytes that the host holds for a guest, counted like the guest's own until they are dropped.
struct Held {
    bytes: Vec<u8>,
    /// Counts the bytes for as long as they are there.
    _charge: Charge,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A part of the budget that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Arc<BufferBudget>,
    bytes: usize,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl BufferBudget {
    /// Takes `length` bytes of a guest's into the host's care, where `copy` makes the copy; `None`
    /// past the limit.
    pub(crate) fn hold(
        self: &Arc<Self>,
        length: usize,
        copy: impl FnOnce() -> Vec<u8>,
    ) -> Option<Bytes> {
        let charge = self.charge(length)?;
        Some(Bytes::from_owner(Held {
            bytes: copy(),
            _charge: charge,
        }))
    }

    /// Takes a part of the budget for what the host makes for a guest; `None` past the limit.
    pub(crate) fn charge(self: &Arc<Self>, bytes: usize) -> Option<Charge> {
        self.reserve(bytes).then(|| Charge {
            budget: self.clone(),
            bytes,
        })
    }
}

static VTABLE: v8::RustAllocatorVtable<BufferBudget> = v8::RustAllocatorVtable {
    allocate: allocate_zeroed,
    allocate_uninitialized,
    free,
    drop: drop_budget,
};

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.max(1), ALIGNMENT).ok()
}

unsafe extern "C" fn allocate_zeroed(budget: &BufferBudget, bytes: usize) -> *mut c_void {
    allocate_with(budget, bytes, |layout| {
        // SAFETY: `layout` is never of size zero.
        unsafe { alloc_zeroed(layout) }
    })
}

unsafe extern "C" fn allocate_uninitialized(budget: &BufferBudget, bytes: usize) -> *mut c_void {
    allocate_with(budget, bytes, |layout| {
        // SAFETY: `layout` is never of size zero.
        unsafe { alloc(layout) }
    })
}

fn allocate_with(
    budget: &BufferBudget,
    bytes: usize,
    allocate: impl FnOnce(Layout) -> *mut u8,
) -> *mut c_void {
    let Some(layout) = layout(bytes) else {
        return null_mut();
    };
    if !budget.reserve(bytes) {
        return null_mut();
    }
    let data = allocate(layout);
    if data.is_null() {
        budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }
    data.cast()
}

unsafe extern "C" fn free(budget: &BufferBudget, data: *mut c_void, bytes: usize) {
    budget.used.fetch_sub(bytes, Ordering::Relaxed);
    if let (false, Some(layout)) = (data.is_null(), layout(bytes)) {
        // SAFETY: V8 gives back what it got from this allocator, with the length it asked for.
        unsafe { dealloc(data.cast(), layout) }
    }
}

unsafe extern "C" fn drop_budget(budget: *const BufferBudget) {
    // SAFETY: the pointer is the one that `allocator` took out of the Arc, and V8 drops it once.
    drop(unsafe { Arc::from_raw(budget) });
}

/// An ArrayBuffer with a copy of `bytes`, counted like the guest's own; `None` past the limit.
pub(crate) fn array_buffer<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    budget: &Arc<BufferBudget>,
    bytes: &[u8],
) -> Option<v8::Local<'s, v8::ArrayBuffer>> {
    buffer_with(scope, budget, bytes, release)
}

/// As [`array_buffer`], of bytes that are overwritten when the garbage collector finds the buffer.
pub(crate) fn secret_buffer<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    budget: &Arc<BufferBudget>,
    bytes: &[u8],
) -> Option<v8::Local<'s, v8::ArrayBuffer>> {
    buffer_with(scope, budget, bytes, overwrite_and_release)
}

fn buffer_with<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    budget: &Arc<BufferBudget>,
    bytes: &[u8],
    release: unsafe extern "C" fn(*mut c_void, usize, *mut c_void),
) -> Option<v8::Local<'s, v8::ArrayBuffer>> {
    budget.make_room(scope, bytes.len());
    // SAFETY: the allocator's contract is met: the length is that of the memory asked for.
    let data = unsafe { allocate_uninitialized(budget, bytes.len()) };
    if data.is_null() {
        return None;
    }
    // SAFETY: `data` is valid for `bytes.len()` bytes and belongs to nobody else yet.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast::<u8>(), bytes.len()) };
    let owner = Arc::into_raw(budget.clone()).cast_mut().cast::<c_void>();
    // SAFETY: the deleter gets exactly what was allocated here, with the budget that paid for it.
    let store =
        unsafe { v8::ArrayBuffer::new_backing_store_from_ptr(data, bytes.len(), release, owner) };
    Some(v8::ArrayBuffer::with_backing_store(
        scope,
        &store.make_shared(),
    ))
}

unsafe extern "C" fn release(data: *mut c_void, bytes: usize, owner: *mut c_void) {
    // SAFETY: `owner` is the Arc that `array_buffer` gave away with this memory.
    let budget = unsafe { Arc::from_raw(owner.cast_const().cast::<BufferBudget>()) };
    // SAFETY: the memory came from `allocate_uninitialized` with this length.
    unsafe { free(&budget, data, bytes) }
}

unsafe extern "C" fn overwrite_and_release(data: *mut c_void, bytes: usize, owner: *mut c_void) {
    // SAFETY: V8 gives back the memory that `buffer_with` filled, which nobody uses any more.
    unsafe { std::slice::from_raw_parts_mut(data.cast::<u8>(), bytes) }.zeroize();
    // SAFETY: passed on as it came.
    unsafe { release(data, bytes, owner) }
}
