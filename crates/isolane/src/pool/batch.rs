//! Runs a lane: one batch of its requests, the scheduler's answers, and V8's own tasks. All of it is
//! called on a pool thread, by one at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::time::Duration;

use isolane_lanes::{LaneQueue, Pace};

use crate::ContextPolicy;
use crate::error::{Error, ErrorKind};
use crate::kept_threads::Keeper;
use crate::locker_managed_isolate::{LockedIsolate, LockerManagedIsolate};
use crate::runtime::events::StartRequest;
use crate::runtime::realm::Health;

use super::counts::Counts;
use super::lane::{Core, Item, Lane, Threads};
use super::pace::Ended;
use super::waiting::TENURE;

/// How many items one lock of the isolate runs before other lanes get their turn.
const BATCH_ITEMS: usize = 64;
/// How long one lock of the isolate is kept while items keep coming.
const BATCH_TIME: Duration = Duration::from_millis(1);
/// A batch that comes so soon after the last one follows it.
const SOON: Duration = Duration::from_micros(50);
/// After how many batches in a row that came soon another one is expected to.
const SOON_IN_A_ROW: u32 = 32;
/// How often a busy lane lets V8 run its own tasks.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_millis(20);

impl isolane_lanes::Lane for Lane {
    type Item = Item;
    type Counts = Counts;

    fn queue(&self) -> &LaneQueue<Item, Counts> {
        &self.queue
    }

    fn threads(&self) -> &Arc<Threads> {
        &self.threads
    }

    fn pace(&self) -> Pace {
        self.pace.pace(|| self.threads.now_ns())
    }

    fn run(self: &Arc<Self>, begin_ns: u64) {
        let (health, late, is_overdue) = {
            let mut core = self.core.lock();
            let batch = AssertUnwindSafe(|| self.run_batch(&mut core, begin_ns));
            if catch_unwind(batch).is_err() {
                // A bug of ours: the isolate is given up, the process and the other lanes go on.
                if let Some(isolate) = &mut core.isolate {
                    isolate.condemn(&Error::internal("a turn panicked"));
                }
                self.counts().set_active(0);
            }
            let isolate = core.isolate.as_ref();
            let health = isolate.map_or(Health::Good, LockerManagedIsolate::health);
            let is_overdue = self.is_overdue(&core, begin_ns);
            (health, std::mem::take(&mut core.late), is_overdue)
        };
        self.note_health(health);
        if is_overdue && let Some(owner) = self.owner.upgrade() {
            owner.make_way(self);
        }
        self.place_again(late);
        Keeper::do_errands();
    }

    fn idle(self: &Arc<Self>) {
        if self.load() == 0
            && let Some(owner) = self.owner.upgrade()
        {
            owner.idle(self);
        }
    }

    fn returned(self: &Arc<Self>) {
        drop(self.take_isolate());
        if let Some(owner) = self.owner.upgrade() {
            owner.found(self);
        }
    }
}

impl Core {
    /// Notes how long nothing has run before a batch; whether another is likely to follow it at once.
    fn note_rest(&mut self, rested_ns: u64) -> bool {
        let is_soon = u128::from(rested_ns) < SOON.as_nanos();
        self.soon_in_a_row = if is_soon {
            self.soon_in_a_row.saturating_add(1)
        } else {
            0
        };
        self.soon_in_a_row >= SOON_IN_A_ROW
    }
}

impl Lane {
    /// Takes no more requests, once a limit has ended a turn.
    pub(super) fn note_health(self: &Arc<Self>, health: Health) {
        if health != Health::Good
            && self.accepting.swap(false, Ordering::AcqRel)
            && let Some(owner) = self.owner.upgrade()
        {
            owner.retired(self);
        }
    }

    /// Whether it has more to do, and others wait for its place for long enough.
    fn is_overdue(&self, core: &Core, now_ns: u64) -> bool {
        self.workers_waiting.load(Ordering::Relaxed) > 0
            && self.load() > 0
            && u128::from(now_ns.saturating_sub(core.running_since_ns)) > TENURE.as_nanos()
    }

    fn make_isolate(&self, core: &mut Core, now_ns: u64) -> Result<(), Error> {
        let spare = self
            .owner
            .upgrade()
            .and_then(|owner| owner.spare_isolate(&self.recipe.limits));
        core.isolate = Some(match spare {
            Some(mut isolate) => {
                isolate.claim(self.recipe.clone());
                isolate
            }
            None => LockerManagedIsolate::new(self.recipe.clone())?,
        });
        core.running_since_ns = now_ns;
        core.housekept_ns = now_ns;
        Ok(())
    }

