//! Whether this environment's connection keeps its process alive. The one home of `unsafe` here.

use std::sync::atomic::{AtomicUsize, Ordering};

use napi::Env;

use crate::connection::Wake;

/// Counts the answers that JavaScript awaits; touched on the JavaScript thread only.
#[derive(Default)]
pub(crate) struct KeepAlive {
    awaited: AtomicUsize,
}

impl KeepAlive {
    /// One more answer is awaited.
    pub(crate) fn hold(&self, env: &Env, wake: &Wake) {
        if self.awaited.fetch_add(1, Ordering::Relaxed) == 0 {
            // SAFETY: `env` is this environment's, we are on its thread (only code that was given
            // an `Env` gets here), and `wake` lives as long as the function it wraps, because it
            // holds a reference to it. The call only marks libuv's handle.
            unsafe { napi::sys::napi_ref_threadsafe_function(env.raw(), wake.raw()) };
        }
    }

    /// `count` answers were delivered.
    pub(crate) fn release(&self, env: &Env, wake: &Wake, count: usize) {
        if count > 0 && self.awaited.fetch_sub(count, Ordering::Relaxed) == count {
            // SAFETY: as in `hold`.
            unsafe { napi::sys::napi_unref_threadsafe_function(env.raw(), wake.raw()) };
        }
    }
}
