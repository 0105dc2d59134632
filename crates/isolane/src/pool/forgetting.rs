//! Forgets workers that requests brought along and that were not used for long: whoever runs a worker
//! by its definition has it at hand, so that nothing is lost but a comparison.
//!
//! Any thread may call. Workers that were deployed by name stay until they are evicted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::definition::WorkerDefinition;

use super::core::Pool;
use super::registry::Deployment;

/// Workers without an isolate that are kept.
const MOST_KEPT: usize = 10_000;

/// Sources of workers without an isolate that are kept, in bytes.
const MOST_KEPT_BYTES: usize = 256 << 20;

/// How many workers are brought between two looks at which are to be forgotten.
const BROUGHT_BETWEEN_LOOKS: usize = MOST_KEPT / 10;

/// How many bytes of source are.
const BYTES_BETWEEN_LOOKS: usize = MOST_KEPT_BYTES / 10;

/// What was brought since the last look.
#[derive(Default)]
pub(crate) struct Forgetting {
    /// How many looks there were: a clock that costs nothing to read.
    age: AtomicU64,
    brought: AtomicUsize,
    brought_bytes: AtomicUsize,
}

impl Forgetting {
    pub(super) fn age(&self) -> u64 {
        self.age.load(Ordering::Relaxed)
    }

    /// A request uses the deployment.
    pub(crate) fn note_use(&self, deployment: &Deployment) {
        deployment.used_at.store(self.age(), Ordering::Relaxed);
    }
}

impl Pool {
    /// A request brought a worker that is new or has changed.
    pub(super) fn note_brought(&self, definition: &WorkerDefinition) {
        self.forgetting.brought.fetch_add(1, Ordering::Relaxed);
        let bytes = source_bytes(definition);
        self.forgetting
            .brought_bytes
            .fetch_add(bytes, Ordering::Relaxed);
    }

    /// Forgets what is too much, where enough was brought since the last look.
    pub(super) fn forget_unused(&self) {
        let Forgetting {
            age,
            brought,
            brought_bytes,
        } = &self.forgetting;
        if brought.load(Ordering::Relaxed) < BROUGHT_BETWEEN_LOOKS
            && brought_bytes.load(Ordering::Relaxed) < BYTES_BETWEEN_LOOKS
        {
            return;
        }
        brought.store(0, Ordering::Relaxed);
        brought_bytes.store(0, Ordering::Relaxed);
        age.fetch_add(1, Ordering::Relaxed);
        let mut unused = self.registry.all();
        unused.retain(is_unused);
        // The newest first, as far as they may stay.
        unused.sort_by_key(|deployment| {
            std::cmp::Reverse(deployment.used_at.load(Ordering::Relaxed))
        });
        let mut kept_bytes = 0;
        for (kept, deployment) in unused.iter().enumerate() {
            kept_bytes += source_bytes(&deployment.definition);
            if kept >= MOST_KEPT || kept_bytes > MOST_KEPT_BYTES {
                self.registry.remove_same(deployment);
            }
        }
    }
}

/// Whether nothing of it would be missed.
fn is_unused(deployment: &Arc<Deployment>) -> bool {
    deployment.by_request
        && deployment.waiting.load(Ordering::Relaxed) == 0
        && deployment.lanes.lock().is_empty()
        && deployment.leaving.lock().is_empty()
}

fn source_bytes(definition: &WorkerDefinition) -> usize {
    let bytes = |(_, source): &(String, crate::ModuleSource)| source.as_bytes().len();
    definition.modules.iter().map(bytes).sum()
}
