//! What a worker is: its modules, its `env`, and how it may run. Plain data, owned by the host.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use isolane_scheduler::{FetchClient, HostCallError};

use crate::cache::Caches;
use crate::limits::Limits;

/// A worker's code and configuration; what a pool deploys under an id.
///
/// # Examples
///
/// ```
/// use isolane::WorkerDefinition;
///
/// let worker = WorkerDefinition::script("export default { fetch: () => new Response('hi') }");
/// assert_eq!(worker.modules.len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct WorkerDefinition {
    /// The worker's modules by name; the first is the entry. The extension says what a module is:
    /// `.js` and `.mjs` (also without extension), `.ts`, `.json`, `.wasm`, `.txt`.
    pub modules: Vec<(String, ModuleSource)>,
    /// The handler's second argument.
    pub env: Env,
    /// Whether requests share a context.
    pub context: ContextPolicy,
    /// What one request may use; `None` takes the host's (pool's, worker's) limits.
    pub limits: Option<Limits>,
    /// Whether `eval` and `new Function` work; off unless asked for.
    pub codegen: bool,
    /// Where `fetch` may go.
    pub outbound: Outbound,
    /// Where `caches` keeps responses.
    pub caches: Caches,
}

impl WorkerDefinition {
    /// A worker of one file: an ES module, or a script that calls `addEventListener`.
    pub fn script(source: impl Into<String>) -> Self {
        Self::modules([("worker.js".to_owned(), ModuleSource::Text(source.into()))])
    }

    /// A worker of several modules; the first is the entry.
    pub fn modules(modules: impl IntoIterator<Item = (String, ModuleSource)>) -> Self {
        Self {
            modules: modules.into_iter().collect(),
            env: Env::default(),
            context: ContextPolicy::default(),
            limits: None,
            codegen: false,
            outbound: Outbound::default(),
            caches: Caches::default(),
        }
    }

    /// Whether `other` would run the same: what decides if a deployed worker is replaced.
    ///
    /// Host functions, outbound clients and stores of caches are compared by identity.
    pub fn is_same(&self, other: &Self) -> bool {
        self.modules == other.modules
            && self.env == other.env
            && self.context == other.context
            && self.limits == other.limits
            && self.codegen == other.codegen
            && self.outbound.is_same(&other.outbound)
            && self.caches.is_same(&other.caches)
    }
}

impl From<&str> for WorkerDefinition {
    fn from(source: &str) -> Self {
        Self::script(source)
    }
}

impl From<String> for WorkerDefinition {
    fn from(source: String) -> Self {
        Self::script(source)
    }
}

/// The text or the bytes of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleSource {
    /// Source text.
    Text(String),
    /// Raw bytes: WebAssembly, or UTF-8 text.
    Bytes(Bytes),
}

impl ModuleSource {
    /// The module's bytes, whichever way they were given.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// Whether the requests of a worker share one context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContextPolicy {
    /// Requests share a context: module state persists between them.
    #[default]
    Reuse,
    /// Every request gets a new context.
    Fresh,
}

/// Where a worker's `fetch` may go.
#[derive(Clone, Default)]
pub enum Outbound {
    /// The public internet: no private, loopback or link-local address.
    #[default]
    Public,
    /// Nowhere.
    None,
    /// Anywhere this machine can reach.
    Any,
    /// To a client of the host's own.
    Client(Arc<dyn FetchClient>),
}

impl Outbound {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Public, Self::Public) | (Self::None, Self::None) | (Self::Any, Self::Any) => {
                true
            }
            (Self::Client(a), Self::Client(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Public => "Public",
            Self::None => "None",
            Self::Any => "Any",
            Self::Client(_) => "Client",
        })
    }
}

/// The entries of a worker's `env`, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Env(pub Vec<(String, EnvValue)>);

impl Env {
    /// Adds an entry.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<EnvValue>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }
}

/// One entry of `env`.
#[derive(Clone, Debug, PartialEq)]
pub enum EnvValue {
    /// A plain value, copied into the guest.
    Json(serde_json::Value),
    /// A function of the host's, asynchronous in the guest.
    Function(HostFunction),
    /// A group of functions: `env.store.get(…)`.
    Functions(Vec<(String, HostFunction)>),
}

impl From<serde_json::Value> for EnvValue {
    fn from(value: serde_json::Value) -> Self {
        Self::Json(value)
    }
}

impl From<HostFunction> for EnvValue {
    fn from(function: HostFunction) -> Self {
        Self::Function(function)
    }
}

type StructuredCall =
    dyn Fn(Bytes) -> BoxFuture<'static, Result<Bytes, HostCallError>> + Send + Sync;

/// How arguments and results of a host function cross the boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostCodec {
    /// V8's structured clone wire format.
    Structured,
    /// JSON text.
    Json,
}

/// A function of the host's that guests call through `env`; it returns a promise there.
#[derive(Clone)]
pub struct HostFunction {
    pub(crate) codec: HostCodec,
    pub(crate) call: Arc<StructuredCall>,
    pub(crate) is_light: bool,
}

impl HostFunction {
    /// A function over V8's structured clone wire format: the bytes hold the array of arguments,
    /// the answer holds one value.
    pub fn structured<F>(function: F) -> Self
    where
        F: Fn(Bytes) -> BoxFuture<'static, Result<Bytes, HostCallError>> + Send + Sync + 'static,
    {
        Self {
            codec: HostCodec::Structured,
            call: Arc::new(function),
            is_light: false,
        }
    }

    /// A function over JSON: it takes the array of arguments and answers with one value.
    ///
    /// # Examples
    ///
    /// ```
    /// use isolane::HostFunction;
    ///
    /// let add = HostFunction::json(|args| {
    ///     Box::pin(async move {
    ///         let sum: f64 = args.as_array().into_iter().flatten().filter_map(|v| v.as_f64()).sum();
    ///         Ok(sum.into())
    ///     })
    /// });
    /// ```
    pub fn json<F>(function: F) -> Self
    where
        F: Fn(serde_json::Value) -> BoxFuture<'static, Result<serde_json::Value, HostCallError>>
            + Send
            + Sync
            + 'static,
    {
        let call = move |bytes: Bytes| -> BoxFuture<'static, Result<Bytes, HostCallError>> {
            let args = serde_json::from_slice(&bytes).unwrap_or(serde_json::Value::Null);
            let answer = function(args);
            Box::pin(async move { Ok(Bytes::from(answer.await?.to_string())) })
        };
        Self {
            codec: HostCodec::Json,
            call: Arc::new(call),
            is_light: false,
        }
    }

    /// Says that its futures do next to nothing when they are polled, as one that awaits a channel.
    ///
    /// They are polled by whoever wakes them then, for the first time while the isolate is locked, and not
    /// by an executor: they may use no timers or sockets. That spares a call two changes of thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use isolane::{HostCallError, HostFunction};
    ///
    /// let ask = HostFunction::json(|_| {
    ///     let (reply, answer) = tokio::sync::oneshot::channel::<u32>();
    ///     std::thread::spawn(move || reply.send(42));
    ///     Box::pin(async {
    ///         let answer = answer.await;
    ///         answer.map(Into::into).map_err(|_| HostCallError::rejected("no answer"))
    ///     })
    /// })
    /// .light();
    /// ```
    #[must_use]
    pub fn light(mut self) -> Self {
        self.is_light = true;
        self
    }
}

impl std::fmt::Debug for HostFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostFunction")
    }
}

impl PartialEq for HostFunction {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.call, &other.call)
    }
}
