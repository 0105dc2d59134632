//! The store that workers have unless their host gives them another: in memory, bounded, and without
//! what was used least recently. Shared by threads; each operation is short and holds one lock.

use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use isolane_scheduler::HostCallError;
use parking_lot::Mutex;

use super::{CacheAnswer, CacheCall, CacheEntry, CacheOperation, CacheQuery, CacheStore};

const DEFAULT_MAX_BYTES: usize = 16 << 20;
const DEFAULT_MAX_ENTRIES: usize = 1024;
/// How many caches there may be: names cost too, and are not evicted.
const MAX_CACHES: usize = 64;
/// The longest name of a cache.
const MAX_NAME_BYTES: usize = 1024;
/// What an entry costs beside its texts and its body.
const ENTRY_BYTES: usize = 256;

/// Keeps responses in the memory of this process, up to a number of bytes and entries; past these,
/// what was used least recently goes.
pub struct MemoryCacheStore {
    max_bytes: usize,
    max_entries: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    caches: Vec<NamedCache>,
    bytes: usize,
    entries: usize,
    /// Counts uses: the highest is the latest.
    tick: u64,
}

struct NamedCache {
    worker_id: Option<Arc<str>>,
    name: String,
    entries: Vec<Kept>,
}

struct Kept {
    entry: CacheEntry,
    bytes: usize,
    used: u64,
}

impl MemoryCacheStore {
    /// A store of at most `max_bytes` (texts and bodies) in at most `max_entries` responses.
    pub fn new(max_bytes: usize, max_entries: usize) -> Self {
        Self {
            max_bytes,
            max_entries,
            state: Mutex::default(),
        }
    }

    fn answer(&self, call: CacheCall) -> Result<CacheAnswer, HostCallError> {
        let mut state = self.state.lock();
        let worker = &call.worker_id;
        Ok(match call.operation {
            CacheOperation::Open(name) => {
                state.open(worker, &name)?;
                CacheAnswer::Done(true)
            }
            CacheOperation::Has(name) => CacheAnswer::Done(state.find(worker, &name).is_some()),
            CacheOperation::Drop(name) => CacheAnswer::Done(state.drop_cache(worker, &name)),
            CacheOperation::Names => {
                let own = state
                    .caches
                    .iter()
                    .filter(|cache| cache.worker_id == *worker);
                CacheAnswer::Names(own.map(|cache| cache.name.clone()).collect())
            }
            CacheOperation::Match {
                cache,
                query,
                first,
            } => CacheAnswer::Entries(state.matching(
                worker,
                cache.as_deref(),
                query.as_ref(),
                first,
            )),
            CacheOperation::Put { cache, entries } => {
                for entry in entries {
                    self.put(&mut state, worker, &cache, entry)?;
                }
                CacheAnswer::Done(true)
            }
            CacheOperation::Delete { cache, query } => {
                CacheAnswer::Done(state.delete(worker, &cache, &query))
            }
        })
    }

    fn put(
        &self,
        state: &mut State,
        worker: &Option<Arc<str>>,
        cache: &str,
        mut entry: CacheEntry,
    ) -> Result<(), HostCallError> {
        let bytes = size_of(&entry);
        if bytes > self.max_bytes {
            return Err(quota("The response is too large to be kept"));
        }
        let query = CacheQuery {
            url: entry.url.clone(),
            headers: entry.request_headers.clone(),
            ignore_search: false,
            ignore_vary: false,
        };
        state.delete(worker, cache, &query);
        while state.entries > 0
            && (state.bytes + bytes > self.max_bytes || state.entries >= self.max_entries)
        {
            state.evict();
        }
        // A copy: what the guest handed over counts against its own memory for as long as it lives.
        entry.body = entry.body.map(|body| Bytes::copy_from_slice(&body));
        let at = state.open(worker, cache)?;
        let used = state.next_tick();
        state.bytes += bytes;
        state.entries += 1;
        state.caches[at].entries.push(Kept { entry, bytes, used });
        Ok(())
    }
}

impl Default for MemoryCacheStore {
    /// A store of 16 MiB in at most 1024 responses.
    fn default() -> Self {
        Self::new(DEFAULT_MAX_BYTES, DEFAULT_MAX_ENTRIES)
    }
}

impl CacheStore for MemoryCacheStore {
    fn run(&self, call: CacheCall) -> BoxFuture<'static, Result<CacheAnswer, HostCallError>> {
        ready(self.answer(call)).boxed()
    }

    fn is_light(&self) -> bool {
        true
    }
}

impl State {
    fn find(&self, worker: &Option<Arc<str>>, name: &str) -> Option<usize> {
        let same = |cache: &NamedCache| cache.worker_id == *worker && cache.name == name;
        self.caches.iter().position(same)
    }

    fn open(&mut self, worker: &Option<Arc<str>>, name: &str) -> Result<usize, HostCallError> {
        if let Some(at) = self.find(worker, name) {
            return Ok(at);
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(quota("The name of the cache is too long"));
        }
        let own = |cache: &&NamedCache| cache.worker_id == *worker;
        if self.caches.iter().filter(own).count() >= MAX_CACHES {
            return Err(quota("There are too many caches"));
        }
        self.caches.push(NamedCache {
            worker_id: worker.clone(),
            name: name.to_owned(),
            entries: Vec::new(),
        });
        Ok(self.caches.len() - 1)
    }

    fn drop_cache(&mut self, worker: &Option<Arc<str>>, name: &str) -> bool {
        let Some(at) = self.find(worker, name) else {
            return false;
        };
        let cache = self.caches.remove(at);
        self.forget(&cache.entries);
        true
    }

