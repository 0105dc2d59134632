//! Ends turns that overrun. One thread for the process looks at the armed turns' clocks; it sleeps
//! while nothing is armed. No signals are used: this lives inside other people's processes.
//!
//! Each thread that runs turns owns a slot. A turn is armed and disarmed under the slot's mutex, and
//! terminated only under it: a late termination cannot reach the next turn.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use isolane_scheduler::RequestId;
use parking_lot::Mutex;

use crate::error::{Error, ErrorKind, Owner};
use crate::thread_priority::{SHORTEST_SLICE, SystemThread, ask_for_slices};

use super::LimitKind;
use super::alarm::Alarm;
use super::external::ExternalGuard;
use super::rescue::{Bystanders, GivenUp, Rescue, Unanswered};
use super::thread_clock::{CpuMark, ThreadClock};
use super::unwinding::Firing;

/// How often armed turns are looked at: the most a turn overruns its limit.
pub(super) const TICK: Duration = Duration::from_millis(2);

/// Why a turn was terminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fired {
    /// It used up its processor time.
    Cpu,
    /// It ran past its deadline.
    Wall,
    /// Its request was aborted.
    Aborted,
    /// What it belongs to was closed.
    Closed,
}

impl Fired {
    /// What the request is told.
    pub(crate) fn error(self, owner: Owner) -> Error {
        match self {
            Self::Cpu => Error::limit(LimitKind::Cpu),
            Self::Wall => Error::limit(LimitKind::Wall),
            Self::Aborted => ErrorKind::Aborted.into(),
            Self::Closed => owner.closed_error(),
        }
    }

    /// What the other requests of the isolate are told where the turn is given up. Nobody aborted
    /// those.
    pub(crate) fn error_of_others(self, owner: Owner) -> Error {
        match self {
            Self::Aborted => Error::limit(LimitKind::Wall),
            Self::Cpu | Self::Wall | Self::Closed => self.error(owner),
        }
    }
}

struct Armed {
    budget: TurnBudget,
    external: Arc<ExternalGuard>,
    bystanders: Arc<Bystanders>,
    cpu_until: Option<Duration>,
    fired: Option<Firing>,
}

struct Slot {
    clock: ThreadClock,
    thread: SystemThread,
    armed: Mutex<Option<Armed>>,
}

impl Slot {
    fn terminate(&self, armed: &mut Armed, why: Fired) {
        if armed.fired.is_none() {
            let cpu_now = self.clock.read().unwrap_or_default();
            armed.fired = Some(Firing::new(why, Instant::now(), cpu_now));
            armed.external.handle().terminate_execution();
        }
    }

    /// Ends the armed turn if it overran; gives it up if it goes on all the same.
    fn look(&self, armed: &mut Armed) -> Option<GivenUp> {
        let until = armed.budget.wall_until;
        let Some(firing) = &mut armed.fired else {
            armed.external.ask();
            if until.is_some_and(|until| Instant::now() >= until) {
                self.terminate(armed, Fired::Wall);
            } else if let (Some(until), Some(used)) = (armed.cpu_until, self.clock.read())
                && used >= until
            {
                self.terminate(armed, Fired::Cpu);
            }
            return None;
        };
        // V8 forgets a termination that it meets between two calls into JavaScript.
        armed.external.handle().terminate_execution();
        firing.advance(
            Instant::now(),
            self.clock.read().unwrap_or_default(),
            armed.external.heap().is_collecting(),
        );
        let due = firing.take_due()?;
        if due == Rescue::LoseThread {
            // The turn is armed, so its thread has not ended. Another one is there for the others.
            self.thread.lower_most();
        }
        Some(GivenUp {
            rescue: due,
            request: armed.budget.request,
            limit: match firing.why {
                Fired::Cpu => LimitKind::Cpu,
                Fired::Wall | Fired::Aborted | Fired::Closed => LimitKind::Wall,
            },
            group: armed.budget.group,
            current: armed.budget.current.clone(),
            bystanders: armed.bystanders.clone(),
            error: firing.why.error(armed.budget.owner),
            error_of_others: firing.why.error_of_others(armed.budget.owner),
        })
    }
}

struct Watchdog {
    slots: Mutex<Vec<Arc<Slot>>>,
    asleep: AtomicBool,
    alarm: Alarm,
}

static WATCHDOG: OnceLock<Watchdog> = OnceLock::new();

thread_local! {
    static SLOT: RegisteredSlot = RegisteredSlot::new();
}

/// The calling thread's slot, taken out of the watchdog's list when the thread ends.
struct RegisteredSlot(Arc<Slot>);

impl RegisteredSlot {
    fn new() -> Self {
        let slot = Arc::new(Slot {
            clock: ThreadClock::current(),
            thread: SystemThread::current(),
            armed: Mutex::new(None),
        });
        watchdog().slots.lock().push(slot.clone());
        Self(slot)
    }
}

