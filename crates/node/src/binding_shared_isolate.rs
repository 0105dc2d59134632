//! One isolate on one thread of its own, and contexts on it.

use std::sync::Arc;

use isolane::{Limits, SharedIsolateHandle, SharedIsolateOptions};
use napi::Env;
use napi::bindgen_prelude::Either;
use napi_derive::napi;

use crate::binding_connection::BindingConnection;
use crate::binding_definition::BindingDefinitionOptions;
use crate::binding_limits::BindingLimits;
use crate::connection::SharedConnection;
use crate::delivery::{Answer, Head, Payload};
use crate::failure::{empty_answer, failure};

/// One isolate on one thread.
#[napi]
pub struct BindingSharedIsolate {
    connection: SharedConnection,
    isolate: SharedIsolateHandle,
    limits: Limits,
}

#[napi]
impl BindingSharedIsolate {
    /// Starts the isolate's thread.
    #[napi(catch_unwind)]
    pub fn create(
        connection: &BindingConnection,
        limits: Option<BindingLimits>,
    ) -> Either<BindingSharedIsolate, String> {
        let limits = limits.unwrap_or_default().over(&Limits::default());
        match SharedIsolateHandle::new(SharedIsolateOptions { limits }) {
            Ok(isolate) => Either::A(Self {
                connection: Arc::clone(connection.shared()),
                isolate,
                limits,
            }),
            Err(error) => Either::B(failure(&error)),
        }
    }

    /// Makes a context and loads a worker in it; delivers the context.
    #[napi(catch_unwind)]
    pub fn create_context(&self, env: &Env, ticket: i64, definition: BindingDefinitionOptions) {
        let (definition, limits) = definition.into_definition(&self.connection, &self.limits);
        let future = self.isolate.create_context(definition, None);
        self.connection
            .settle_with(env, ticket, future, move |result| match result {
                Ok(context) => {
                    let payload = Payload::Context(Arc::new(context), limits);
                    Answer {
                        head: Head::Nothing,
                        payload,
                    }
                }
                Err(error) => Answer::text(failure(&error)),
            });
    }

    /// Closes the isolate and its contexts.
    #[napi(catch_unwind)]
    pub fn close(&self, env: &Env, ticket: i64) {
        self.connection
            .settle_with(env, ticket, self.isolate.close(), empty_answer);
    }
}
