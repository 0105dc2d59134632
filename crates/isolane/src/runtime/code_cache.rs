//! V8's compiled code, kept by the hash of its source for all isolates of the process, so that a
//! worker that ran before starts without parsing. What goes in was produced here; nothing else may.
//!
//! To write code down takes V8 a quarter of the time that it saves the next isolate. That is done for bundles, and
//! for small sources that are compiled for the second time: most are never seen again, and what they take
//! is little. And it is done when the worker has run, soon after its first request, and once more when it rests
//! or its isolate goes: what V8 compiles at the first calls is then part of it.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

/// The most that the cache holds; the least recently used go first.
const MAX_BYTES: usize = 64 << 20;

/// The most that the code of one source may take: one worker must not drive out all others'.
const MAX_ENTRY_BYTES: usize = MAX_BYTES / 8;

/// What is not small.
const BUNDLE_BYTES: usize = 4 << 10;

/// How many sources are remembered of which no code is kept; beyond it all are forgotten.
const MAX_SEEN: usize = 10_000;

type Key = [u8; 32];

/// How far a source is of which no code is kept yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// It was compiled once, or the isolate that was to write its code down is gone.
    Once,
    /// An isolate has it, which is to write its code down.
    Awaited,
    /// Its code is too large.
    TooLarge,
}

#[derive(Default)]
struct CodeCache {
    seen: HashMap<Key, Seen>,
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

    /// Notes that a source was compiled; says whether who did that is to write the code down.
    fn note_compiled(&mut self, key: &Key, source_bytes: usize) -> bool {
        let next = match self.seen.get(key) {
            None if source_bytes < BUNDLE_BYTES => Seen::Once,
            None => Seen::Awaited,
            Some(Seen::Once) => Seen::Awaited,
            Some(Seen::Awaited | Seen::TooLarge) => return false,
        };
        if self.seen.len() >= MAX_SEEN {
            self.seen.clear();
        }
        self.seen.insert(*key, next);
        next == Seen::Awaited
    }

    /// Who was to write a source's code down does not do that any more.
    fn note_given_up(&mut self, key: &Key) {
        if let Some(seen @ Seen::Awaited) = self.seen.get_mut(key) {
            *seen = Seen::Once;
        }
    }

