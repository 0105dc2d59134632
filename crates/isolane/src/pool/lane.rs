//! A lane: one pooled isolate, its worker's requests, and what is known of how busy it is. Any thread
//! asks and pushes; `batch.rs` runs it, on one pool thread at a time.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crossbeam_utils::CachePadded;
use isolane_lanes::{Abandoned, Lane as _, LaneQueue, Pace, Pushed};
use isolane_scheduler::{CallbackMessage, RequestId};
use parking_lot::Mutex;

use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::limits::rescue::{self, ThreadUser};
use crate::limits::watchdog;
use crate::locker_managed_isolate::{IsolateRecipe, LockerManagedIsolate};
use crate::platform;
use crate::runtime::events::StartRequest;
use crate::settlement::others_of_this_thread;

use super::counts::Counts;
use super::pace::LanePace;
use super::registry::Deployment;
use super::turn_times::TurnTimes;

/// The threads that run lanes.
pub(crate) type Threads = isolane_lanes::Threads<Lane>;

/// What a lane is asked to do.
pub(crate) enum Item {
    Start(StartRequest),
    Abort(RequestId, Error),
    /// Answer everything with the error: the pool closes.
    Fail(Error),
}

impl Item {
    /// The request of an item that is not run; an abort has nothing to end then.
    fn into_start(self) -> Option<StartRequest> {
        match self {
            Self::Start(start) => Some(start),
            Self::Abort(..) | Self::Fail(_) => None,
        }
    }
}

/// What the pool wants to know when a lane has run.
pub(crate) trait LaneOwner: Send + Sync {
    /// The lane takes no more requests: a limit ended one of its turns.
    fn retired(&self, lane: &Arc<Lane>);
    /// Finds another lane for requests that reached the lane after it was retired.
    fn place_again(&self, deployment: &Arc<Deployment>, starts: Vec<StartRequest>);
    /// The lane's thread does not come back from a turn.
    fn lost(&self, lane: &Arc<Lane>);
    /// The thread of a lost lane came back.
    fn found(&self, lane: &Arc<Lane>);
    /// The lane has nothing to do.
    fn idle(&self, lane: &Arc<Lane>);
    /// The lane has more to do, and kept its place for long enough while others wait for one.
    fn make_way(&self, lane: &Arc<Lane>);
    /// The calling thread needs an isolate: one that was made ahead, or it has to make one.
    fn spare_isolate(&self, limits: &Limits) -> Option<LockerManagedIsolate>;
    /// A new isolate has run its first batch, or could not be made.
    fn has_begun(&self, limits: &Limits);
    /// The worker's first request has run on the lane's isolate, and what V8 compiled for it is to be kept.
    fn keep_code(&self, lane: &Arc<Lane>);
}

/// Where a lane lives.
pub(crate) struct Place {
    pub(super) owner: Weak<dyn LaneOwner>,
    pub(super) threads: Arc<Threads>,
    /// How many workers wait for a place.
    pub(super) workers_waiting: Arc<AtomicUsize>,
}

/// One isolate's lane.
pub(crate) struct Lane {
    deployment: Weak<Deployment>,
    pub(super) recipe: IsolateRecipe,
    pub(super) owner: Weak<dyn LaneOwner>,
    pub(super) threads: Arc<Threads>,
    pub(super) workers_waiting: Arc<AtomicUsize>,
    pub(super) queue: LaneQueue<Item, Counts>,
    pub(super) pace: LanePace,
    /// Whether new requests may come here.
    pub(super) accepting: AtomicBool,
    /// Whether it leaves its place to another worker's.
    gives_way: AtomicBool,
    /// Its requests that have not ended, counted by their tickets.
    pub(super) running: Arc<AtomicUsize>,
    /// Whether its thread was given up.
    pub(super) is_lost: AtomicBool,
    aborted: Mutex<Vec<RequestId>>,
    any_aborted: AtomicBool,
    /// Whether a request has run here since the isolate was last collected for having nothing to do.
    pub(super) warm: AtomicBool,
    /// Whether the next request's context is there, where requests have contexts of their own.
    pub(super) has_context: AtomicBool,
    turn_times: TurnTimes,
    pub(super) progress: CachePadded<Progress>,
    pub(super) core: CachePadded<Mutex<Core>>,
}

/// How far the thread that runs a lane is. It writes all of this in each batch; others look seldom.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) busy_since: AtomicU64,
    pub(super) last_used: AtomicU64,
    pub(super) memory_bytes: AtomicUsize,
}