    fn run_batch(self: &Arc<Self>, core: &mut Core, begin_ns: u64) {
        self.progress.busy_since.store(begin_ns, Ordering::Relaxed);
        let batch = self.pace.begin(begin_ns, self.threads.time(begin_ns));
        let isolate_is_new = core.isolate.is_none();
        if isolate_is_new && let Err(error) = self.make_isolate(core, begin_ns) {
            self.refuse_all(&error);
            self.note_begun();
            self.progress.busy_since.store(0, Ordering::Relaxed);
            return;
        }
        let was_good =
            core.isolate.as_ref().map(LockerManagedIsolate::health) == Some(Health::Good);
        let is_in_use = core
            .note_rest(begin_ns.saturating_sub(self.progress.last_used.load(Ordering::Relaxed)));
        let Core {
            isolate: Some(isolate),
            buffer,
            housekept_ns,
            late,
            ..
        } = core
        else {
            return;
        };
        isolate.set_in_use(is_in_use);
        let had_run = isolate.has_run();
        let (mut turns, mut now_ns) = (0_u64, begin_ns);
        {
            let mut locked = isolate.lock();
            for _ in 0..BATCH_ITEMS {
                let Some(item) = self.queue.pop() else { break };
                match item {
                    Item::Start(start) if locked.takes_no_more() || self.gives_way() => {
                        late.push(start);
                    }
                    Item::Start(start) => {
                        self.run_start(&mut locked, start, isolate_is_new && turns == 0);
                    }
                    Item::Abort(request, error) => {
                        self.forget_abort(request);
                        locked.abort(request, &error);
                    }
                    Item::Fail(error) => locked.fail_all(&error),
                }
                turns += 1;
                now_ns = self.threads.now_ns();
                if now_ns - begin_ns > BATCH_TIME.as_nanos() as u64 {
                    break;
                }
            }
        }
        if self.queue.take_poll_wanted() || isolate.active() > 0 {
            let waker = isolane_lanes::Lane::waker(self);
            isolate
                .lock()
                .poll(&mut Context::from_waker(&waker), buffer);
            now_ns = self.threads.now_ns();
        }
        let idle = isolate.active() == 0;
        if now_ns.saturating_sub(*housekept_ns) > HOUSEKEEPING_INTERVAL.as_nanos() as u64
            || (idle && self.recipe.definition.context == ContextPolicy::Fresh)
        {
            isolate.lock().housekeep();
            now_ns = self.threads.now_ns();
            *housekept_ns = now_ns;
            self.progress
                .memory_bytes
                .store(isolate.memory_bytes(), Ordering::Relaxed);
        }
        self.counts().set_active(isolate.active());
        self.note_turns(begin_ns, now_ns, turns);
        let ended = Ended {
            now_ns,
            now: self.threads.time(now_ns),
            turns,
            isolate_is_new,
            was_limited: was_good && isolate.health() != Health::Good,
        };
        self.pace.end(&batch, ended);
        if isolate_is_new {
            self.note_begun();
        }
        if !had_run
            && isolate.has_run()
            && isolate.has_code_to_keep()
            && let Some(owner) = self.owner.upgrade()
        {
            owner.keep_code(self);
        }
        if idle {
            isolate.note_families();
        }
        if idle && self.queue.is_empty() && self.is_accepting() && isolate.wants_context() {
            // After the accounts: it is not what the worker's requests take. Who has been answered goes
            // first, where both have only this processor.
            std::thread::yield_now();
            if self.queue.is_empty() {
                let is_ready = isolate.lock().prepare();
                self.has_context.store(is_ready, Ordering::Relaxed);
            }
        }
    }

    /// The lane's first batch is over.
    fn note_begun(&self) {
        if let Some(owner) = self.owner.upgrade() {
            owner.has_begun(&self.recipe.limits);
        }
    }

    fn run_start(
        &self,
        locked: &mut LockedIsolate<'_>,
        mut start: StartRequest,
        isolate_is_new: bool,
    ) {
        start.ticket.count_in(&self.running);
        self.counts().begin();
        if self.was_aborted(start.id) {
            start.fail(ErrorKind::Aborted.into());
        } else {
            if self.has_context.load(Ordering::Relaxed) {
                self.has_context.store(false, Ordering::Relaxed);
            }
            locked.start(start, isolate_is_new);
        }
    }
}