    fn insert(&mut self, key: Key, code: Arc<[u8]>) {
        if code.len() > MAX_ENTRY_BYTES {
            self.seen.insert(key, Seen::TooLarge);
            return;
        }
        self.tick += 1;
        self.seen.remove(&key);
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

/// A module whose code is to be written down.
pub(crate) struct CodeToKeep {
    key: Key,
    script: v8::Global<v8::UnboundModuleScript>,
}

impl CodeToKeep {
    /// Writes down what V8 has compiled of the module until now.
    pub(crate) fn keep(&self, scope: &v8::PinScope<'_, '_, ()>) {
        let script = v8::Local::new(scope, &self.script);
        if let Some(data) = script.create_code_cache() {
            cache().lock().insert(self.key, Arc::from(&data[..]));
        }
    }
}

impl Drop for CodeToKeep {
    fn drop(&mut self) {
        // Nothing where it was kept.
        cache().lock().note_given_up(&self.key);
    }
}

/// Compiles a module, from the cache where its source was seen before; says whether its code is to be kept.
pub(crate) fn compile_module<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    origin: &v8::ScriptOrigin,
    text: &str,
) -> Option<(v8::Local<'s, v8::Module>, Option<CodeToKeep>)> {
    let key: Key = Sha256::digest(text.as_bytes()).into();
    let code = v8::String::new(scope, text)?;
    // The guard is gone before V8 runs.
    let cached = cache().lock().get(&key);
    if let Some(cached) = cached {
        let data = v8::script_compiler::CachedData::new(&cached);
        let mut source =
            v8::script_compiler::Source::new_with_cached_data(code, Some(origin), data);
        let module = v8::script_compiler::compile_module2(
            scope,
            &mut source,
            v8::script_compiler::CompileOptions::ConsumeCodeCache,
            v8::script_compiler::NoCacheReason::NoReason,
        )?;
        return Some((module, None));
    }
    let mut source = v8::script_compiler::Source::new(code, Some(origin));
    let module = v8::script_compiler::compile_module2(
        scope,
        &mut source,
        options_for_new(text),
        v8::script_compiler::NoCacheReason::NoReason,
    )?;
    let is_to_be_kept = cache().lock().note_compiled(&key, text.len());
    let to_keep = is_to_be_kept.then(|| CodeToKeep {
        key,
        script: v8::Global::new(scope, module.get_unbound_module_script(scope)),
    });
    Some((module, to_keep))
}

/// A small source is compiled with all its functions: V8 would look through them now, and parse them once more at the
/// first request. Most of a bundle's are never called.
fn options_for_new(text: &str) -> v8::script_compiler::CompileOptions {
    if text.len() < BUNDLE_BYTES {
        v8::script_compiler::CompileOptions::EagerCompile
    } else {
        v8::script_compiler::CompileOptions::NoCompileOptions
    }
}

/// Whether there is code of that source.
#[cfg(test)]
pub(crate) fn has_code_of(text: &str) -> bool {
    let key: Key = Sha256::digest(text.as_bytes()).into();
    cache().lock().entries.contains_key(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = [1; 32];

    fn code(bytes: usize) -> Arc<[u8]> {
        vec![0; bytes].into()
    }

    #[test]
    fn one_of_those_that_compile_a_source_again_is_to_write_its_code_down() {
        let mut cache = CodeCache::default();
        let asked = [(); 4].map(|()| cache.note_compiled(&KEY, 10));
        assert_eq!(asked, [false, true, false, false]);
    }

    #[test]
    fn the_first_that_compiles_a_bundle_is_to_write_its_code_down() {
        let mut cache = CodeCache::default();
        let asked = [(); 2].map(|()| cache.note_compiled(&KEY, BUNDLE_BYTES));
        assert_eq!(asked, [true, false]);
    }

    #[test]
    fn another_is_asked_where_the_first_did_not_come_to_it() {
        let mut cache = CodeCache::default();
        cache.note_compiled(&KEY, 10);
        cache.note_compiled(&KEY, 10);
        cache.note_given_up(&KEY);
        assert!(cache.note_compiled(&KEY, 10));
    }

    #[test]
    fn nobody_is_asked_for_code_that_was_kept() {
        let mut cache = CodeCache::default();
        cache.note_compiled(&KEY, 10);
        cache.note_compiled(&KEY, 10);
        cache.insert(KEY, code(10));
        cache.note_given_up(&KEY);
        assert!(cache.get(&KEY).is_some());
        assert!(cache.seen.is_empty());
    }

    #[test]
    fn what_was_not_used_for_longest_makes_room() {
        let mut cache = CodeCache::default();
        let keys: [Key; 9] = std::array::from_fn(|number| [number as u8; 32]);
        for key in &keys[..8] {
            cache.insert(*key, code(MAX_ENTRY_BYTES));
        }
        cache.get(&keys[0]);
        cache.insert(keys[8], code(MAX_ENTRY_BYTES));
        let kept = keys.map(|key| cache.get(&key).is_some());
        assert_eq!(kept, std::array::from_fn(|number| number != 1));
        assert_eq!(cache.bytes, MAX_BYTES);
    }

    #[test]
    fn code_that_would_drive_out_all_other_is_not_kept_nor_asked_for_again() {
        let mut cache = CodeCache::default();
        cache.note_compiled(&KEY, 10);
        cache.note_compiled(&KEY, 10);
        cache.insert(KEY, code(MAX_ENTRY_BYTES + 1));
        cache.note_given_up(&KEY);
        assert!(cache.get(&KEY).is_none());
        assert!(!cache.note_compiled(&KEY, 10));
    }
}
