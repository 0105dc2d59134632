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
use crate::failure::failure;

/// One isolate on one thread.
#[napi]
pub struct BindingSharedIsolate {
    connection: SharedConnection,
    isolate: Arc<SharedIsolateHandle>,
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
                isolate: Arc::new(isolate),
                limits,
            }),
            Err(error) => Either::B(failure(&error)),
        }
    }

    /// Makes a context and loads a worker in it; delivers the context.
    #[napi(catch_unwind)]
    pub fn create_context(&self, env: &Env, ticket: i64, definition: BindingDefinitionOptions) {
        let (definition, limits) = definition.into_definition(&self.connection, &self.limits);
        let isolate = Arc::clone(&self.isolate);
        let create = async move {
            match isolate.create_context(definition).await {
                Ok(context) => Answer {
                    head: Head::Nothing,
                    payload: Payload::Context(context, limits),
                },
                Err(error) => Answer::text(failure(&error)),
            }
        };
        self.connection.run(env, ticket, Box::pin(create));
    }

    /// Closes the isolate and its contexts.
    #[napi(catch_unwind)]
    pub fn close(&self, env: &Env, ticket: i64) {
        let isolate = Arc::clone(&self.isolate);
        let close = async move {
            isolate.close().await;
            Answer::nothing()
        };
        self.connection.run(env, ticket, Box::pin(close));
    }
}