impl Drop for RegisteredSlot {
    fn drop(&mut self) {
        watchdog()
            .slots
            .lock()
            .retain(|slot| !Arc::ptr_eq(slot, &self.0));
    }
}

/// What a turn may still use.
pub(crate) struct TurnBudget {
    /// When it begins, which is now.
    pub(crate) begin: CpuMark,
    pub(crate) request: RequestId,
    /// Who waits for the request's answer.
    pub(crate) current: Option<Arc<dyn Unanswered>>,
    pub(crate) owner: Owner,
    /// What the turn belongs to together with others; 0 for nothing.
    pub(crate) group: u64,
    pub(crate) cpu: Option<Duration>,
    pub(crate) wall_until: Option<Instant>,
}

/// A turn under watch on this thread.
pub(crate) struct Watch {
    begin: CpuMark,
}

/// How a watched turn went.
pub(crate) struct Watched {
    pub(crate) ended: Instant,
    pub(crate) cpu: Duration,
    pub(crate) fired: Option<Fired>,
    /// Whether it went on for so long that its request was answered without it.
    pub(crate) answered: bool,
}

impl Watch {
    /// Watches the calling thread's turn until [`Watch::end`].
    pub(crate) fn begin(
        external: &Arc<ExternalGuard>,
        bystanders: &Arc<Bystanders>,
        budget: TurnBudget,
    ) -> Self {
        let begin = budget.begin;
        SLOT.with(|slot| {
            *slot.0.armed.lock() = Some(Armed {
                external: external.clone(),
                bystanders: bystanders.clone(),
                cpu_until: budget.cpu.map(|cpu| begin.cpu() + cpu),
                budget,
                fired: None,
            });
        });
        let watchdog = watchdog();
        if watchdog.asleep.load(Ordering::SeqCst) && watchdog.asleep.swap(false, Ordering::SeqCst) {
            watchdog.alarm.set(TICK);
        }
        Self { begin }
    }

    /// Ends the watch: after this, nothing terminates the turn any more.
    pub(crate) fn end(self) -> Watched {
        let armed = SLOT.with(|slot| slot.0.armed.lock().take());
        let firing = armed.and_then(|armed| armed.fired);
        let ended = Instant::now();
        Watched {
            ended,
            cpu: self.begin.used_until(ended),
            fired: firing.as_ref().map(|firing| firing.why),
            answered: firing.is_some_and(|firing| firing.is_answered()),
        }
    }
}

/// Terminates the turn of `request` if one runs now, on whichever thread.
pub(crate) fn abort_running(request: RequestId) {
    terminate_where(Fired::Aborted, |turn| turn.request == request);
}

/// Terminates the turns of a group that run now.
pub(crate) fn close_group(group: u64) {
    terminate_where(Fired::Closed, |turn| turn.group == group);
}

fn terminate_where(why: Fired, wanted: impl Fn(&TurnBudget) -> bool) {
    let Some(watchdog) = WATCHDOG.get() else {
        return;
    };
    for slot in watchdog.slots.lock().iter() {
        let mut armed = slot.armed.lock();
        if let Some(armed) = armed.as_mut().filter(|armed| wanted(&armed.budget)) {
            slot.terminate(armed, why);
        }
    }
}

/// Has the thread there before the first turn.
pub(crate) fn start() {
    watchdog();
}

fn watchdog() -> &'static Watchdog {
    WATCHDOG.get_or_init(|| {
        let thread = thread::Builder::new()
            .name("isolane-watchdog".to_owned())
            .spawn(run)
            .expect("the system can create a thread");
        Watchdog {
            slots: Mutex::new(Vec::new()),
            asleep: AtomicBool::new(false),
            alarm: Alarm::new(thread.thread().clone()),
        }
    })
}

fn run() {
    ask_for_slices(SHORTEST_SLICE);
    let watchdog = WATCHDOG.wait();
    loop {
        if look(watchdog) {
            thread::sleep(TICK);
            continue;
        }
        // Say so first, look again, and only then sleep: a turn armed in between is not missed.
        watchdog.asleep.store(true, Ordering::SeqCst);
        if look(watchdog) {
            watchdog.asleep.store(false, Ordering::SeqCst);
            continue;
        }
        while watchdog.asleep.load(Ordering::SeqCst) {
            watchdog.alarm.wait();
        }
    }
}

/// Terminates what overran; says whether anything was armed.
fn look(watchdog: &Watchdog) -> bool {
    let mut any = false;
    let mut given_up = Vec::new();
    for slot in watchdog.slots.lock().iter() {
        if let Some(armed) = slot.armed.lock().as_mut() {
            any = true;
            given_up.extend(slot.look(armed));
        }
    }
    // With no lock held: whoever is answered may ask for anything.
    given_up.into_iter().for_each(GivenUp::rescue);
    any
}