/// What only the thread that runs the lane touches.
pub(super) struct Core {
    pub(super) isolate: Option<LockerManagedIsolate>,
    pub(super) buffer: Vec<CallbackMessage>,
    pub(super) housekept_ns: u64,
    /// How many batches in a row came soon after each other.
    pub(super) soon_in_a_row: u32,
    /// Requests that came too late for an isolate that takes no more.
    pub(super) late: Vec<StartRequest>,
    /// When its isolate was made.
    pub(super) running_since_ns: u64,
}

impl Lane {
    pub(crate) fn new(
        deployment: &Arc<Deployment>,
        recipe: IsolateRecipe,
        place: Place,
    ) -> Arc<Self> {
        let group = recipe.group;
        let lane = Arc::new(Self {
            deployment: Arc::downgrade(deployment),
            recipe,
            owner: place.owner,
            threads: place.threads,
            workers_waiting: place.workers_waiting,
            queue: LaneQueue::new(Counts::with_first()),
            pace: LanePace::new(deployment.conduct.clone()),
            accepting: AtomicBool::new(true),
            gives_way: AtomicBool::new(false),
            running: Arc::default(),
            is_lost: AtomicBool::new(false),
            aborted: Mutex::new(Vec::new()),
            any_aborted: AtomicBool::new(false),
            warm: AtomicBool::new(false),
            has_context: AtomicBool::new(false),
            turn_times: TurnTimes::default(),
            progress: CachePadded::default(),
            core: CachePadded::new(Mutex::new(Core {
                isolate: None,
                buffer: Vec::new(),
                housekept_ns: 0,
                soon_in_a_row: 0,
                late: Vec::new(),
                running_since_ns: 0,
            })),
        });
        let user: Arc<dyn ThreadUser> = lane.clone();
        rescue::register(group, Arc::downgrade(&user));
        lane
    }

    pub(super) fn counts(&self) -> &Counts {
        self.queue.counts()
    }

    /// Requests that wait for their first turn.
    pub(crate) fn queued(&self) -> usize {
        self.counts().queued()
    }

    /// Requests that wait or have not ended.
    pub(crate) fn load(&self) -> usize {
        self.counts().load()
    }

    /// Requests that wait, run, or go on after their answer.
    pub(super) fn unfinished(&self) -> usize {
        // In the order in which requests go on, so that none is missed.
        self.queued() + self.running.load(Ordering::Acquire)
    }

    /// Whether it has nothing to do and no thread is about to run it.
    pub(crate) fn is_idle(&self) -> bool {
        self.load() == 0 && self.queue.is_idle()
    }

    pub(crate) fn is_accepting(&self) -> bool {
        self.accepting.load(Ordering::Relaxed)
    }

    /// No new request comes here after this.
    pub(crate) fn stop_accepting(&self) {
        self.accepting.store(false, Ordering::Release);
    }

    /// Has the lane leave its place as soon as what it has begun has ended; nothing else begins. False
    /// where it takes no more requests already.
    pub(super) fn give_way(&self) -> bool {
        let was_accepting = self.accepting.swap(false, Ordering::AcqRel);
        if was_accepting {
            self.gives_way.store(true, Ordering::Release);
        }
        was_accepting
    }

    pub(super) fn gives_way(&self) -> bool {
        self.gives_way.load(Ordering::Acquire)
    }

