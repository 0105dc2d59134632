//! Pools, and the process's default pool.

use std::sync::{Arc, OnceLock};

use isolane::{IsolatePool, Limits, default_pool, get_pool_stats, init_pool};
use napi::Env;
use napi::bindgen_prelude::Either;
use napi_derive::napi;

use crate::binding_connection::BindingConnection;
use crate::binding_definition::BindingDefinitionOptions;
use crate::binding_pool_options::BindingPoolOptions;
use crate::binding_pool_stats::BindingPoolStats;
use crate::binding_target::{BindingTarget, Target, WorkerLimits};
use crate::connection::{SharedConnection, lock};
use crate::failure::{empty_answer, failure};

/// The default pool's limits, which its workers' own limits go over; set where it is configured.
static DEFAULT_POOL_LIMITS: OnceLock<Limits> = OnceLock::new();

/// A pool of isolates.
#[napi]
pub struct BindingPool {
    connection: SharedConnection,
    pool: IsolatePool,
    limits: Limits,
    worker_limits: WorkerLimits,
}

#[napi]
impl BindingPool {
    /// Makes a pool.
    #[napi(catch_unwind)]
    pub fn create(
        connection: &BindingConnection,
        options: BindingPoolOptions,
    ) -> Either<BindingPool, String> {
        let connection = connection.shared();
        let options = options.into_options(connection);
        let limits = options.limits;
        match IsolatePool::new(options) {
            Ok(pool) => Either::A(Self {
                connection: Arc::clone(connection),
                pool,
                limits,
                worker_limits: Arc::default(),
            }),
            Err(error) => Either::B(failure(&error)),
        }
    }

    /// Configures the default pool; answers with a failure, or nothing.
    #[napi(catch_unwind)]
    pub fn init_default(
        connection: &BindingConnection,
        options: BindingPoolOptions,
    ) -> Option<String> {
        let options = options.into_options(connection.shared());
        let limits = options.limits;
        match init_pool(options) {
            Ok(()) => {
                // Nobody else configured it, so nobody else has set this.
                let _ = DEFAULT_POOL_LIMITS.set(limits);
                None
            }
            Err(error) => Some(failure(&error)),
        }
    }

    /// A worker on the default pool, which each request deploys where it is new.
    #[napi(catch_unwind)]
    pub fn default_target(
        connection: &BindingConnection,
        id: String,
        definition: BindingDefinitionOptions,
    ) -> Either<BindingTarget, String> {
        let connection = connection.shared();
        let pool = match default_pool() {
            Ok(pool) => pool,
            Err(error) => return Either::B(failure(&error)),
        };
        let base = DEFAULT_POOL_LIMITS.get().copied().unwrap_or_default();
        let (definition, limits) = definition.into_definition(connection, &base);
        let target = Target::Pooled {
            pool,
            id,
            definition: Arc::new(definition),
        };
        Either::A(BindingTarget::new(connection, target, limits))
    }

    /// Serves a pool of the parent process, where this process was started for that, and then never
    /// returns; else does nothing.
    #[napi(catch_unwind)]
    pub fn run_if_child() {
        isolane::run_if_child();
    }

    /// The counters of the default pool.
    #[napi(catch_unwind)]
    pub fn default_stats() -> BindingPoolStats {
        get_pool_stats().into()
    }

    /// Puts a worker under an id.
    #[napi(catch_unwind)]
    pub fn deploy(&self, env: &Env, ticket: i64, id: String, definition: BindingDefinitionOptions) {
        let (definition, limits) = definition.into_definition(&self.connection, &self.limits);
        let future = self.pool.begin_deploy(&id, definition);
        let worker_limits = Arc::clone(&self.worker_limits);
        self.connection
            .settle_with(env, ticket, future, move |deployed| {
                // A worker that does not load leaves the present one and its limits in place.
                if deployed.is_ok() {
                    lock(&worker_limits).insert(id, limits);
                }
                empty_answer(deployed)
            });
    }

    /// The worker under an id, whether there is one or not.
    #[napi(catch_unwind)]
    pub fn target(&self, id: String) -> BindingTarget {
        let target = Target::Deployed {
            pool: self.pool.clone(),
            id,
            limits: Arc::clone(&self.worker_limits),
        };
        BindingTarget::new(&self.connection, target, self.limits)
    }

    /// Takes a worker out of the pool; whether there was one.
    #[napi(catch_unwind)]
    pub fn evict(&self, id: String) -> bool {
        lock(&self.worker_limits).remove(&id);
        self.pool.evict(&id)
    }

    /// The pool's counters.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> BindingPoolStats {
        self.pool.stats().into()
    }

    /// Closes the pool.
    #[napi(catch_unwind)]
    pub fn close(&self, env: &Env, ticket: i64) {
        self.connection
            .settle_with(env, ticket, self.pool.close(), empty_answer);
    }
}
