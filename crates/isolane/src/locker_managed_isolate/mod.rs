//! The pool's isolate: an [`UnenteredIsolate`] with the contexts of one worker on it. Any pool thread
//! may lock it; its lane sees to it that one at a time does.

mod locked;

pub(crate) use locked::LockedIsolate;

use std::sync::Arc;

use crate::definition::{ContextPolicy, WorkerDefinition};
use crate::error::Error;
use crate::isolate_params;
use crate::kept_threads::Keeper;
use crate::limits::Limits;
use crate::request::LogSink;
use crate::runtime::popular_families::{self, FamilySet};
use crate::runtime::realm::{Health, Realm};
use crate::unentered_isolate::UnenteredIsolate;

/// Contexts that move between threads together with their isolate.
#[derive(Default)]
struct Realms {
    serving: Vec<Realm>,
    /// Belongs to no worker yet.
    unclaimed: Option<Realm>,
}

// SAFETY: a realm's handles (Globals, its microtask queue) and state are touched only through
// `LockedIsolate`, which holds the isolate's lock, and dropped under that lock (see `Drop` below).
// Nothing in it is bound to a thread by other means.
unsafe impl Send for Realms {}

/// What the isolates of one worker are made from.
#[derive(Clone)]
pub(crate) struct IsolateRecipe {
    pub(crate) definition: Arc<WorkerDefinition>,
    pub(crate) limits: Limits,
    pub(crate) worker_id: Arc<str>,
    pub(crate) on_log: Option<LogSink>,
    /// Names the lane to the watchdog.
    pub(crate) group: u64,
}

/// A pooled isolate with one worker's contexts.
pub struct LockerManagedIsolate {
    realms: Realms,
    isolate: UnenteredIsolate,
    recipe: IsolateRecipe,
    condition: Condition,
    /// Whether batches follow each other at once.
    is_in_use: bool,
}

/// What is known of an isolate from what has run in it.
struct Condition {
    health: Health,
    /// What the heap held after it was collected for being large.
    kept_bytes: usize,
    /// The same after the last collection at rest, or a later one that left less. A collection right after a request
    /// may leave much that is soon held by nothing any more.
    kept_at_rest_bytes: usize,
    /// What collections have freed since the isolate was last at rest.
    freed_bytes: usize,
    /// A limit ended a request since the heap was last looked at.
    was_limited: bool,
    /// The worker has handled an event, so that V8 has compiled what its requests call.
    has_run: bool,
    /// The worker's modules were still loading when the turn that evaluates them had ended.
    loads_late: bool,
    /// What the worker has used in its last context.
    families: FamilySet,
    /// Whether that counts among what is popular.
    has_noted_families: bool,
}

impl LockerManagedIsolate {
    /// Makes an isolate; its context is made by its first request.
    pub(crate) fn new(recipe: IsolateRecipe) -> Result<Self, Error> {
        let isolate = UnenteredIsolate::new(&recipe.limits)?;
        Ok(Self {
            realms: Realms::default(),
            isolate,
            recipe,
            condition: Condition {
                health: Health::Good,
                kept_bytes: 0,
                kept_at_rest_bytes: 0,
                freed_bytes: 0,
                was_limited: false,
                has_run: false,
                loads_late: false,
                families: FamilySet::default(),
                has_noted_families: false,
            },
            is_in_use: false,
        })
    }

    /// Makes an isolate ahead, with a context, for whichever worker needs one next.
    pub(crate) fn unclaimed(limits: Limits) -> Result<Self, Error> {
        let mut made = Self::new(IsolateRecipe {
            definition: Arc::new(WorkerDefinition::modules([])),
            limits,
            worker_id: Arc::from(""),
            on_log: None,
            group: 0,
        })?;
        let mut lock = made.isolate.lock();
        let realm = Realm::unclaimed(&mut lock, made.isolate.guards())?;
        drop(lock);
        made.realms.unclaimed = Some(realm);
        Ok(made)
    }

    /// Whether a worker with these limits can have the isolate.
    pub(crate) fn suits(&self, limits: &Limits) -> bool {
        let own = &self.recipe.limits;
        (own.heap_bytes, own.buffer_bytes) == (limits.heap_bytes, limits.buffer_bytes)
    }

    /// Gives an unclaimed isolate, which [suits](Self::suits), to a worker.
    pub(crate) fn claim(&mut self, recipe: IsolateRecipe) {
        self.recipe = recipe;
    }

    /// Whether the next request's context is to be made ahead: where requests have contexts of their own,
    /// and there is none. Workers that do not load at once have theirs made when a request comes.
    pub(crate) fn wants_context(&self) -> bool {
        self.recipe.definition.context == ContextPolicy::Fresh
            && self.realms.serving.is_empty()
            && !self.condition.loads_late
            && self.condition.health == Health::Good
    }

    /// Whether the worker has handled an event here.
    pub(crate) fn has_run(&self) -> bool {
        self.condition.has_run
    }

    /// Whether what V8 compiles for the worker is to be kept, once that has run.
    pub(crate) fn has_code_to_keep(&self) -> bool {
        self.realms.serving.iter().any(Realm::has_code_to_keep)
    }

    /// Notes, once, what the worker's first request has used, for isolates that will be made ahead.
    pub(crate) fn note_families(&mut self) {
        if self.condition.has_run && !self.condition.has_noted_families {
            self.condition.has_noted_families = true;
            let serving = self.realms.serving.first();
            popular_families::note(serving.map_or(self.condition.families, Realm::families_used));
        }
    }

    /// Locks the isolate on this thread for a batch of turns.
    pub(crate) fn lock(&mut self) -> LockedIsolate<'_> {
        LockedIsolate {
            realms: &mut self.realms.serving,
            unclaimed: &mut self.realms.unclaimed,
            lock: self.isolate.lock_of_several(self.is_in_use),
            isolate: &self.isolate,
            recipe: &self.recipe,
            condition: &mut self.condition,
        }
    }

    /// Whether the thread that locks the isolate is likely to do so again within microseconds.
    pub(crate) fn set_in_use(&mut self, is_in_use: bool) {
        self.is_in_use = is_in_use;
    }

    /// Answers everything with `error`; the isolate is not to be used again.
    pub(crate) fn condemn(&mut self, error: &Error) {
        self.lock().fail_all(error);
        self.condition.health = Health::Condemned;
    }

    /// See [`UnenteredIsolate::forget_thread`].
    pub(crate) fn forget_thread(&self) -> Option<Arc<Keeper>> {
        self.isolate.forget_thread()
    }

    pub(crate) fn health(&self) -> Health {
        self.condition.health
    }

    /// How many requests run here or wait for the worker to load.
    pub(crate) fn active(&self) -> usize {
        self.realms.serving.iter().map(Realm::active).sum()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let heap = self
            .realms
            .serving
            .iter()
            .map(Realm::heap_used_bytes)
            .max()
            .unwrap_or(0);
        heap + self.isolate.guards().external.used()
    }
}

impl Drop for LockerManagedIsolate {
    fn drop(&mut self) {
        let mut locked = self.lock();
        locked.keep_code();
        // Contexts go under the lock and before the isolate.
        locked.realms.clear();
        *locked.unclaimed = None;
        isolate_params::empty_heap(&mut locked.lock, locked.isolate.guards());
    }
}

impl std::fmt::Debug for LockerManagedIsolate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LockerManagedIsolate")
            .field("worker", &self.recipe.worker_id)
            .field("health", &self.condition.health)
            .finish_non_exhaustive()
    }
}
