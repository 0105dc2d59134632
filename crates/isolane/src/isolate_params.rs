//! The one place that makes isolates: parameters, callbacks and the guards of their memory limits.

use std::borrow::Cow;
use std::sync::Arc;

use crate::limits::Limits;
use crate::limits::buffer::BufferBudget;
use crate::limits::heap::HeapGuard;
use crate::platform;
use crate::runtime::{exception, modules, snapshot};

/// The memory guards of one isolate; they outlive it.
#[derive(Clone, Debug)]
pub(crate) struct IsolateGuards {
    pub(crate) heap: Arc<HeapGuard>,
    pub(crate) buffers: Arc<BufferBudget>,
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
    let heap = HeapGuard::install(&mut isolate);
    (isolate, IsolateGuards { heap, buffers })
}
