//! The pool's isolate: an [`UnenteredIsolate`] with the contexts of one worker on it. Any pool thread
//! may lock it; its lane sees to it that one at a time does.

use std::sync::Arc;
use std::task::Context;

use isolane_scheduler::{CallbackMessage, RequestId};

use crate::definition::{ContextPolicy, WorkerDefinition};
use crate::error::{Error, Owner};
use crate::event_loop::drain_and_process;
use crate::isolate_params;
use crate::limits::Limits;
use crate::request::{LogSink, Start};
use crate::runtime::entered_realm::EnteredRealm;
use crate::runtime::events::StartRequest;
use crate::runtime::realm::{Health, Realm, RealmOptions};
use crate::unentered_isolate::{IsolateLock, UnenteredIsolate};

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

/// How much a heap may have grown when it becomes idle, before that is collected: more than its young
/// generation comes to, which V8 collects in passing.
const GARBAGE_BYTES: usize = 32 << 20;
/// The same after a limit ended a request: what that one left is unlikely to be wanted again.
const GARBAGE_OF_LIMITED_BYTES: usize = 4 << 20;

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
}

/// What is known of an isolate from what has run in it.
struct Condition {
    health: Health,
    /// What the heap held after it was collected for being large.
    kept_bytes: usize,
    /// A limit ended a request since the heap was last looked at.
    was_limited: bool,
    /// The worker's modules were still loading when the turn that evaluates them had ended.
    loads_late: bool,
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
                was_limited: false,
                loads_late: false,
            },
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

    /// Locks the isolate on this thread for a batch of turns.
    pub(crate) fn lock(&mut self) -> LockedIsolate<'_> {
        LockedIsolate {
            realms: &mut self.realms.serving,
            unclaimed: &mut self.realms.unclaimed,
            lock: self.isolate.lock(),
            isolate: &self.isolate,
            recipe: &self.recipe,
            condition: &mut self.condition,
        }
    }

    /// Answers everything with `error`; the isolate is not to be used again.
    pub(crate) fn condemn(&mut self, error: &Error) {
        self.lock().fail_all(error);
        self.condition.health = Health::Condemned;
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
        // Contexts go under the lock and before the isolate.
        let mut lock = self.isolate.lock();
        for realm in &mut self.realms.serving {
            realm.keep_code(&mut lock);
        }
        self.realms = Realms::default();
        isolate_params::empty_heap(&mut lock, self.isolate.guards());
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

/// A pooled isolate that this thread has locked.
pub(crate) struct LockedIsolate<'a> {
    realms: &'a mut Vec<Realm>,
    unclaimed: &'a mut Option<Realm>,
    lock: IsolateLock<'a>,
    isolate: &'a UnenteredIsolate,
    recipe: &'a IsolateRecipe,
    condition: &'a mut Condition,
}

