//! What events are sent to, in every mode: a worker in a pool, a worker with isolates of its own, a
//! context.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use isolane::{
    Body, ExecutionContextHandle, IsolatePool, Limits, Request, RunOptions, ScheduledEvent,
    ScheduledFuture, Worker, WorkerDefinition, WorkerFuture,
};
use napi::Env;
use napi::bindgen_prelude::{Either3, Uint8Array};
use napi_derive::napi;

use crate::binding_run_options::BindingRunOptions;
use crate::connection::{SharedConnection, lock};
use crate::delivery::BindingCell;
use crate::message_head::{fetch_answer, parse_request_head, scheduled_answer};

/// Limits of deployed workers that have their own; JavaScript thread only.
pub(crate) type WorkerLimits = Arc<Mutex<HashMap<String, Limits>>>;

/// Where the events go.
pub(crate) enum Target {
    /// A worker that the pool is told about with each request.
    Pooled {
        pool: IsolatePool,
        id: String,
        definition: Arc<WorkerDefinition>,
    },
    /// Whichever worker is deployed under an id.
    Deployed {
        pool: IsolatePool,
        id: String,
        limits: WorkerLimits,
    },
    Worker(Arc<Worker>),
    Context(Arc<ExecutionContextHandle>),
}

/// What events are sent to.
#[napi]
pub struct BindingTarget {
    connection: SharedConnection,
    target: Target,
    /// The limits of its requests, where a call does not say otherwise.
    limits: Limits,
}

impl BindingTarget {
    pub(crate) fn new(connection: &SharedConnection, target: Target, limits: Limits) -> Self {
        Self {
            connection: Arc::clone(connection),
            target,
            limits,
        }
    }

    fn options(&self, options: Option<&BindingRunOptions>) -> RunOptions {
        let Some(given) = options else {
            return RunOptions::default();
        };
        let own = match &self.target {
            Target::Deployed { id, limits, .. } => lock(limits).get(id).copied(),
            _ => None,
        };
        given.over(&self.connection, &own.unwrap_or(self.limits))
    }

    fn start_fetch(&self, request: Request, options: RunOptions) -> WorkerFuture {
        match &self.target {
            Target::Pooled {
                pool,
                id,
                definition,
            } => pool.execute(id, definition, request, options),
            Target::Deployed { pool, id, .. } => pool.fetch(id, request, options),
            Target::Worker(worker) => worker.fetch(request, options),
            Target::Context(context) => context.fetch(request, options),
        }
    }

    fn start_scheduled(&self, event: ScheduledEvent, options: RunOptions) -> ScheduledFuture {
        match &self.target {
            Target::Pooled { pool, id, .. } | Target::Deployed { pool, id, .. } => {
                pool.scheduled(id, event, options)
            }
            Target::Worker(worker) => worker.scheduled(event, options),
            Target::Context(context) => context.scheduled(event, options),
        }
    }
}

#[napi]
impl BindingTarget {
    /// Sends a request. The answer is returned if it comes at once, else delivered to the ticket; no cells mean that
    /// `takeGathered` is to be called besides. A body of `true` is sent later, by `sendBody` or `BindingBodyWriter`.
    #[napi(catch_unwind)]
    // `expect` would not do: the macro copies it to where the lint does not look.
    #[allow(
        clippy::too_many_arguments,
        reason = "an object in their place costs a read each"
    )]
    pub fn fetch(
        &self,
        env: &Env,
        ticket: i64,
        head: String,
        body: Option<Either3<String, Uint8Array, bool>>,
        options: Option<BindingRunOptions>,
    ) -> Option<Vec<BindingCell>> {
        let head = parse_request_head(&head);
        let body = match body {
            None => Body::Empty,
            Some(Either3::A(text)) => Body::Text(text),
            Some(Either3::B(bytes)) => Body::Bytes(Bytes::copy_from_slice(&bytes)),
            Some(Either3::C(_)) => self.connection.expect_body(ticket),
        };
        let request = Request {
            method: head.method,
            url: head.url,
            headers: head.headers,
            body,
        };
        let body_comes_later = matches!(request.body, Body::Stream(_));
        let future = self.start_fetch(request, self.options(options.as_ref()));
        if body_comes_later {
            // It is for this thread to send: there is no answer to wait for before.
            self.connection
                .settle_with(env, ticket, future, fetch_answer);
            return None;
        }
        self.connection.answer(env, ticket, future, fetch_answer)
    }

    /// Sends a scheduled event; its usage is returned or delivered as a response is.
    #[napi(catch_unwind)]
    // `expect` would not do: the macro copies it to where the lint does not look.
    #[allow(
        clippy::too_many_arguments,
        reason = "an object in their place costs a read each"
    )]
    pub fn scheduled(
        &self,
        env: &Env,
        ticket: i64,
        cron: String,
        time_ms: f64,
        options: Option<BindingRunOptions>,
    ) -> Option<Vec<BindingCell>> {
        let event = ScheduledEvent {
            cron,
            scheduled_time_ms: time_ms,
        };
        let future = self.start_scheduled(event, self.options(options.as_ref()));
        self.connection
            .answer(env, ticket, future, scheduled_answer)
    }
}
