//! What one call says for itself.

use isolane::{Limits, RunOptions};
use napi_derive::napi;

use crate::binding_limits::BindingLimits;
use crate::connection::SharedConnection;
use crate::host_functions::log_sink;

/// Options of one run.
#[napi(object)]
#[derive(Default)]
pub struct BindingRunOptions {
    pub limits: Option<BindingLimits>,
    pub log: Option<u32>,
}

impl BindingRunOptions {
    /// As the core takes them, with limits over the worker's.
    pub(crate) fn over(&self, connection: &SharedConnection, base: &Limits) -> RunOptions {
        RunOptions {
            limits: self.limits.as_ref().map(|limits| limits.over(base)),
            on_log: self.log.map(|function| log_sink(connection, function)),
        }
    }
}
