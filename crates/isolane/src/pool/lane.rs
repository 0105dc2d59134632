//! A lane: one pooled isolate's queue of turns, run by one thread at a time. Who finds the lane idle
//! puts it on a thread's run queue; who finds it busy leaves the item and goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use crossbeam_queue::SegQueue;
use isolane_scheduler::{CallbackMessage, RequestId};
use parking_lot::Mutex;

use crate::error::{Error, ErrorKind};
use crate::limits::watchdog;
use crate::locker_managed_isolate::{IsolateRecipe, LockedIsolate, LockerManagedIsolate};
use crate::runtime::events::StartRequest;
use crate::runtime::realm::Health;
use crate::runtime::stopping;

use super::registry::Deployment;
use super::threads::Threads;

/// How many items one lock of the isolate runs before other lanes get their turn.
const BATCH_ITEMS: usize = 64;
/// How long one lock of the isolate is kept while items keep coming.
const BATCH_TIME: Duration = Duration::from_millis(1);
/// How often a busy lane lets V8 run its own tasks.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_millis(20);
/// A lane whose turns are shorter than this on average answers while its caller spins.
const QUICK_TURN_NS: u64 = 20_000;

const IDLE: u8 = 0;
const QUEUED: u8 = 1;
const RUNNING: u8 = 2;
const RETIRED: u8 = 3;

/// What a lane is asked to do.
pub(crate) enum Item {
    Start(Box<StartRequest>),
    Abort(RequestId, Error),
    /// Answer everything with the error: the pool closes.
    Fail(Error),
}

/// What the pool wants to know when a lane has run.
pub(crate) trait LaneOwner: Send + Sync {
    /// The lane takes no more requests: a limit ended one of its turns.
    fn retired(&self, lane: &Arc<Lane>);
    /// Finds another lane for requests that reached the lane after it was retired.
    fn place_again(&self, deployment: &Arc<Deployment>, starts: Vec<StartRequest>);
    /// The lane has nothing to do.
    fn idle(&self, lane: &Arc<Lane>);
}

/// One isolate's lane.
pub(crate) struct Lane {
    deployment: Weak<Deployment>,
    recipe: IsolateRecipe,
    owner: Weak<dyn LaneOwner>,
    threads: Arc<Threads>,
    state: AtomicU8,
    items: SegQueue<Item>,
    /// The scheduler has answers for a context of this lane.
    poll_wanted: AtomicBool,
    /// Whether new requests may come here.
    accepting: AtomicBool,
    /// The thread that ran the lane last: staying there spares V8 a change of thread.
    pub(crate) home: AtomicUsize,
    queued: AtomicUsize,
    active: AtomicUsize,
    aborted: Mutex<Vec<RequestId>>,
    any_aborted: AtomicBool,
    mean_turn_ns: AtomicU64,
    busy_since: AtomicU64,
    pub(crate) last_used: AtomicU64,
    pub(crate) memory_bytes: AtomicUsize,
    core: Mutex<Core>,
}

/// What only the thread that runs the lane touches.
struct Core {
    isolate: Option<LockerManagedIsolate>,
    buffer: Vec<CallbackMessage>,
    housekept: Instant,
    /// Requests that came too late for an isolate that takes no more.
    late: Vec<StartRequest>,
}

impl Lane {
    pub(crate) fn new(
        deployment: &Arc<Deployment>,
        recipe: IsolateRecipe,
        owner: Weak<dyn LaneOwner>,
        threads: Arc<Threads>,
    ) -> Arc<Self> {
        Arc::new(Self {
            deployment: Arc::downgrade(deployment),
            recipe,
            owner,
            threads,
            state: AtomicU8::new(IDLE),
            items: SegQueue::new(),
            poll_wanted: AtomicBool::new(false),
            accepting: AtomicBool::new(true),
            home: AtomicUsize::new(usize::MAX),
            // Its first request is on its way: until that comes, the lane must not look idle.
            queued: AtomicUsize::new(1),
            active: AtomicUsize::new(0),
            aborted: Mutex::new(Vec::new()),
            any_aborted: AtomicBool::new(false),
            mean_turn_ns: AtomicU64::new(0),
            busy_since: AtomicU64::new(0),
            last_used: AtomicU64::new(0),
            memory_bytes: AtomicUsize::new(0),
            core: Mutex::new(Core {
                isolate: None,
                buffer: Vec::new(),
                housekept: Instant::now(),
                late: Vec::new(),
            }),
        })
    }

    /// Requests that wait for their first turn.
    pub(crate) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// Requests that wait or have not ended.
    pub(crate) fn load(&self) -> usize {
        self.queued() + self.active.load(Ordering::Relaxed)
    }

    /// Whether it has nothing to do and no thread is about to run it.
    pub(crate) fn is_idle(&self) -> bool {
        self.load() == 0 && self.state.load(Ordering::SeqCst) == IDLE
    }

    pub(crate) fn is_accepting(&self) -> bool {
        self.accepting.load(Ordering::Relaxed)
    }

    /// No new request comes here after this.
    pub(crate) fn stop_accepting(&self) {
        self.accepting.store(false, Ordering::Release);
    }

    pub(crate) fn deployment(&self) -> Option<Arc<Deployment>> {
        self.deployment.upgrade()
    }

    /// Ends the turn that runs now, if one does.
    pub(crate) fn interrupt(&self) {
        watchdog::close_group(self.recipe.group);
    }

    /// Whether a request pushed now will likely be answered within microseconds.
    pub(crate) fn is_quick(&self) -> bool {
        let mean = self.mean_turn_ns.load(Ordering::Relaxed);
        mean != 0 && mean < QUICK_TURN_NS && self.queued() <= 1
    }