    /// It has left its place; says whether that was promised to others.
    pub(super) fn has_given_way(&self) -> bool {
        self.gives_way.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn deployment(&self) -> Option<Arc<Deployment>> {
        self.deployment.upgrade()
    }

    /// Ends the turn that runs now, if one does.
    pub(crate) fn interrupt(&self) {
        watchdog::close_group(self.recipe.group);
    }

    /// Whether a request pushed now, behind so many that wait, will likely be answered within microseconds.
    ///
    /// Not where more than one wait before it that are not the calling thread's own.
    pub(crate) fn is_quick(&self, queued: usize) -> bool {
        self.turn_times.are_quick(queued)
            && (queued <= 1 || queued <= others_of_this_thread())
            && isolane_lanes::Lane::pace(self) == Pace::Quick
    }

    /// Whether a request pushed now begins at once, in a context that was made ahead.
    pub(crate) fn has_context_ahead(&self) -> bool {
        self.has_context.load(Ordering::Relaxed) && self.load() == 0
    }

    /// Whether all of its turns are short, as far as is known of its worker.
    pub(crate) fn is_steady(&self) -> bool {
        self.turn_times.are_short() && self.pace.is_steady()
    }

    /// How long a request pushed now, behind so many that wait, would wait, estimated.
    pub(crate) fn expected_wait(&self, queued: usize, now_ns: u64) -> Duration {
        let queued = self.turn_times.expected_ns(queued);
        let since = self.progress.busy_since.load(Ordering::Relaxed);
        let running = if since == 0 {
            0
        } else {
            now_ns.saturating_sub(since)
        };
        Duration::from_nanos(queued + running)
    }

    /// Gives a new lane the request that it was made for, which it has counted already.
    pub(crate) fn begin_first(self: &Arc<Self>, start: StartRequest) {
        // It is not idle before it has run that, so nobody can have closed it.
        self.hand_over(Item::Start(start));
    }

    /// Gives the lane a request that was announced, and says what that took, or gives it back where the lane was closed.
    /// Requests come here under their worker's lock, so that none meets a lane that is being evicted.
    pub(crate) fn begin(self: &Arc<Self>, start: StartRequest) -> Result<Pushed, StartRequest> {
        match self.push(Item::Start(start)) {
            Err(Item::Start(start)) => {
                self.counts().withdraw(1);
                Err(start)
            }
            // Where the lane gave back something else, the request is with who pushed that.
            Err(_) => Ok(Pushed::ForThreadAwake),
            Ok(pushed) => Ok(pushed),
        }
    }

    /// Ends a request, whether it waits here, runs here, or is not here at all.
    pub(crate) fn abort(self: &Arc<Self>, request: RequestId) {
        self.aborted.lock().push(request);
        self.any_aborted.store(true, Ordering::Release);
        self.hand_over(Item::Abort(request, ErrorKind::Aborted.into()));
    }

    /// Ends all that waits or runs here.
    pub(crate) fn fail_all(self: &Arc<Self>, error: Error) {
        self.hand_over(Item::Fail(error));
    }

    /// Pushes an item that a closed lane need not get.
    fn hand_over(self: &Arc<Self>, item: Item) {
        if let Err(item) = self.push(item) {
            self.place_again(item.into_start().into_iter().collect());
        }
    }

    /// Closes the lane while a thread may run it; gives the requests that it has not begun, and
    /// whether that thread would tell if it came back.
    pub(super) fn abandon(&self) -> (Vec<StartRequest>, bool) {
        let Abandoned { items, will_return } = self.queue.abandon();
        let starts: Vec<_> = items.into_iter().filter_map(Item::into_start).collect();
        self.counts().withdraw(starts.len());
        (starts, will_return)
    }

    /// Answers what waits here with the error: there is no isolate.
    pub(super) fn refuse_all(&self, error: &Error) {
        while let Some(item) = self.queue.pop() {
            if let Some(start) = item.into_start() {
                self.counts().withdraw(1);
                start.fail(error.clone());
            }
        }
    }

    /// Has requests that wait here, and that this lane cannot run, given to others.
    pub(super) fn place_again(&self, starts: Vec<StartRequest>) {
        if starts.is_empty() {
            return;
        }
        let count = starts.len();
        if let (Some(owner), Some(deployment)) = (self.owner.upgrade(), self.deployment()) {
            owner.place_again(&deployment, starts);
        }
        // Only now: at no time do they seem to have ended.
        self.counts().withdraw(count);
    }

    /// Whether a request was aborted before its first turn.
    pub(super) fn was_aborted(&self, request: RequestId) -> bool {
        self.any_aborted.load(Ordering::Acquire) && self.aborted.lock().contains(&request)
    }

    pub(super) fn forget_abort(&self, request: RequestId) {
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
        let retired = self.queue.retire();
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

    /// Notes how long the turns took of the batch that the calling thread has just run.
    pub(super) fn note_turns(&self, begin: u64, now: u64, turns: u64) {
        self.progress.busy_since.store(0, Ordering::Relaxed);
        self.progress.last_used.store(now, Ordering::Relaxed);
        if !self.warm.load(Ordering::Relaxed) {
            self.warm.store(true, Ordering::Relaxed);
        }
        self.turn_times.note(now - begin, turns);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        rescue::forget(self.recipe.group);
        // The last to know the lane may be a waker on a thread where no isolate may be entered.
        if let Some(isolate) = self.core.get_mut().isolate.take()
            && !platform::is_isolate_thread()
        {
            // Where no thread can be made, the one that makes them drops it.
            let _ = platform::spawn("isolane-reaper", move || drop(isolate));
        }
    }
}
