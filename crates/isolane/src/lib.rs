//! Runs untrusted JavaScript workers on V8, in microseconds, with limits that hold.
//!
//! Three modes, from the most isolated to the fastest:
//!
//! | Mode | Entry | A request gets |
//! |---|---|---|
//! | Worker | [`Worker::new`] | a new isolate |
//! | SharedIsolate | [`ExecutionContext::new`] on a [`SharedIsolate`] | a new context |
//! | IsolatePool | [`execute_pooled`] | a warm isolate |

mod cache;
mod compression;
mod crypto;
mod default_pool;
mod definition;
mod demand;
mod error;
mod event_loop;
mod execution_context;
mod foreground_tasks;
mod isolate_params;
mod isolate_pool;
mod isolate_thread;
mod kept_threads;
mod limits;
mod locker_managed_isolate;
mod outbound;
pub mod platform;
mod pool;
mod process;
mod request;
mod runtime;
mod settlement;
mod shared_isolate;
mod shared_isolate_handle;
mod thread_priority;
mod typescript;
mod unentered_isolate;
mod v8_flags;
mod validation;
mod worker;

pub use cache::{
    CacheAnswer, CacheCall, CacheEntry, CacheOperation, CacheQuery, CacheStore, Caches,
    MemoryCacheStore,
};
pub use default_pool::{Deployable, default_pool, execute_pooled, get_pool_stats, init_pool};
pub use definition::{
    ContextPolicy, Env, EnvValue, HostFunction, ModuleSource, Outbound, WorkerDefinition,
};
pub use error::{Error, ErrorKind, GuestException};
pub use event_loop::{EventLoopRuntime, SchedulerGone, drain_and_process};
pub use execution_context::ExecutionContext;
pub use isolane_scheduler::{
    Body, BodyReader, BodyWriter, CallbackMessage, FetchClient, FetchError, FetchRequest,
    FetchResponse, HostCallError, RedirectMode, SchedulerMessage, StreamError, TrySendError,
};
pub use isolate_pool::IsolatePool;
pub use limits::{LimitKind, Limits};
pub use locker_managed_isolate::LockerManagedIsolate;
pub use pool::options::{PoolOptions, PoolStats, WorkerStats};
pub use process::{ChildProgram, Isolation, run_if_child};
pub use request::{
    LogEntry, LogLevel, LogSink, Request, Response, RunOptions, ScheduledEvent, Start, Usage,
};
pub use runtime::{HeapStatistics, Runtime, RuntimeHandle, RuntimeOptions};
pub use settlement::{AbortHandle, Received, RunFuture, ScheduledFuture, WorkerFuture};
pub use shared_isolate::{SharedIsolate, SharedIsolateOptions};
pub use shared_isolate_handle::{ExecutionContextHandle, SharedIsolateHandle};
pub use unentered_isolate::{IsolateLock, UnenteredIsolate};
pub use worker::{Worker, WorkerOptions};

#[doc(hidden)]
pub mod fuzz_support;

#[doc(hidden)]
pub mod bench_support {
    //! Parts that only benchmarks measure on their own.

    pub use crate::shared_isolate::new_context;
}
