//! Where workers' `caches` keep responses: the trait that hosts can implement, and what it speaks of.
//! Stores are asked on the scheduler's threads, light ones on the guest's.

mod memory;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use isolane_scheduler::HostCallError;

pub use memory::MemoryCacheStore;

/// Keeps the responses of workers' `caches`.
///
/// One store serves one [`WorkerDefinition`](crate::WorkerDefinition); where a definition is deployed
/// under several ids, [`CacheCall::worker_id`] tells them apart, and what one of them kept must not be
/// given to another.
pub trait CacheStore: Send + Sync {
    /// Does one operation.
    ///
    /// # Errors
    ///
    /// The guest's promise is rejected with what [`HostCallError::Rejected`] says; other failures
    /// keep their text from the guest.
    fn run(&self, call: CacheCall) -> BoxFuture<'static, Result<CacheAnswer, HostCallError>>;

    /// Whether [`CacheStore::run`] and its futures take microseconds and wait for nothing but a channel.
    ///
    /// They run on the guest's own thread then, charged to its request, and on those of whoever wakes them; not
    /// on an executor: they may use no timers or sockets. That spares an operation two changes of thread.
    fn is_light(&self) -> bool {
        false
    }
}

/// What a worker asks of its store.
#[derive(Clone, Debug)]
pub struct CacheCall {
    /// The id under which the worker is deployed; `None` where it has none.
    pub worker_id: Option<Arc<str>>,
    /// What is to be done.
    pub operation: CacheOperation,
}

/// The operations of `CacheStorage` and `Cache`.
#[derive(Clone, Debug)]
pub enum CacheOperation {
    /// Makes a cache where there is none of that name. Answer: [`CacheAnswer::Done`].
    Open(String),
    /// Answer: [`CacheAnswer::Done`], whether there is a cache of that name.
    Has(String),
    /// Drops a cache. Answer: [`CacheAnswer::Done`], whether there was one.
    Drop(String),
    /// Answer: [`CacheAnswer::Names`], in the order in which the caches were made.
    Names,
    /// Answer: [`CacheAnswer::Entries`], those that match in the order in which they were put.
    Match {
        /// The cache; `None` asks all of them in turn.
        cache: Option<String>,
        /// What is looked for; `None` finds everything.
        query: Option<CacheQuery>,
        /// Only the first that matches.
        first: bool,
    },
    /// Puts entries, each in place of those that match its own request. Answer: [`CacheAnswer::Done`].
    Put {
        /// The cache.
        cache: String,
        /// What is kept.
        entries: Vec<CacheEntry>,
    },
    /// Removes what matches. Answer: [`CacheAnswer::Done`], whether anything did.
    Delete {
        /// The cache.
        cache: String,
        /// What is looked for.
        query: CacheQuery,
    },
}

/// What a store answers.
#[derive(Clone, Debug)]
pub enum CacheAnswer {
    /// It is done; or whether something was there.
    Done(bool),
    /// Names of caches.
    Names(Vec<String>),
    /// Kept responses with their requests.
    Entries(Vec<CacheEntry>),
}

/// A kept response and the request that it answered, which was a GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheEntry {
    /// The request's URL without a fragment.
    pub url: String,
    /// The request's headers, with names in lower case.
    pub request_headers: Vec<(String, String)>,
    /// The response's status.
    pub status: u16,
    /// The response's reason phrase.
    pub status_text: String,
    /// The URL that the response came from, or the empty string.
    pub response_url: String,
    /// The response's headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The response's body; `None` where it has none.
    pub body: Option<Bytes>,
}

/// What is looked for in a cache.
#[derive(Clone, Debug)]
pub struct CacheQuery {
    /// The request's URL without a fragment.
    pub url: String,
    /// The request's headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// Whether URLs that differ in their query are the same.
    pub ignore_search: bool,
    /// Whether the responses' `Vary` counts for nothing.
    pub ignore_vary: bool,
}

impl CacheQuery {
    /// Whether an entry is what is looked for
    /// (<https://w3c.github.io/ServiceWorker/#request-matches-cached-item>).
    pub fn matches(&self, entry: &CacheEntry) -> bool {
        let path = |url: &str| url.split('?').next().unwrap_or(url).to_owned();
        let same_url = if self.ignore_search {
            path(&self.url) == path(&entry.url)
        } else {
            self.url == entry.url
        };
        same_url && (self.ignore_vary || self.varies_not(entry))
    }

    /// Whether the requests have the same of all headers that the response varies by.
    fn varies_not(&self, entry: &CacheEntry) -> bool {
        let vary = entry.headers.iter().filter(|(name, _)| name == "vary");
        let mut fields = vary.flat_map(|(_, value)| value.split(',').map(str::trim));
        fields.all(|field| {
            let field = field.to_ascii_lowercase();
            field != "*"
                && combined(&self.headers, &field) == combined(&entry.request_headers, &field)
        })
    }
}

/// All values of a header as one; `None` where it is not there.
fn combined(headers: &[(String, String)], name: &str) -> Option<String> {
    let values = headers.iter().filter(|(header, _)| header == name);
    let values: Vec<_> = values.map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// The store of a worker's `caches`.
#[derive(Clone)]
pub struct Caches {
    store: Arc<dyn CacheStore>,
    is_own: bool,
}

impl Caches {
    /// Caches in a store of the host's.
    ///
    /// Workers in a child process keep their responses in the child's memory whatever is given here.
    pub fn new(store: Arc<dyn CacheStore>) -> Self {
        Self {
            store,
            is_own: false,
        }
    }

    pub(crate) fn store(&self) -> &Arc<dyn CacheStore> {
        &self.store
    }

    /// Whether two definitions would keep their responses alike.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.is_own && other.is_own) || Arc::ptr_eq(&self.store, &other.store)
    }
}

impl Default for Caches {
    /// Caches in the memory of this process, see [`MemoryCacheStore`].
    fn default() -> Self {
        Self {
            store: Arc::new(MemoryCacheStore::default()),
            is_own: true,
        }
    }
}

impl std::fmt::Debug for Caches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_own { "Memory" } else { "Store" })
    }
}
