//! A context on a shared isolate.

use std::sync::Arc;

use isolane::{ExecutionContextHandle, Limits};
use napi::Env;
use napi_derive::napi;

use crate::binding_target::{BindingTarget, Target};
use crate::connection::SharedConnection;
use crate::failure::empty_answer;

/// A worker in a context of its own.
#[napi]
pub struct BindingContext {
    connection: SharedConnection,
    context: Arc<ExecutionContextHandle>,
    limits: Limits,
}

impl BindingContext {
    pub(crate) fn new(
        connection: &SharedConnection,
        context: Arc<ExecutionContextHandle>,
        limits: Limits,
    ) -> Self {
        Self {
            connection: Arc::clone(connection),
            context,
            limits,
        }
    }
}

#[napi]
impl BindingContext {
    /// Where its events go.
    #[napi(catch_unwind)]
    pub fn target(&self) -> BindingTarget {
        let target = Target::Context(Arc::clone(&self.context));
        BindingTarget::new(&self.connection, target, self.limits)
    }

    /// Closes the context.
    #[napi(catch_unwind)]
    pub fn close(&self, env: &Env, ticket: i64) {
        self.connection
            .settle_with(env, ticket, self.context.close(), empty_answer);
    }
}
