//! V8's compiled code, kept by the hash of its source for all isolates of the process, so that a
//! worker that ran before starts without parsing. What goes in was produced here; nothing else may.
//!
//! To write code down takes V8 longer than to compile most modules, so that is done for a source that
//! is compiled for the second time: most are never seen again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

/// The most that the cache holds; the least recently used go first.
const MAX_BYTES: usize = 64 << 20;

/// How many sources are remembered of which no code is kept; beyond it all are forgotten.
const MAX_SEEN: usize = 10_000;

type Key = [u8; 32];

#[derive(Default)]
struct CodeCache {
    /// What was compiled once.
    seen: HashSet<Key>,
    entries: HashMap<Key, (Arc<[u8]>, u64)>,
    bytes: usize,
    tick: u64,
}

impl CodeCache {
    fn get(&mut self, key: &Key) -> Option<Arc<[u8]>> {
        self.tick += 1;
        let (code, used) = self.entries.get_mut(key)?;
        *used = self.tick;
        Some(code.clone())
    }

    /// Notes that a source was compiled; says whether its code is worth keeping.
    fn note_compiled(&mut self, key: &Key) -> bool {
        if self.seen.remove(key) {
            return true;
        }
        if self.seen.len() >= MAX_SEEN {
            self.seen.clear();
        }
        self.seen.insert(*key);
        false
    }

    fn insert(&mut self, key: Key, code: Arc<[u8]>) {
        self.tick += 1;
        self.bytes += code.len();
        if let Some((old, _)) = self.entries.insert(key, (code, self.tick)) {
            self.bytes -= old.len();
        }
        while self.bytes > MAX_BYTES {
            let oldest = self.entries.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(key, _)| *key) else {
                return;
            };
            if let Some((code, _)) = self.entries.remove(&oldest) {
                self.bytes -= code.len();
            }
        }
    }
}

fn cache() -> &'static Mutex<CodeCache> {
    static CACHE: OnceLock<Mutex<CodeCache>> = OnceLock::new();
    CACHE.get_or_init(Mutex::default)
}

/// Compiles a module, from the cache where its source was seen before.
pub(crate) fn compile_module<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    origin: &v8::ScriptOrigin,
    text: &str,
) -> Option<v8::Local<'s, v8::Module>> {
    let key: Key = Sha256::digest(text.as_bytes()).into();
    let code = v8::String::new(scope, text)?;
    // The guard is gone before V8 runs.
    let cached = cache().lock().get(&key);
    if let Some(cached) = cached {
        let data = v8::script_compiler::CachedData::new(&cached);
        let mut source =
            v8::script_compiler::Source::new_with_cached_data(code, Some(origin), data);
        return v8::script_compiler::compile_module2(
            scope,
            &mut source,
            v8::script_compiler::CompileOptions::ConsumeCodeCache,
            v8::script_compiler::NoCacheReason::NoReason,
        );
    }
    let mut source = v8::script_compiler::Source::new(code, Some(origin));
    let module = v8::script_compiler::compile_module(scope, &mut source)?;
    let is_worth_keeping = cache().lock().note_compiled(&key);
    let unbound = module.get_unbound_module_script(scope);
    if is_worth_keeping && let Some(data) = unbound.create_code_cache() {
        cache().lock().insert(key, Arc::from(&data[..]));
    }
    Some(module)
}
