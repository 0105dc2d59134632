//! Bare runtimes: scripts in, values out.

use std::sync::Arc;

use isolane::{HeapStatistics, Limits, RuntimeHandle, RuntimeOptions};
use napi::Env;
use napi::bindgen_prelude::Either;
use napi_derive::napi;

use crate::binding_connection::BindingConnection;
use crate::binding_limits::BindingLimits;
use crate::binding_run_options::BindingRunOptions;
use crate::connection::SharedConnection;
use crate::delivery::{Answer, BindingCell, Head, Payload};
use crate::failure::{empty_answer, failure};
use crate::host_functions::log_sink;
use crate::outbound_client::outbound;

/// How a runtime is set up.
#[napi(object)]
pub struct BindingRuntimeOptions {
    pub codegen: bool,
    pub limits: Option<BindingLimits>,
    pub log: Option<u32>,
    #[napi(ts_type = "'public' | 'none' | 'any'")]
    pub outbound: Option<String>,
    pub outbound_function: Option<u32>,
}

/// A bare isolate on a thread of its own.
#[napi]
pub struct BindingRuntime {
    connection: SharedConnection,
    runtime: RuntimeHandle,
    limits: Limits,
}

#[napi]
impl BindingRuntime {
    /// Starts the isolate's thread.
    #[napi(catch_unwind)]
    pub fn create(
        connection: &BindingConnection,
        options: BindingRuntimeOptions,
    ) -> Either<BindingRuntime, String> {
        let connection = connection.shared();
        let limits = options.limits.unwrap_or_default().over(&Limits::default());
        let on_log = options.log.map(|function| log_sink(connection, function));
        let kind = options.outbound.as_deref();
        match RuntimeHandle::new(RuntimeOptions {
            limits,
            on_log,
            codegen: options.codegen,
            outbound: outbound(connection, kind, options.outbound_function),
        }) {
            Ok(runtime) => Either::A(Self {
                connection: Arc::clone(connection),
                runtime,
                limits,
            }),
            Err(error) => Either::B(failure(&error)),
        }
    }

    /// Evaluates a script; its value, as structured clone, is returned or delivered as a response is.
    #[napi(catch_unwind)]
    // `expect` would not do: the macro copies it to where the lint does not look.
    #[allow(
        clippy::too_many_arguments,
        reason = "an object in their place costs a read each"
    )]
    pub fn evaluate(
        &self,
        env: &Env,
        ticket: i64,
        source: String,
        filename: Option<String>,
        options: Option<BindingRunOptions>,
    ) -> Option<Vec<BindingCell>> {
        let options = options.unwrap_or_default();
        let run = options.over(&self.connection, &self.limits);
        let future = self.runtime.evaluate(source, filename, run);
        self.connection
            .answer(env, ticket, future, |result| match result {
                Ok(clone) => Answer {
                    head: Head::Nothing,
                    payload: Payload::of_clone(clone),
                },
                Err(error) => Answer::text(failure(&error)),
            })
    }

    /// Delivers the isolate's memory as JSON.
    #[napi(catch_unwind)]
    pub fn heap_statistics(&self, env: &Env, ticket: i64) {
        let future = self.runtime.heap_statistics();
        self.connection.settle_with(env, ticket, future, |result| {
            Answer::text(result.map_or_else(|error| failure(&error), |heap| heap_json(&heap)))
        });
    }

    /// Closes the runtime.
    #[napi(catch_unwind)]
    pub fn close(&self, env: &Env, ticket: i64) {
        self.connection
            .settle_with(env, ticket, self.runtime.close(), empty_answer);
    }
}

fn heap_json(heap: &HeapStatistics) -> String {
    serde_json::json!({
        "totalHeapBytes": heap.total_heap_bytes,
        "usedHeapBytes": heap.used_heap_bytes,
        "heapLimitBytes": heap.heap_limit_bytes,
        "externalBytes": heap.external_bytes,
    })
    .to_string()
}
