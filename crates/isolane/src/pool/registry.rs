//! The pool's workers by id, each with its deployed definition and its lanes.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use foldhash::fast::RandomState;
use isolane_scheduler::RequestId;
use parking_lot::{Mutex, RwLock};

use crate::definition::WorkerDefinition;
use crate::limits::watchdog;
use crate::settlement::AbortTarget;

use super::lane::Lane;
use super::pace::Conduct;

const SHARDS: usize = 16;

/// What is deployed under one id.
pub(crate) struct Deployment {
    pub(crate) id: Arc<str>,
    pub(crate) definition: Arc<WorkerDefinition>,
    /// Lanes that take requests.
    pub(crate) lanes: Mutex<Vec<Arc<Lane>>>,
    /// Lanes that only finish what they have.
    pub(crate) leaving: Mutex<Vec<Arc<Lane>>>,
    pub(crate) requests: AtomicU64,
    /// Whether a request brought it, as every other does that needs it.
    pub(crate) by_request: bool,
    /// The registry's age when it was used last.
    pub(crate) used_at: AtomicU64,
    /// Requests that wait for their first turn, here or for an isolate.
    pub(crate) waiting: AtomicUsize,
    /// Isolates whose thread was given up and has not come back.
    pub(crate) lost: AtomicUsize,
    /// How many more requests have lately found no context made ahead than have found one, where they have
    /// contexts of their own.
    pub(crate) contexts_missed: AtomicUsize,
    /// How the worker has behaved.
    pub(crate) conduct: Arc<Conduct>,
    pub(crate) pool: Weak<dyn WaitingRequests>,
}

/// Where requests wait that have no lane yet.
pub(crate) trait WaitingRequests: Send + Sync {
    /// Ends a request that still waits for an isolate.
    fn abort_waiting(&self, request: RequestId);
}

impl Deployment {
    pub(crate) fn queued(&self) -> usize {
        let lanes: usize = self.lanes.lock().iter().map(|lane| lane.queued()).sum();
        lanes + self.waiting.load(Ordering::Relaxed)
    }
}

impl AbortTarget for Deployment {
    fn abort(self: Arc<Self>, request: RequestId) {
        watchdog::abort_running(request);
        if let Some(pool) = self.pool.upgrade() {
            pool.abort_waiting(request);
        }
        // Ids are unique in the process, so the lanes that do not have the request ignore it.
        let lanes: Vec<_> = self
            .lanes
            .lock()
            .iter()
            .chain(self.leaving.lock().iter())
            .filter(|lane| lane.load() > 0)
            .cloned()
            .collect();
        for lane in lanes {
            lane.abort(request);
        }
    }
}

/// The deployments by worker id; sharded so that requests for different workers do not meet.
#[derive(Default)]
pub(crate) struct Registry {
    shards: [Shard; SHARDS],
    hasher: RandomState,
}

type Shard = RwLock<HashMap<Arc<str>, Arc<Deployment>, RandomState>>;

impl Registry {
    fn shard(&self, id: &str) -> &Shard {
        &self.shards[self.hasher.hash_one(id) as usize % SHARDS]
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Deployment>> {
        self.shard(id).read().get(id).cloned()
    }

    /// The deployment of `definition` under `id`: the present one where it is the same, or a new one
    /// and the one that it replaces.
    pub(crate) fn deploy(
        &self,
        id: &str,
        definition: &Arc<WorkerDefinition>,
        make: impl FnOnce() -> Arc<Deployment>,
    ) -> (Arc<Deployment>, Option<Arc<Deployment>>) {
        let same = |deployment: &Deployment| {
            Arc::ptr_eq(&deployment.definition, definition)
                || deployment.definition.is_same(definition)
        };
        let shard = self.shard(id);
        if let Some(present) = shard.read().get(id).filter(|present| same(present)) {
            return (present.clone(), None);
        }
        let mut shard = shard.write();
        if let Some(present) = shard.get(id).filter(|present| same(present)) {
            return (present.clone(), None);
        }
        let deployment = make();
        let replaced = shard.insert(deployment.id.clone(), deployment.clone());
        (deployment, replaced)
    }

    /// Puts a deployment that has proved to load under its id; gives the one that it replaces.
    pub(crate) fn install(&self, deployment: Arc<Deployment>) -> Option<Arc<Deployment>> {
        self.shard(&deployment.id)
            .write()
            .insert(deployment.id.clone(), deployment)
    }

    pub(crate) fn remove(&self, id: &str) -> Option<Arc<Deployment>> {
        self.shard(id).write().remove(id)
    }

    /// Takes out this deployment, if it is still the one under its id.
    pub(crate) fn remove_same(&self, deployment: &Arc<Deployment>) {
        let mut shard = self.shard(&deployment.id).write();
        if shard
            .get(&deployment.id)
            .is_some_and(|present| Arc::ptr_eq(present, deployment))
        {
            shard.remove(&deployment.id);
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<Deployment>> {
        self.shards
            .iter()
            .flat_map(|shard| shard.read().values().cloned().collect::<Vec<_>>())
            .collect()
    }
}