impl LockedIsolate<'_> {
    /// Runs the first turn of a request, in the worker's context or a new one.
    pub(crate) fn start(&mut self, mut start: StartRequest, isolate_is_new: bool) {
        let fresh = self.is_fresh();
        let at = match self.realms.iter().position(|realm| may_serve(realm, fresh)) {
            Some(at) => {
                if fresh {
                    start.start = Start::Context;
                }
                at
            }
            None => match self.make_realm_for(&start) {
                Ok(at) => {
                    start.start = if isolate_is_new {
                        Start::Isolate
                    } else {
                        Start::Context
                    };
                    at
                }
                Err(error) => return start.fail(error),
            },
        };
        self.realms[at].start(&mut self.lock, start);
        self.note_health(at);
    }

    fn is_fresh(&self) -> bool {
        self.recipe.definition.context == ContextPolicy::Fresh
    }

    /// Makes the context of the next request ahead, where one is [wanted](LockerManagedIsolate::wants_context);
    /// says whether it is there.
    pub(crate) fn prepare(&mut self) -> bool {
        // What fails here fails again for the next request, which is told.
        let Ok(at) = self.make_realm(Realm::rehearse) else {
            return false;
        };
        let realm = &mut self.realms[at];
        if realm.is_loading() {
            self.condition.loads_late = true;
            realm.fail_all(&Error::internal("nobody waits for it"));
        }
        let has_loaded = realm.failure().is_none();
        if !has_loaded {
            self.realms.remove(at);
        }
        has_loaded
    }

    /// Whether a limit has ended one of its turns: no request may begin here.
    pub(crate) fn takes_no_more(&self) -> bool {
        self.condition.health != Health::Good
    }

    /// Ends one request from outside.
    pub(crate) fn abort(&mut self, request: RequestId, error: &Error) {
        for at in 0..self.realms.len() {
            self.realms[at].abort(&mut self.lock, request, error);
            self.note_health(at);
        }
    }

    /// Answers everything with `error`.
    pub(crate) fn fail_all(&mut self, error: &Error) {
        for realm in self.realms.iter_mut() {
            realm.fail_all(error);
        }
    }

    /// Processes the scheduler's answers and asks to be woken by the next ones.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<CallbackMessage>) {
        self.isolate.guards().tasks.register(cx.waker());
        for at in 0..self.realms.len() {
            if self.realms[at].active() == 0 {
                continue;
            }
            let mut entered = EnteredRealm {
                isolate: &mut self.lock,
                realm: &mut self.realms[at],
                definition: &self.recipe.definition,
            };
            // The scheduler lives as long as the process.
            let _ = drain_and_process(cx, &mut entered, buffer);
            self.note_health(at);
        }
    }

    /// Runs V8's own tasks, and drops contexts that nothing uses any more.
    pub(crate) fn housekeep(&mut self) {
        // What V8 still wants to do in a heap that goes away can take long.
        if self.condition.health == Health::Condemned {
            return;
        }
        let fresh = self.is_fresh();
        for realm in self.realms.iter() {
            self.condition.was_limited |= realm.take_limited();
        }
        self.realms
            .retain(|realm| realm.active() > 0 || may_serve(realm, fresh));
        if let Some(realm) = self.realms.first_mut() {
            realm.housekeep(&mut self.lock);
            self.note_health(0);
        }
        if self.realms.iter().all(|realm| realm.active() == 0) {
            self.give_back_garbage();
        }
    }

    /// For an isolate that nothing comes for: collects what it holds without need, however little, and keeps
    /// what V8 has compiled for the worker's next one.
    pub(crate) fn cool(&mut self) {
        if self.condition.health != Health::Condemned {
            for realm in self.realms.iter_mut() {
                realm.keep_code(&mut self.lock);
            }
            self.collect();
        }
    }

    fn collect(&mut self) {
        self.lock.low_memory_notification();
        if self.isolate.guards().heap.exceeded() {
            self.condition.health = Health::Condemned;
        }
        self.condition.kept_bytes = self.used_bytes();
        let heap_used_bytes = self.lock.get_heap_statistics().used_heap_size();
        for realm in self.realms.iter() {
            realm.note_heap(heap_used_bytes);
        }
    }

    /// An idle isolate collects nothing by itself, however much its last requests have left.
    fn give_back_garbage(&mut self) {
        let used = self.used_bytes();
        let allowed = if std::mem::take(&mut self.condition.was_limited) {
            GARBAGE_OF_LIMITED_BYTES
        } else {
            GARBAGE_BYTES
        };
        if used > self.condition.kept_bytes + allowed {
            self.collect();
        }
    }

    /// The heap and the buffers, which hang on a few bytes of it.
    fn used_bytes(&mut self) -> usize {
        let heap = self.lock.get_heap_statistics().used_heap_size();
        heap + self.isolate.guards().buffers.used()
    }

    /// Makes a realm while `start` waits for it.
    fn make_realm_for(&mut self, start: &StartRequest) -> Result<usize, Error> {
        let bystanders = self.isolate.guards().bystanders.clone();
        if let Some(who) = start.responder.unanswered() {
            bystanders.add(start.id, who);
        }
        let made = self.make_realm(|_, _| {});
        bystanders.remove(start.id);
        made
    }

    fn make_realm(
        &mut self,
        before_loading: impl FnOnce(&mut Realm, &mut v8::Isolate),
    ) -> Result<usize, Error> {
        let IsolateRecipe {
            definition,
            limits,
            worker_id,
            on_log,
            group,
        } = self.recipe.clone();
        let options = RealmOptions {
            definition: definition.clone(),
            worker_id: Some(worker_id),
            on_log,
            group,
            owner: Owner::Pool,
        };
        let mut realm = match self.unclaimed.take() {
            Some(mut realm) => {
                realm.claim(&mut self.lock, options)?;
                realm
            }
            None => Realm::new(&mut self.lock, self.isolate.guards(), options)?,
        };
        before_loading(&mut realm, &mut self.lock);
        realm.load(&mut self.lock, &definition, limits);
        self.realms.push(realm);
        let at = self.realms.len() - 1;
        self.note_health(at);
        Ok(at)
    }

    fn note_health(&mut self, at: usize) {
        match self.realms[at].health() {
            Health::Good => {}
            Health::Retiring if self.condition.health == Health::Condemned => {}
            health => self.condition.health = health,
        }
        if let Some(error) = self.realms[at].condemned_by().cloned() {
            self.fail_all(&error);
        }
    }
}

/// Whether a request may begin in the realm. A worker that failed to load is loaded again: it may have
/// failed for a passing reason.
fn may_serve(realm: &Realm, fresh: bool) -> bool {
    realm.failure().is_none() && !(fresh && realm.has_served())
}