    fn matching(
        &mut self,
        worker: &Option<Arc<str>>,
        name: Option<&str>,
        query: Option<&CacheQuery>,
        first: bool,
    ) -> Vec<CacheEntry> {
        let used = self.next_tick();
        let mut found = Vec::new();
        for cache in &mut self.caches {
            if cache.worker_id != *worker || name.is_some_and(|name| name != cache.name) {
                continue;
            }
            for kept in &mut cache.entries {
                if query.is_none_or(|query| query.matches(&kept.entry)) {
                    kept.used = used;
                    found.push(kept.entry.clone());
                    if first {
                        return found;
                    }
                }
            }
        }
        found
    }

    fn delete(&mut self, worker: &Option<Arc<str>>, name: &str, query: &CacheQuery) -> bool {
        let Some(at) = self.find(worker, name) else {
            return false;
        };
        let entries = std::mem::take(&mut self.caches[at].entries);
        let (gone, kept) = entries
            .into_iter()
            .partition(|kept| query.matches(&kept.entry));
        self.caches[at].entries = kept;
        self.forget(&gone);
        !gone.is_empty()
    }

    /// Removes what was used least recently.
    fn evict(&mut self) {
        let entries = self.caches.iter().enumerate().flat_map(|(cache, named)| {
            let entries = named.entries.iter().enumerate();
            entries.map(move |(at, kept)| (kept.used, cache, at))
        });
        if let Some((_, cache, at)) = entries.min() {
            let gone = self.caches[cache].entries.remove(at);
            self.forget(&[gone]);
        }
    }

    fn forget(&mut self, gone: &[Kept]) {
        self.entries -= gone.len();
        self.bytes -= gone.iter().map(|kept| kept.bytes).sum::<usize>();
    }

    fn next_tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }
}

fn quota(message: &str) -> HostCallError {
    HostCallError::Rejected {
        name: "QuotaExceededError".to_owned(),
        message: message.to_owned(),
    }
}

fn size_of(entry: &CacheEntry) -> usize {
    let headers = entry.request_headers.iter().chain(&entry.headers);
    let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
    let texts = entry.url.len() + entry.response_url.len() + entry.status_text.len();
    let body = entry.body.as_ref().map_or(0, Bytes::len);
    ENTRY_BYTES + headers + texts + body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(url: &str, body: usize) -> CacheEntry {
        CacheEntry {
            url: url.to_owned(),
            request_headers: Vec::new(),
            status: 200,
            status_text: String::new(),
            response_url: String::new(),
            headers: Vec::new(),
            body: Some(vec![0; body].into()),
        }
    }

    fn answer(
        store: &MemoryCacheStore,
        worker: &str,
        operation: CacheOperation,
    ) -> Result<CacheAnswer, HostCallError> {
        let worker_id = Some(worker.into());
        store.answer(CacheCall {
            worker_id,
            operation,
        })
    }

    fn run(store: &MemoryCacheStore, worker: &str, operation: CacheOperation) -> CacheAnswer {
        answer(store, worker, operation).unwrap()
    }

    fn keep(
        store: &MemoryCacheStore,
        worker: &str,
        entry: CacheEntry,
    ) -> Result<CacheAnswer, HostCallError> {
        let (cache, entries) = ("c".to_owned(), vec![entry]);
        answer(store, worker, CacheOperation::Put { cache, entries })
    }

    fn put(store: &MemoryCacheStore, worker: &str, url: &str) {
        keep(store, worker, entry(url, 1000)).unwrap();
    }

    fn urls(store: &MemoryCacheStore, worker: &str) -> Vec<String> {
        let all = CacheOperation::Match {
            cache: None,
            query: None,
            first: false,
        };
        match run(store, worker, all) {
            CacheAnswer::Entries(entries) => entries.into_iter().map(|one| one.url).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_used_least_recently_goes() {
        let store = MemoryCacheStore::new(1 << 20, 2);
        put(&store, "w", "a");
        put(&store, "w", "b");
        let query = CacheQuery {
            url: "a".to_owned(),
            headers: Vec::new(),
            ignore_search: false,
            ignore_vary: false,
        };
        let look = CacheOperation::Match {
            cache: Some("c".to_owned()),
            query: Some(query),
            first: true,
        };
        run(&store, "w", look);
        put(&store, "w", "c");
        assert_eq!(urls(&store, "w"), ["a", "c"]);
    }

    #[test]
    fn bytes_are_bounded() {
        let store = MemoryCacheStore::new(4000, 100);
        for url in ["a", "b", "c", "d"] {
            put(&store, "w", url);
        }
        assert_eq!(urls(&store, "w"), ["b", "c", "d"]);
        assert!(keep(&store, "w", entry("e", 5000)).is_err());
        run(&store, "w", CacheOperation::Drop("c".to_owned()));
        assert_eq!(store.state.lock().bytes, 0);
    }

    #[test]
    fn the_default_store_keeps_at_most_16_mib() {
        let store = MemoryCacheStore::default();
        assert!(keep(&store, "w", entry("a", (16 << 20) - 1000)).is_ok());
        assert!(keep(&store, "w", entry("b", 16 << 20)).is_err());
    }

    #[test]
    fn deployments_do_not_see_each_other() {
        let store = MemoryCacheStore::default();
        put(&store, "one", "a");
        assert_eq!(urls(&store, "two"), [] as [String; 0]);
        assert_eq!(urls(&store, "one"), ["a"]);
    }
}
