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
        limits: Option<BindingLimits>,
        log: Option<u32>,
    ) -> Either<BindingWorker, String> {
        let connection = connection.shared();
        let base = limits.unwrap_or_default().over(&Limits::default());
        let (definition, limits) = definition.into_definition(connection, &base);
        let on_log = log.map(|function| log_sink(connection, function));
        match Worker::new(
            definition,
            WorkerOptions {
                limits: base,
                on_log,
            },
        ) {
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
