//! What is deployed on a pool whose isolates are in a child process: the parent's view, which outlives
//! every child. Any thread may call.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use isolane_scheduler::next_id;
use parking_lot::RwLock;

use crate::definition::WorkerDefinition;
use crate::error::Error;

use super::definitions;
use super::protocol::WorkerKey;

/// Told when nothing refers to a worker any more.
pub(crate) trait WorkerOwner: Send + Sync {
    fn forget(&self, key: WorkerKey);
}

/// A worker, with its definition ready to be sent.
pub(crate) struct Deployed {
    pub(crate) key: WorkerKey,
    pub(crate) id: Arc<str>,
    pub(crate) definition: Arc<WorkerDefinition>,
    pub(crate) encoded: Bytes,
    pub(crate) requests: AtomicU64,
    /// Requests that the child has not taken in yet.
    pub(crate) unsent: Arc<AtomicUsize>,
    owner: Weak<dyn WorkerOwner>,
}

impl Deployed {
    /// A worker that is not live yet.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG` for a definition that is too large to be sent.
    pub(crate) fn new(
        id: &str,
        definition: Arc<WorkerDefinition>,
        owner: Weak<dyn WorkerOwner>,
    ) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self {
            key: next_id(),
            id: id.into(),
            encoded: definitions::encode(&definition)?,
            definition,
            requests: AtomicU64::new(0),
            unsent: Arc::default(),
            owner,
        }))
    }

    fn is(&self, definition: &Arc<WorkerDefinition>) -> bool {
        Arc::ptr_eq(&self.definition, definition) || self.definition.is_same(definition)
    }
}

impl Drop for Deployed {
    fn drop(&mut self) {
        if let Some(owner) = self.owner.upgrade() {
            owner.forget(self.key);
        }
    }
}

/// The live workers by id. What it takes out is handed to the caller, to be dropped where no lock is
/// held: a worker's end is told to the child.
#[derive(Default)]
pub(crate) struct Workers(RwLock<HashMap<Arc<str>, Arc<Deployed>>>);

impl Workers {
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Deployed>> {
        self.0.read().get(id).cloned()
    }

    /// The live worker under that id, if it has this definition.
    pub(crate) fn same(
        &self,
        id: &str,
        definition: &Arc<WorkerDefinition>,
    ) -> Option<Arc<Deployed>> {
        self.get(id).filter(|live| live.is(definition))
    }

    pub(crate) fn is_live(&self, worker: &Deployed) -> bool {
        let live = self.0.read();
        live.get(&worker.id)
            .is_some_and(|live| live.key == worker.key)
    }

    /// Makes a worker live, unless one that is the same is; gives the live one and what it replaced.
    pub(crate) fn deploy(&self, worker: Arc<Deployed>) -> (Arc<Deployed>, Option<Arc<Deployed>>) {
        let mut live = self.0.write();
        match live.get(&worker.id) {
            Some(present) if present.is(&worker.definition) => {
                let present = present.clone();
                drop(live);
                (present, None)
            }
            _ => {
                let replaced = live.insert(worker.id.clone(), worker.clone());
                (worker, replaced)
            }
        }
    }

    /// Makes a worker live that has proved to load; gives what it replaced.
    pub(crate) fn install(&self, worker: &Arc<Deployed>) -> Option<Arc<Deployed>> {
        let replaced = self.0.write().insert(worker.id.clone(), worker.clone());
        replaced.filter(|replaced| replaced.key != worker.key)
    }

    pub(crate) fn remove(&self, id: &str) -> Option<Arc<Deployed>> {
        self.0.write().remove(id)
    }

    /// The workers' ids, and how many requests each was given.
    pub(crate) fn counts(&self) -> Vec<(Arc<str>, u64)> {
        let live = self.0.read();
        let count = |worker: &Arc<Deployed>| {
            let requests = worker.requests.load(Ordering::Relaxed);
            (worker.id.clone(), requests)
        };
        live.values().map(count).collect()
    }
}
