//! Runs a lane: one batch of its requests, the scheduler's answers, and V8's own tasks. All of it is
//! called on a pool thread, by one at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::time::{Duration, Instant};

use isolane_lanes::{LaneQueue, ThreadId};

use crate::ContextPolicy;
use crate::error::{Error, ErrorKind};
use crate::locker_managed_isolate::{LockedIsolate, LockerManagedIsolate};
use crate::runtime::realm::Health;
use crate::runtime::stopping;

use super::lane::{Core, Item, Lane, Threads};

/// How many items one lock of the isolate runs before other lanes get their turn.
const BATCH_ITEMS: usize = 64;
/// How long one lock of the isolate is kept while items keep coming.
const BATCH_TIME: Duration = Duration::from_millis(1);
/// How often a busy lane lets V8 run its own tasks.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_millis(20);

impl isolane_lanes::Lane for Lane {
    type Item = Item;

    fn queue(&self) -> &LaneQueue<Item> {
        &self.queue
    }

    fn threads(&self) -> &Arc<Threads> {
        &self.threads
    }

    fn run(self: &Arc<Self>, _: ThreadId) {
        let (health, late) = {
            let mut core = self.core.lock();
            let batch = AssertUnwindSafe(|| self.run_batch(&mut core));
            if catch_unwind(batch).is_err() {
                // A bug of ours: the isolate is given up, the process and the other lanes go on.
                if let Some(isolate) = &mut core.isolate {
                    isolate.condemn(&Error::internal("a turn panicked"));
                }
                self.active.store(0, Ordering::Relaxed);
            }
            let isolate = core.isolate.as_ref();
            let health = isolate.map_or(Health::Good, LockerManagedIsolate::health);
            (health, std::mem::take(&mut core.late))
        };
        if health != Health::Good
            && self.accepting.swap(false, Ordering::AcqRel)
            && let Some(owner) = self.owner.upgrade()
        {
            owner.retired(self);
        }
        self.place_again(late);
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
    }
}

impl Lane {
    fn run_batch(self: &Arc<Self>, core: &mut Core) {
        let begin = self.threads.now_ns();
        self.busy_since.store(begin, Ordering::Relaxed);
        let isolate_is_new = core.isolate.is_none();
        if isolate_is_new {
            match LockerManagedIsolate::new(self.recipe.clone()) {
                Ok(isolate) => core.isolate = Some(isolate),
                Err(error) => return self.refuse_all(&error),
            }
        }
        let Core {
            isolate: Some(isolate),
            buffer,
            housekept,
            late,
        } = core
        else {
            return;
        };
        let mut turns = 0_u64;
        {
            let mut locked = isolate.lock();
            for _ in 0..BATCH_ITEMS {
                let Some(item) = self.queue.pop() else { break };
                match item {
                    Item::Start(start) if locked.takes_no_more() => {
                        self.queued.fetch_sub(1, Ordering::Relaxed);
                        late.push(*start);
                    }
                    item => self.run_item(&mut locked, item, isolate_is_new && turns == 0),
                }
                turns += 1;
                if self.threads.now_ns() - begin > BATCH_TIME.as_nanos() as u64 {
                    break;
                }
            }
        }
        if self.queue.take_poll_wanted() || isolate.active() > 0 {
            let waker = isolane_lanes::Lane::waker(self);
            isolate
                .lock()
                .poll(&mut Context::from_waker(&waker), buffer);
        }
        let idle = isolate.active() == 0;
        if housekept.elapsed() > HOUSEKEEPING_INTERVAL
            || (idle && self.recipe.definition.context == ContextPolicy::Fresh)
        {
            isolate.lock().housekeep();
            *housekept = Instant::now();
            self.memory_bytes
                .store(isolate.memory_bytes(), Ordering::Relaxed);
        }
        self.active.store(isolate.active(), Ordering::Relaxed);
        self.note_turns(begin, turns);
    }

    fn run_item(&self, locked: &mut LockedIsolate<'_>, item: Item, isolate_is_new: bool) {
        match item {
            Item::Start(start) => {
                // Counted as active first, so that the lane never looks idle in between.
                self.active.fetch_add(1, Ordering::Relaxed);
                self.queued.fetch_sub(1, Ordering::Relaxed);
                if self.was_aborted(start.id) {
                    start.fail(ErrorKind::Aborted.into());
                } else {
                    locked.start(*start, isolate_is_new);
                }
            }
            Item::Abort(request, error) => {
                self.forget_abort(request);
                locked.abort(request, &error);
                stopping::abort_arrived(request);
            }
            Item::Fail(error) => locked.fail_all(&error),
        }
    }

    /// There is no isolate: whoever waits is told why.
    fn refuse_all(&self, error: &Error) {
        while let Some(item) = self.queue.pop() {
            if let Item::Start(start) = item {
                self.queued.fetch_sub(1, Ordering::Relaxed);
                start.fail(error.clone());
            }
        }
        self.busy_since.store(0, Ordering::Relaxed);
    }
}