    /// How long a request pushed now would wait, estimated.
    pub(crate) fn expected_wait(&self, now_ns: u64) -> Duration {
        let queued = self.queued() as u64 * self.mean_turn_ns.load(Ordering::Relaxed);
        let since = self.busy_since.load(Ordering::Relaxed);
        let running = if since == 0 {
            0
        } else {
            now_ns.saturating_sub(since)
        };
        Duration::from_nanos(queued + running)
    }

    /// Gives a new lane the request that it was made for, which it has counted already.
    pub(crate) fn push_first(self: &Arc<Self>, start: Box<StartRequest>) {
        self.items.push(Item::Start(start));
        self.schedule();
    }

    /// Gives the lane something to do. Requests come here under their worker's lock, so that none
    /// meets a lane that is being evicted.
    pub(crate) fn push(self: &Arc<Self>, item: Item) {
        if matches!(item, Item::Start(_)) {
            self.queued.fetch_add(1, Ordering::Relaxed);
        }
        self.items.push(item);
        self.schedule();
    }

    /// Ends a request, whether it waits here, runs here, or is not here at all.
    pub(crate) fn abort(self: &Arc<Self>, request: RequestId) {
        self.aborted.lock().push(request);
        self.any_aborted.store(true, Ordering::Release);
        self.push(Item::Abort(request, ErrorKind::Aborted.into()));
    }

    /// Whether a request was aborted before its first turn.
    fn was_aborted(&self, request: RequestId) -> bool {
        self.any_aborted.load(Ordering::Acquire) && self.aborted.lock().contains(&request)
    }

    fn forget_abort(&self, request: RequestId) {
        let mut aborted = self.aborted.lock();
        aborted.retain(|other| *other != request);
        self.any_aborted
            .store(!aborted.is_empty(), Ordering::Release);
    }

    /// Closes an idle lane for good; false where it has something to do.
    pub(crate) fn try_retire(&self) -> bool {
        if self.load() > 0 {
            return false;
        }
        let retired = self
            .state
            .compare_exchange(IDLE, RETIRED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if retired {
            self.accepting.store(false, Ordering::Release);
        }
        retired
    }

    /// Takes the isolate out of a retired lane.
    pub(crate) fn take_isolate(&self) -> Option<LockerManagedIsolate> {
        self.core.lock().isolate.take()
    }

    /// As [`Lane::take_isolate`], where no thread runs the lane.
    pub(crate) fn try_take_isolate(&self) -> Option<LockerManagedIsolate> {
        self.core.try_lock()?.isolate.take()
    }

    fn schedule(self: &Arc<Self>) {
        if self.claim() {
            self.threads.enqueue(self.clone());
        }
    }

    /// Whether the caller is the one to put the lane on a run queue.
    fn claim(&self) -> bool {
        self.state
            .compare_exchange(IDLE, QUEUED, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    /// Runs a batch on the calling pool thread, which took the lane off a run queue.
    pub(crate) fn run(self: &Arc<Self>, thread: usize) {
        self.state.store(RUNNING, Ordering::Release);
        self.home.store(thread, Ordering::Relaxed);
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
        if !late.is_empty()
            && let (Some(owner), Some(deployment)) = (self.owner.upgrade(), self.deployment())
        {
            owner.place_again(&deployment, late);
        }
        self.state.store(IDLE, Ordering::SeqCst);
        // Look once more before letting go: what came in while the state was Running is seen here.
        if !self.items.is_empty() || self.poll_wanted.load(Ordering::SeqCst) {
            if self.claim() {
                self.threads.requeue(thread, self.clone());
            }
        } else if self.load() == 0
            && let Some(owner) = self.owner.upgrade()
        {
            owner.idle(self);
        }
    }

    fn run_batch(self: &Arc<Self>, core: &mut Core) {
        let begin = self.threads.now_ns();
        self.busy_since.store(begin, Ordering::Relaxed);
        let isolate_is_new = core.isolate.is_none();
        let mut turns = 0_u64;
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
        {
            let mut locked = isolate.lock();
            for _ in 0..BATCH_ITEMS {
                let Some(item) = self.items.pop() else { break };
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
        if self.poll_wanted.swap(false, Ordering::SeqCst) || isolate.active() > 0 {
            let waker = Waker::from(Arc::new(LaneWaker(Arc::downgrade(self))));
            isolate
                .lock()
                .poll(&mut Context::from_waker(&waker), buffer);
        }
        let idle = isolate.active() == 0;
        if housekept.elapsed() > HOUSEKEEPING_INTERVAL
            || (idle && self.recipe.definition.context == crate::ContextPolicy::Fresh)
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
        while let Some(item) = self.items.pop() {
            if let Item::Start(start) = item {
                self.queued.fetch_sub(1, Ordering::Relaxed);
                start.fail(error.clone());
            }
        }
        self.busy_since.store(0, Ordering::Relaxed);
    }

    /// Keeps a running mean of the turns' length, an eighth of the way at a time.
    fn note_turns(&self, begin: u64, turns: u64) {
        let now = self.threads.now_ns();
        self.busy_since.store(0, Ordering::Relaxed);
        self.last_used.store(now, Ordering::Relaxed);
        if let Some(turn) = (now - begin).checked_div(turns) {
            let mean = self.mean_turn_ns.load(Ordering::Relaxed);
            let next = if mean == 0 {
                turn
            } else {
                mean - mean / 8 + turn / 8
            };
            self.mean_turn_ns.store(next.max(1), Ordering::Relaxed);
        }
    }
}

/// Wakes a lane when the scheduler has an answer for it.
struct LaneWaker(Weak<Lane>);

impl Wake for LaneWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(lane) = self.0.upgrade() {
            lane.poll_wanted.store(true, Ordering::SeqCst);
            lane.schedule();
        }
    }
}
