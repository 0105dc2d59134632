//! Functions of the host as the core takes them: log sinks, and the functions of `env`.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use isolane::{HostCallError, HostFunction, LogSink};
use tokio::sync::oneshot;

use crate::connection::{Reply, SharedConnection};
use crate::delivery::Delivery;
use crate::function_ref::FunctionRef;

/// A sink that hands console lines to a log handler.
pub(crate) fn log_sink(connection: &SharedConnection, function: u32) -> LogSink {
    let function = FunctionRef::new(connection, function);
    Arc::new(move |entry| {
        if let Some(connection) = function.connection() {
            connection.push_log(function.number(), entry);
        }
    })
}

/// A function of `env`, called on the JavaScript thread.
pub(crate) fn host_function(connection: &SharedConnection, function: u32) -> HostFunction {
    let function = FunctionRef::new(connection, function);
    HostFunction::structured(move |arguments| call(&function, arguments)).light()
}

fn call(
    function: &FunctionRef,
    arguments: Bytes,
) -> BoxFuture<'static, Result<Bytes, HostCallError>> {
    let (sender, receiver) = oneshot::channel();
    if let Some(connection) = function.connection() {
        let call = connection.expect(Reply::HostCall(sender));
        connection.push(Delivery::HostCall {
            call,
            function: function.number(),
            arguments,
        });
    }
    Box::pin(async move {
        receiver
            .await
            .unwrap_or_else(|_| Err(HostCallError::Failed("its thread is gone".into())))
    })
}
