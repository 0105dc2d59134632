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

use super::external::ExternalGuard;
use super::thread_clock::{ThreadClock, thread_cpu_time};

/// How often armed turns are looked at: the most a turn overruns its limit.
const TICK: Duration = Duration::from_millis(2);

/// How many ticks without an armed turn the watchdog waits for before it sleeps.
const IDLE_TICKS: u32 = 8;

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

struct Armed {
    request: RequestId,
    group: u64,
    external: Arc<ExternalGuard>,
    cpu_until: Option<Duration>,
    wall_until: Option<Instant>,
    fired: Option<Fired>,
}

struct Slot {
    clock: ThreadClock,
    armed: Mutex<Option<Armed>>,
}

impl Slot {
    fn terminate(armed: &mut Armed, why: Fired) {
        if armed.fired.is_none() {
            armed.fired = Some(why);
            armed.external.handle().terminate_execution();
        }
    }
}

struct Watchdog {
    slots: Mutex<Vec<Arc<Slot>>>,
    asleep: AtomicBool,
    thread: thread::Thread,
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnBudget {
    pub(crate) request: RequestId,
    /// What the turn belongs to together with others; 0 for nothing.
    pub(crate) group: u64,
    pub(crate) cpu: Option<Duration>,
    pub(crate) wall_until: Option<Instant>,
}

/// A turn under watch on this thread.
pub(crate) struct Watch {
    cpu_at_start: Duration,
}

/// How a watched turn went.
pub(crate) struct Watched {
    pub(crate) cpu: Duration,
    pub(crate) fired: Option<Fired>,
}

impl Watch {
    /// Watches the calling thread's turn until [`Watch::end`].
    pub(crate) fn begin(external: &Arc<ExternalGuard>, budget: TurnBudget) -> Self {
        let cpu_at_start = thread_cpu_time();
        SLOT.with(|slot| {
            *slot.0.armed.lock() = Some(Armed {
                request: budget.request,
                group: budget.group,
                external: external.clone(),
                cpu_until: budget.cpu.map(|cpu| cpu_at_start + cpu),
                wall_until: budget.wall_until,
                fired: None,
            });
        });
        let watchdog = watchdog();
        if watchdog.asleep.load(Ordering::SeqCst) && watchdog.asleep.swap(false, Ordering::SeqCst) {
            watchdog.thread.unpark();
        }
        Self { cpu_at_start }
    }

    /// Ends the watch: after this, nothing terminates the turn any more.
    pub(crate) fn end(self) -> Watched {
        let armed = SLOT.with(|slot| slot.0.armed.lock().take());
        Watched {
            cpu: thread_cpu_time().saturating_sub(self.cpu_at_start),
            fired: armed.and_then(|armed| armed.fired),
        }
    }
}

/// Terminates the turn of `request` if one runs now, on whichever thread.
pub(crate) fn abort_running(request: RequestId) {
    terminate_where(Fired::Aborted, |armed| armed.request == request);
}

/// Terminates the turns of a group that run now.
pub(crate) fn close_group(group: u64) {
    terminate_where(Fired::Closed, |armed| armed.group == group);
}

fn terminate_where(why: Fired, wanted: impl Fn(&Armed) -> bool) {
    let Some(watchdog) = WATCHDOG.get() else {
        return;
    };
    for slot in watchdog.slots.lock().iter() {
        if let Some(armed) = slot.armed.lock().as_mut().filter(|armed| wanted(armed)) {
            Slot::terminate(armed, why);
        }
    }
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
            thread: thread.thread().clone(),
        }
    })
}

fn run() {
    let watchdog = WATCHDOG.wait();
    let mut idle = 0;
    loop {
        if look(watchdog) {
            idle = 0;
        } else {
            idle += 1;
        }
        if idle < IDLE_TICKS {
            thread::sleep(TICK);
            continue;
        }
        // Say so first, look again, and only then sleep: a turn armed in between is not missed.
        watchdog.asleep.store(true, Ordering::SeqCst);
        if look(watchdog) {
            watchdog.asleep.store(false, Ordering::SeqCst);
        } else {
            while watchdog.asleep.load(Ordering::SeqCst) {
                thread::park();
            }
        }
        idle = 0;
    }
}

/// Terminates what overran; says whether anything was armed.
fn look(watchdog: &Watchdog) -> bool {
    let mut any = false;
    for slot in watchdog.slots.lock().iter() {
        let mut armed = slot.armed.lock();
        let Some(turn) = armed.as_mut() else { continue };
        any = true;
        turn.external.ask();
        if turn.wall_until.is_some_and(|until| Instant::now() >= until) {
            Slot::terminate(turn, Fired::Wall);
        } else if let (Some(until), Some(used)) = (turn.cpu_until, slot.clock.read())
            && used >= until
        {
            Slot::terminate(turn, Fired::Cpu);
        }
    }
    any
}
