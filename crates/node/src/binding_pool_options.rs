//! How JavaScript configures a pool.

use isolane::{ChildProgram, Isolation, Limits, PoolOptions};
use napi_derive::napi;

use crate::binding_limits::{BindingLimits, duration_from_ms, mebibytes};
use crate::connection::SharedConnection;
use crate::host_functions::log_sink;

/// What was given; the rest takes the core's defaults.
#[napi(object)]
pub struct BindingPoolOptions {
    pub max_isolates: Option<u32>,
    pub max_isolates_per_worker: Option<u32>,
    pub max_memory_mb: Option<f64>,
    pub threads: Option<u32>,
    pub max_queue: Option<u32>,
    pub grace_ms: Option<f64>,
    pub limits: Option<BindingLimits>,
    pub log: Option<u32>,
    /// Isolation by process: the child's program and its arguments.
    pub child: Option<Vec<String>>,
    pub process_memory_mb: Option<f64>,
}

impl BindingPoolOptions {
    pub(crate) fn into_options(self, connection: &SharedConnection) -> PoolOptions {
        let mut options = PoolOptions::default();
        let count = |given: Option<u32>, default: usize| given.map_or(default, |n| n as usize);
        options.max_isolates = count(self.max_isolates, options.max_isolates);
        options.max_isolates_per_worker = count(
            self.max_isolates_per_worker,
            options.max_isolates_per_worker,
        );
        options.threads = count(self.threads, options.threads);
        options.max_queue = count(self.max_queue, options.max_queue);
        if let Some(max_memory_mb) = self.max_memory_mb {
            options.max_memory_bytes = Some(mebibytes(max_memory_mb));
        }
        if let Some(grace_ms) = self.grace_ms {
            options.grace = duration_from_ms(grace_ms);
        }
        if let Some(limits) = self.limits {
            options.limits = limits.over(&Limits::default());
        }
        if let Some([program, args @ ..]) = self.child.as_deref() {
            options.isolation = Isolation::Process(ChildProgram::new(program, args));
        }
        if let Some(process_memory_mb) = self.process_memory_mb {
            options.process_memory_bytes = mebibytes(process_memory_mb);
        }
        options.on_log = self.log.map(|function| log_sink(connection, function));
        options
    }
}
