//! Looks at WebAssembly modules before V8 does, and says which of them it may see.
//!
//! Two things cannot be left to V8. Its table of types is one for the process, never shrinks, and
//! ends the process when it is full; validating alone fills it. And a memory that grows by its own
//! instructions asks nobody, unless its module says how far it may go. Any thread may call.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use wasmparser::{
    Chunk, Encoding, MemoryType, Parser, Payload, TypeRef, TypeSectionReader, WasmFeatures,
};

/// Modules may be this long.
const MAX_MODULE_BYTES: usize = 32 << 20;
/// Types that one worker may add to V8's table, over all of its modules and isolates.
const MAX_TYPES_PER_WORKER: usize = 20_000;
/// Types that all workers of the process may add: V8's table holds a million.
const MAX_TYPES: usize = 900_000;

const PAGE_BYTES: usize = 1 << 16;
const MEMORY_SECTION: u8 = 5;
const HAS_MAXIMUM: u8 = 1;
const IS_64_BIT: u8 = 4;

/// How many pages a memory may have where buffers may have so many bytes.
pub(crate) fn max_pages(buffer_limit_bytes: usize) -> usize {
    buffer_limit_bytes / PAGE_BYTES
}

/// The module as V8 may see it: with every memory's maximum within `max_pages`. `worker` tells
/// workers apart, to count their types. The error says, for the guest, why V8 may not see it.
pub(crate) fn admit(
    module: &[u8],
    max_pages: usize,
    worker: usize,
) -> Result<Cow<'_, [u8]>, &'static str> {
    if module.len() > MAX_MODULE_BYTES {
        return Err("the module is too large");
    }
    let outline = Outline::read(module, max_pages)?;
    if let Some(types) = &outline.types {
        LEDGER.lock().charge(worker, types, module)?;
    }
    Ok(match outline.memories {
        Some(memories) => Cow::Owned(memories.replaced_in(module)),
        None => Cow::Borrowed(module),
    })
}

/// What matters of a module.
struct Outline {
    types: Option<Types>,
    /// A memory section in place of the module's own, where that goes too far.
    memories: Option<MemorySection>,
}

struct Types {
    count: usize,
    section: Range<usize>,
}

struct MemorySection {
    original: Range<usize>,
    bytes: Vec<u8>,
}

const MALFORMED: &str = "the module is malformed";

impl Outline {
    fn read(module: &[u8], max_pages: usize) -> Result<Self, &'static str> {
        let mut parser = Parser::new(0);
        parser.set_features(WasmFeatures::all());
        let mut outline = Self {
            types: None,
            memories: None,
        };
        let mut at = 0;
        loop {
            let parsed = parser.parse(&module[at..], true);
            let Ok(Chunk::Parsed { consumed, payload }) = parsed else {
                return Err(MALFORMED);
            };
            let span = at..at + consumed;
            at = span.end;
            match payload {
                Payload::Version { encoding, .. } if encoding != Encoding::Module => {
                    return Err(MALFORMED);
                }
                Payload::TypeSection(reader) => {
                    let count = count_types(reader)?;
                    let before = outline.types.map_or(0, |types| types.count);
                    outline.types = Some(Types {
                        count: before + count,
                        section: span,
                    });
                }
                Payload::ImportSection(reader) => {
                    for import in reader.into_imports() {
                        if let TypeRef::Memory(memory) = import.map_err(|_| MALFORMED)?.ty {
                            check_memory(&memory, max_pages)?;
                        }
                    }
                }
                Payload::MemorySection(reader) => {
                    let memories: Result<Vec<_>, _> = reader.into_iter().collect();
                    let bytes = bounded(&memories.map_err(|_| MALFORMED)?, max_pages)?;
                    outline.memories = bytes.map(|bytes| MemorySection {
                        original: span,
                        bytes,
                    });
                }
                Payload::CodeSectionStart { size, .. } => {
                    parser.skip_section();
                    at = at.saturating_add(usize::try_from(size).map_err(|_| MALFORMED)?);
                    if at > module.len() {
                        return Err(MALFORMED);
                    }
                }
                Payload::End(_) => return Ok(outline),
                _ => {}
            }
        }
    }
}

fn count_types(reader: TypeSectionReader<'_>) -> Result<usize, &'static str> {
    let mut count = 0;
    for group in reader {
        count += group.map_err(|_| MALFORMED)?.types().len();
        if count > MAX_TYPES_PER_WORKER {
            return Err("the module has too many types");
        }
    }
    Ok(count)
}

fn check_memory(memory: &MemoryType, max_pages: usize) -> Result<(), &'static str> {
    if memory.shared {
        return Err("shared memory is not supported");
    }
    if memory.initial > max_pages as u64 {
        return Err("a memory is larger than the worker may have");
    }
    Ok(())
}

/// A memory section in which no maximum is above `max_pages`; `None` where the module's own is such.
fn bounded(memories: &[MemoryType], max_pages: usize) -> Result<Option<Vec<u8>>, &'static str> {
    let max_pages = max_pages as u64;
    let mut body = Vec::new();
    let mut changed = false;
    write_leb(&mut body, memories.len() as u64);
    for memory in memories {
        check_memory(memory, usize::try_from(max_pages).unwrap_or(usize::MAX))?;
        if memory.page_size_log2.is_some() {
            return Err("custom page sizes are not supported");
        }
        let maximum = memory.maximum.filter(|maximum| *maximum <= max_pages);
        changed |= maximum.is_none();
        body.push(HAS_MAXIMUM | if memory.memory64 { IS_64_BIT } else { 0 });
        write_leb(&mut body, memory.initial);
        write_leb(&mut body, maximum.unwrap_or(max_pages));
    }
    Ok(changed.then(|| {
        let mut section = vec![MEMORY_SECTION];
        write_leb(&mut section, body.len() as u64);
        section.append(&mut body);
        section
    }))
}

impl MemorySection {
    fn replaced_in(self, module: &[u8]) -> Vec<u8> {
        let mut replaced = Vec::with_capacity(module.len() + self.bytes.len());
        replaced.extend_from_slice(&module[..self.original.start]);
        replaced.extend_from_slice(&self.bytes);
        replaced.extend_from_slice(&module[self.original.end..]);
        replaced
    }
}

/// LEB128, as WebAssembly writes unsigned numbers.
fn write_leb(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// What has been put into V8's table of types, counted without what the table shares.
#[derive(Default)]
struct Ledger {
    total: usize,
    /// Type sections that V8 has seen: again they add nothing.
    seen: HashSet<[u8; 32]>,
    by_worker: HashMap<usize, usize>,
}

static LEDGER: LazyLock<Mutex<Ledger>> = LazyLock::new(Mutex::default);

impl Ledger {
    fn charge(&mut self, worker: usize, types: &Types, module: &[u8]) -> Result<(), &'static str> {
        let section: [u8; 32] = Sha256::digest(&module[types.section.clone()]).into();
        if types.count == 0 || self.seen.contains(&section) {
            return Ok(());
        }
        let charged = self.by_worker.entry(worker).or_default();
        if *charged + types.count > MAX_TYPES_PER_WORKER {
            return Err("the worker's modules have too many types");
        }
        if self.total + types.count > MAX_TYPES {
            return Err("the process has no room for more types");
        }
        *charged += types.count;
        self.total += types.count;
        self.seen.insert(section);
        Ok(())
    }
}
