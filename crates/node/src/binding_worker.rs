//! Workers that get a new isolate for every request.

use std::sync::Arc;

use isolane::{Limits, Worker, WorkerOptions};
use napi::bindgen_prelude::Either;
use napi_derive::napi;

use crate::binding_connection::BindingConnection;
use crate::binding_definition::BindingDefinitionOptions;
use crate::binding_limits::BindingLimits;
use crate::binding_target::{BindingTarget, Target};
use crate::connection::SharedConnection;
use crate::failure::failure;
use crate::host_functions::log_sink;

/// How a worker is set up; what is not given takes the core's defaults.
#[napi(object)]
pub struct BindingWorkerOptions {
    pub limits: Option<BindingLimits>,
    pub max_concurrency: Option<u32>,
    pub max_queue: Option<u32>,
    pub log: Option<u32>,
}

impl BindingWorkerOptions {
    fn into_options(self, connection: &SharedConnection) -> WorkerOptions {
        let mut options = WorkerOptions::default();
        if let Some(limits) = self.limits {
            options.limits = limits.over(&Limits::default());
        }
        if let Some(max_concurrency) = self.max_concurrency {
            options.max_concurrency = max_concurrency as usize;
        }
        if let Some(max_queue) = self.max_queue {
            options.max_queue = max_queue as usize;
        }
        options.on_log = self.log.map(|function| log_sink(connection, function));
        options
    }
}

/// A worker with a new isolate for every request.
#[napi]
pub struct BindingWorker {
    connection: SharedConnection,
    worker: Arc<Worker>,
    limits: Limits,
}

#[napi]
impl BindingWorker {
    /// Takes a definition; nothing runs before the first request.
    #[napi(catch_unwind)]
    pub fn create(
        connection: &BindingConnection,
        definition: BindingDefinitionOptions,
        options: BindingWorkerOptions,
    ) -> Either<BindingWorker, String> {
        let connection = connection.shared();
        let options = options.into_options(connection);
        let (definition, limits) = definition.into_definition(connection, &options.limits);
        match Worker::new(definition, options) {
            Ok(worker) => Either::A(Self {
                connection: Arc::clone(connection),
                worker: Arc::new(worker),
                limits,
            }),
            Err(error) => Either::B(failure(&error)),
        }
    }

    /// Where its events go.
    #[napi(catch_unwind)]
    pub fn target(&self) -> BindingTarget {
        let target = Target::Worker(Arc::clone(&self.worker));
        BindingTarget::new(&self.connection, target, self.limits)
    }

    /// Ends what runs, and refuses what comes.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.worker.close();
    }
}
