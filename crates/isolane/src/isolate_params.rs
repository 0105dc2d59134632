//! The one place that makes isolates: parameters, callbacks and the guards of their memory limits.

pub(crate) mod leftovers;
pub(crate) mod lookup_caches;

use std::borrow::Cow;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::foreground_tasks::ForegroundTasks;
use crate::limits::Limits;
use crate::limits::buffer::BufferBudget;
use crate::limits::external::ExternalGuard;
use crate::limits::heap::HeapGuard;
use crate::limits::rescue::Bystanders;
use crate::platform;
use crate::process;
use crate::runtime::{exception, modules, snapshot};

/// The memory guards of one isolate; they outlive it.
#[derive(Clone, Debug)]
pub(crate) struct IsolateGuards {
    pub(crate) heap: Arc<HeapGuard>,
    pub(crate) buffers: Arc<BufferBudget>,
    pub(crate) external: Arc<ExternalGuard>,
    pub(crate) bystanders: Arc<Bystanders>,
    pub(crate) tasks: ForegroundTasks,
}

impl IsolateGuards {
    /// To be called when nothing of the isolate runs any more, before it is disposed of.
    pub(crate) fn before_dispose(&self) {
        self.tasks.close();
    }

    /// To be called when the isolate has been disposed of.
    pub(crate) fn after_dispose(&self) {
        self.tasks.forget();
        leftovers::isolate_left();
    }
}

/// A heap that was ever above this size gives its memory back to the system when its isolate goes.
const LARGE_HEAP_BYTES: usize = 8 << 20;

/// Empties the heap of an isolate whose contexts are gone, where it was large or has reached its limit.
///
/// V8 keeps the pages of an isolate that is disposed of for others (`leftovers.rs`). Most of what it collects before
/// goes at once.
pub(crate) fn empty_heap(isolate: &mut v8::Isolate, guards: &IsolateGuards) {
    let size = guards.heap.most_bytes(isolate);
    if size > LARGE_HEAP_BYTES || guards.heap.exceeded() {
        isolate.clear_kept_objects();
        isolate.low_memory_notification();
        leftovers::will_leave(size);
    }
}

/// Makes an isolate from the startup snapshot and enters it on this thread.
pub(crate) fn create(limits: &Limits) -> (v8::OwnedIsolate, IsolateGuards) {
    platform::initialize();
    let buffers = BufferBudget::new(limits.buffer_bytes);
    let params = v8::CreateParams::default()
        .snapshot_blob(snapshot::blob())
        .external_references(Cow::Borrowed(snapshot::external_references()))
        .heap_limits(0, limits.heap_bytes)
        .array_buffer_allocator(buffers.allocator().make_shared())
        .allow_atomics_wait(false);
    let mut isolate = v8::Isolate::new(params);
    isolate.set_microtasks_policy(v8::MicrotasksPolicy::Explicit);
    isolate.set_promise_reject_callback(exception::on_promise_reject);
    isolate.set_host_initialize_import_meta_object_callback(modules::initialize_import_meta);
    isolate.set_host_import_module_dynamically_callback(modules::import_dynamically);
    process::watch(&mut isolate);
    let heap = HeapGuard::install(&mut isolate, limits.heap_bytes, buffers.clone());
    let external = ExternalGuard::new(&mut isolate, heap.clone(), &buffers);
    let tasks = ForegroundTasks::open(&isolate);
    leftovers::isolate_came();
    (
        isolate,
        IsolateGuards {
            heap,
            buffers,
            external,
            bystanders: Arc::default(),
            tasks,
        },
    )
}

/// An isolate entered on this thread, disposed of in the right order.
pub(crate) struct GuardedIsolate {
    isolate: ManuallyDrop<v8::OwnedIsolate>,
    guards: IsolateGuards,
}

impl GuardedIsolate {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (isolate, guards) = create(limits);
        Self {
            isolate: ManuallyDrop::new(isolate),
            guards,
        }
    }

    pub(crate) fn guards(&self) -> &IsolateGuards {
        &self.guards
    }
}

impl Drop for GuardedIsolate {
    fn drop(&mut self) {
        empty_heap(&mut self.isolate, &self.guards);
        self.guards.before_dispose();
        // SAFETY: the field is not touched again: this is the end of its only owner.
        unsafe { ManuallyDrop::drop(&mut self.isolate) };
        self.guards.after_dispose();
    }
}

impl Deref for GuardedIsolate {
    type Target = v8::Isolate;

    fn deref(&self) -> &v8::Isolate {
        &self.isolate
    }
}

impl DerefMut for GuardedIsolate {
    fn deref_mut(&mut self) -> &mut v8::Isolate {
        &mut self.isolate
    }
}
