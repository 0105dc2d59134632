//! What the thread that holds a pooled isolate's lock does with it: requests and their turns, contexts made and
//! dropped, garbage.

use std::task::Context;

use isolane_scheduler::{CallbackMessage, RequestId};

use crate::definition::ContextPolicy;
use crate::error::{Error, Owner};
use crate::event_loop::drain_and_process;
use crate::isolate_params::{leftovers, lookup_caches};
use crate::request::Start;
use crate::runtime::entered_realm::EnteredRealm;
use crate::runtime::events::{Event, StartRequest};
use crate::runtime::realm::{Health, Realm, RealmOptions};
use crate::unentered_isolate::{IsolateLock, UnenteredIsolate};

use super::{Condition, IsolateRecipe};

/// How much a heap may have grown when it becomes idle, before that is collected: more than its young
/// generation comes to, which V8 collects in passing.
const GARBAGE_BYTES: usize = 32 << 20;
/// The same after a limit ended a request: what that one left is unlikely to be wanted again.
const GARBAGE_OF_LIMITED_BYTES: usize = 4 << 20;
/// The same when nothing has come for it for a while: less than that is not worth a millisecond after each of a
/// worker's requests that come seldom.
const GARBAGE_AT_REST_BYTES: usize = 256 << 10;

/// How large a heap is swept at once when it was collected: all of it is looked through for that.
const QUICKLY_SWEPT_BYTES: usize = 16 << 20;

/// A pooled isolate that this thread has locked.
pub(crate) struct LockedIsolate<'a> {
    pub(super) realms: &'a mut Vec<Realm>,
    pub(super) unclaimed: &'a mut Option<Realm>,
    pub(super) lock: IsolateLock<'a>,
    pub(super) isolate: &'a UnenteredIsolate,
    pub(super) recipe: &'a IsolateRecipe,
    pub(super) condition: &'a mut Condition,
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
        self.condition.has_run |= !matches!(start.wrapping(), Event::Load);
        self.realms[at].start(&mut self.lock, start);
        self.note_health(at);
    }

    fn is_fresh(&self) -> bool {
        self.recipe.definition.context == ContextPolicy::Fresh
    }

    /// Makes the context of the next request ahead, where one is [wanted](super::LockerManagedIsolate::wants_context);
    /// says whether it is there.
    pub(crate) fn prepare(&mut self) -> bool {
        // What fails here fails again for the next request, which is told.
        let families = self.condition.families;
        let rehearse = |realm: &mut Realm, isolate: &mut _| realm.rehearse(isolate, families);
        let Ok(at) = self.make_realm(rehearse) else {
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
            self.realms[at].tell_of_parked();
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
        self.realms.retain(|realm| {
            let stays = realm.active() > 0 || may_serve(realm, fresh);
            if !stays {
                self.condition.families = realm.families_used();
            }
            stays
        });
        if let Some(realm) = self.realms.first_mut() {
            realm.housekeep(&mut self.lock);
            self.note_health(0);
        }
        if self.realms.iter().all(|realm| realm.active() == 0) {
            let allowed = if std::mem::take(&mut self.condition.was_limited) {
                GARBAGE_OF_LIMITED_BYTES
            } else {
                GARBAGE_BYTES
            };
            self.give_back_garbage(allowed);
        }
    }

    /// For an isolate that nothing comes for: collects what it holds without need, and keeps what V8 has compiled
    /// for the worker's next one.
    pub(crate) fn cool(&mut self) {
        if self.condition.health != Health::Condemned {
            self.keep_code();
            if self.condition.has_run {
                self.realms.iter().for_each(Realm::forget_code);
            }
            if self.used_bytes() > self.condition.kept_at_rest_bytes + GARBAGE_AT_REST_BYTES {
                self.collect();
                self.condition.kept_at_rest_bytes = self.condition.kept_bytes;
            }
            // After that: a collection fills them anew.
            lookup_caches::give_back(&mut self.lock);
            leftovers::were_freed(std::mem::take(&mut self.condition.freed_bytes));
        }
    }

    /// Keeps what V8 has compiled until now for the worker's next isolate, where that is wanted. Not where only its
    /// modules were evaluated: each isolate that began with that would compile the rest anew.
    pub(crate) fn keep_code(&mut self) {
        if self.condition.has_run {
            for realm in self.realms.iter() {
                realm.keep_code(&mut self.lock);
            }
        }
    }

    fn collect(&mut self) {
        // What they hold would stay, and would count as what there is without garbage.
        for at in 0..self.realms.len() {
            self.realms[at].forget_orphaned(&mut self.lock);
            self.note_health(at);
        }
        if self.condition.health == Health::Condemned {
            return;
        }
        let before = self.used_bytes();
        self.lock.low_memory_notification();
        if self.isolate.guards().heap.exceeded() {
            self.condition.health = Health::Condemned;
        }
        self.isolate.guards().external.look(&mut self.lock);
        let used = self.used_bytes();
        let condition = &mut *self.condition;
        condition.freed_bytes += before.saturating_sub(used);
        condition.kept_bytes = used;
        condition.kept_at_rest_bytes = condition.kept_at_rest_bytes.min(used);
        let heap_used_bytes = self.lock.get_heap_statistics().used_heap_size();
        if heap_used_bytes < QUICKLY_SWEPT_BYTES {
            // V8 sweeps where it allocates next, and only then gives back the pages that it pools, tens of
            // megabytes of them. To count code it sweeps first.
            let _ = self.lock.get_heap_code_and_metadata_statistics();
        }
        for realm in self.realms.iter() {
            realm.note_heap(heap_used_bytes);
        }
    }

    /// Collects what is more than `allowed` beyond what there was: an idle isolate collects nothing by itself, however
    /// much its last requests have left.
    fn give_back_garbage(&mut self, allowed: usize) {
        if self.used_bytes() > self.condition.kept_bytes + allowed {
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
            limits,
            group,
            owner: Owner::Pool,
        };
        let unclaimed = self.unclaimed.take();
        let guards = self.isolate.guards();
        let mut realm = Realm::for_worker(unclaimed, &mut self.lock, guards, options)?;
        before_loading(&mut realm, &mut self.lock);
        realm.load(&mut self.lock, &definition);
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
