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
use crate::thread_priority::SystemThread;

use super::LimitKind;
use super::external::ExternalGuard;
use super::rescue::{Bystanders, GivenUp, Rescue, Unanswered};
use super::thread_clock::{CpuMark, ThreadClock};

/// How often armed turns are looked at: the most a turn overruns its limit.
const TICK: Duration = Duration::from_millis(2);

/// How many ticks without an armed turn the watchdog waits for before it sleeps.
const IDLE_TICKS: u32 = 4;

/// How much processor time a terminated turn may still use before it and its thread are given up.
const UNWINDING_CPU: Duration = Duration::from_millis(100);
/// How long a terminated turn may go on before who waits for it is answered without it, where its
/// thread gets no processor.
const UNWINDING_TIME: Duration = Duration::from_secs(1);
/// How long it may go on so before its thread is given up too. One that only waits for a processor
/// that others use is not lost, and a successor would wait for the same.
const UNWINDING_TIME_OF_THREAD: Duration = Duration::from_secs(30);
/// How much processor time it may use before a process that may end for it does. Others run there too,
/// and most turns that end late end before that.
const UNWINDING_CPU_OF_PROCESS: Duration = Duration::from_secs(2);
/// How long it may go on so before such a process ends.
const UNWINDING_TIME_OF_PROCESS: Duration = Duration::from_secs(60);
/// The most that one look counts of what has passed since the last: beyond it the watchdog had no
/// processor itself, as where the machine is paused, and the turn had no chance to end either.
const LONGEST_STEP: Duration = Duration::from_millis(20);

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

struct Firing {
    why: Fired,
    /// When it was last looked at.
    looked: Instant,
    cpu_looked: Duration,
    /// For how long, and with how much processor time, the turn has gone on since; without what V8
    /// took to collect garbage, which it is not asked to stop.
    lasted: Duration,
    cpu: Duration,
    /// What was given up already.
    rescued: Option<Rescue>,
}

impl Firing {
    fn new(why: Fired, now: Instant, cpu_now: Duration) -> Self {
        Self {
            why,
            looked: now,
            cpu_looked: cpu_now,
            lasted: Duration::ZERO,
            cpu: Duration::ZERO,
            rescued: None,
        }
    }

    fn advance(&mut self, now: Instant, cpu_now: Duration, is_collecting: bool) {
        if !is_collecting {
            self.lasted += (now - self.looked).min(LONGEST_STEP);
            self.cpu += cpu_now.saturating_sub(self.cpu_looked).min(LONGEST_STEP);
        }
        self.looked = now;
        self.cpu_looked = cpu_now;
    }

    /// What is to be given up, by how long the turn goes on.
    fn due(&self) -> Option<Rescue> {
        let passed = |cpu, time| self.cpu >= cpu || self.lasted >= time;
        if passed(UNWINDING_CPU_OF_PROCESS, UNWINDING_TIME_OF_PROCESS) {
            Some(Rescue::EndProcess)
        } else if passed(UNWINDING_CPU, UNWINDING_TIME_OF_THREAD) {
            Some(Rescue::LoseThread)
        } else if self.lasted >= UNWINDING_TIME {
            Some(Rescue::Answer)
        } else {
            None
        }
    }
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
        let due = firing.due().filter(|due| firing.rescued < Some(*due))?;
        firing.rescued = Some(due);
        if due == Rescue::LoseThread {
            // The turn is armed, so its thread has not ended. Another one is there for the others.
            self.thread.give_up();
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
        let begin = CpuMark::now();
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
            watchdog.thread.unpark();
        }
        Self { begin }
    }

    /// Ends the watch: after this, nothing terminates the turn any more.
    pub(crate) fn end(self) -> Watched {
        let armed = SLOT.with(|slot| slot.0.armed.lock().take());
        let firing = armed.and_then(|armed| armed.fired);
        Watched {
            cpu: self.begin.used(),
            fired: firing.as_ref().map(|firing| firing.why),
            answered: firing.is_some_and(|firing| firing.rescued.is_some()),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at a turn that was told to end, `looks` times; its thread has the processor for `cpu` of
    /// each `step`.
    fn look_on(looks: u32, step: Duration, cpu: Duration) -> Firing {
        let begin = Instant::now();
        let mut firing = Firing::new(Fired::Aborted, begin, Duration::ZERO);
        for look in 1..=looks {
            firing.advance(begin + step * look, cpu * look, false);
        }
        firing
    }

    #[test]
    fn a_turn_that_goes_on_costs_its_thread_and_in_the_end_its_process() {
        assert_eq!(look_on(49, TICK, TICK).due(), None);
        assert_eq!(look_on(50, TICK, TICK).due(), Some(Rescue::LoseThread));
        assert_eq!(look_on(999, TICK, TICK).due(), Some(Rescue::LoseThread));
        assert_eq!(look_on(1000, TICK, TICK).due(), Some(Rescue::EndProcess));
    }

    #[test]
    fn nobody_waits_for_a_turn_whose_thread_gets_no_processor() {
        let starved = |looks| look_on(looks, TICK, Duration::ZERO).due();
        assert_eq!(starved(499), None);
        assert_eq!(starved(500), Some(Rescue::Answer));
        assert_eq!(starved(14_999), Some(Rescue::Answer));
        assert_eq!(starved(15_000), Some(Rescue::LoseThread));
        assert_eq!(starved(30_000), Some(Rescue::EndProcess));
    }

    #[test]
    fn a_pause_of_the_machine_is_not_held_against_a_turn() {
        let pause = Duration::from_secs(60);
        assert_eq!(look_on(1, pause, Duration::ZERO).due(), None);
        // The clocks of threads may go on meanwhile.
        assert_eq!(look_on(1, pause, pause).due(), None);
    }
}
