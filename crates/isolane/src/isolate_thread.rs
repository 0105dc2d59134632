//! A thread that owns isolates entered on it, and the mailbox through which other threads speak to
//! it. It sleeps until a command or an answer of the scheduler arrives, and spins before that where one came
//! soon each time: to be woken takes longer than many a command.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crossbeam_queue::SegQueue;
use isolane_lanes::LastSeenOn;
use parking_lot::Mutex;

use crate::error::Error;
use crate::limits::rescue::{self, ThreadUser};
use crate::platform;
use crate::runtime::stopping::Group;
use crate::settlement::{Expected, waking};
use crate::thread_priority;

/// How long a thread spins before it sleeps.
const SPIN: Duration = Duration::from_micros(100);

/// How many rests in a row must have been short before a thread spins.
const SHORT_RESTS: u32 = 4;

/// A step that is shorter, without what it takes to wake who asked, is worth spinning for its answer.
const QUICK: Duration = Duration::from_micros(20);

/// How many steps in a row must have been quick before who asks spins for the answer.
const QUICK_STEPS: u32 = 4;

/// How many isolate threads spin at a time.
static MOST_SPINNING: LazyLock<usize> = LazyLock::new(platform::most_spinning);

/// How many do.
static SPINNING: AtomicUsize = AtomicUsize::new(0);

/// Commands for one isolate thread; any thread may send.
pub(crate) struct Mailbox<C> {
    commands: SegQueue<C>,
    woken: AtomicBool,
    /// The processor on which a thread whose steps are quick spins for what comes next.
    spins_on: LastSeenOn,
    owner: Mutex<Option<Thread>>,
    /// Counts the threads that were given the mailbox; the last one serves it.
    owners: AtomicU64,
}

impl<C: Send + 'static> Mailbox<C> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            commands: SegQueue::new(),
            woken: AtomicBool::new(false),
            spins_on: LastSeenOn::nowhere(),
            owner: Mutex::new(None),
            owners: AtomicU64::new(0),
        })
    }

    pub(crate) fn send(self: &Arc<Self>, command: C) {
        self.commands.push(command);
        self.wake_by_ref();
    }

    /// When the answer to what is sent now is likely to come.
    fn expected(&self) -> Expected {
        // To spin on the processor of the thread that answers would keep it from answering.
        if self.spins_on.is_other_than(thread_priority::processor()) {
            Expected::Soon
        } else {
            Expected::Late
        }
    }

    /// Starts a thread that serves the mailbox from now on: `body` runs there once and should end in
    /// [`Receiver::serve`].
    pub(crate) fn spawn(
        self: &Arc<Self>,
        name: &str,
        body: impl FnOnce(Receiver<C>) + Send + 'static,
    ) -> Result<(), Error> {
        let receiver = Receiver::new(self);
        platform::spawn(name, move || {
            *receiver.mailbox.owner.lock() = Some(thread::current());
            body(receiver);
        })
        .map(drop)
        .map_err(|error| Error::internal(format!("a thread could not be made: {error}")))
    }
}

impl<C: Send + 'static> Wake for Mailbox<C> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::SeqCst)
            && let Some(owner) = &*self.owner.lock()
        {
            owner.unpark();
        }
    }
}

/// How a thread goes on that has done what had arrived for it.
pub(crate) enum Rest {
    /// It serves its mailbox no more.
    End,
    /// It sleeps until something arrives.
    UntilWoken,
    /// It sleeps until something arrives, or until so much time has passed.
    AtMost(Duration),
}

/// The receiving side of a mailbox, on the thread that serves it.
pub(crate) struct Receiver<C> {
    mailbox: Arc<Mailbox<C>>,
    owner: u64,
    /// How many rests in a row were short.
    short_rests: Cell<u32>,
    /// How many steps in a row were quick.
    quick_steps: Cell<u32>,
}

impl<C: Send + 'static> Receiver<C> {
    fn new(mailbox: &Arc<Mailbox<C>>) -> Self {
        Self {
            mailbox: mailbox.clone(),
            owner: mailbox.owners.fetch_add(1, Ordering::SeqCst) + 1,
            short_rests: Cell::new(0),
            quick_steps: Cell::new(0),
        }
    }

    /// Makes the calling thread the one that serves the mailbox, for a thread that serves several.
    pub(crate) fn adopt(mailbox: &Arc<Mailbox<C>>) -> Self {
        let receiver = Self::new(mailbox);
        *mailbox.owner.lock() = Some(thread::current());
        receiver
    }

    /// The next command; none once another thread serves the mailbox.
    pub(crate) fn take(&self) -> Option<C> {
        if self.is_replaced() {
            return None;
        }
        self.mailbox.commands.pop()
    }

    /// Whether this thread was given up, and another serves the mailbox.
    fn is_replaced(&self) -> bool {
        self.mailbox.owners.load(Ordering::SeqCst) != self.owner
    }

    /// Waits until something arrives; says whether that was within `patience`.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        let begin = Instant::now();
        while !self.mailbox.woken.swap(false, Ordering::SeqCst) {
            let left = patience.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return false;
            }
            thread::park_timeout(left);
        }
        true
    }

    /// Calls `step` whenever something arrived, or it is to be called again, until it ends. `step` takes the
    /// commands itself.
    pub(crate) fn serve(&self, mut step: impl FnMut(&mut Context<'_>) -> Rest) {
        let waker = Waker::from(self.mailbox.clone());
        let mut cx = Context::from_waker(&waker);
        loop {
            let begin = Instant::now();
            let rest = step(&mut cx);
            let took = begin.elapsed().saturating_sub(waking::take_spent());
            let is_quick = took < QUICK;
            let quick_steps = self.quick_steps.get();
            self.quick_steps.set(if is_quick {
                quick_steps.saturating_add(1)
            } else {
                0
            });
            if self.is_replaced() {
                return;
            }
            match rest {
                Rest::End => return,
                Rest::UntilWoken => self.rest(Duration::MAX),
                Rest::AtMost(patience) => self.rest(patience),
            }
        }
    }

    /// Waits as [`Receiver::wait`] does, but spins first where rests have been short. Where that was in vain,
    /// who was waited for may have wanted this very processor: the next rests are slept.
    fn rest(&self, patience: Duration) {
        let short_rests = self.short_rests.get();
        let begin = Instant::now();
        if short_rests == SHORT_RESTS && self.spin(begin) {
            return;
        }
        self.wait(patience);
        let is_short = short_rests < SHORT_RESTS && begin.elapsed() < 2 * SPIN;
        self.short_rests
            .set(if is_short { short_rests + 1 } else { 0 });
    }

    /// Says whether something arrived.
    fn spin(&self, begin: Instant) -> bool {
        let woken = &self.mailbox.woken;
        let mut has_come = false;
        if SPINNING.fetch_add(1, Ordering::Relaxed) < *MOST_SPINNING {
            if self.quick_steps.get() >= QUICK_STEPS {
                self.mailbox.spins_on.note(thread_priority::processor());
            }
            while !has_come && begin.elapsed() < SPIN {
                std::hint::spin_loop();
                has_come = woken.load(Ordering::Relaxed) && woken.swap(false, Ordering::SeqCst);
            }
            self.mailbox.spins_on.note(None);
        }
        SPINNING.fetch_sub(1, Ordering::Relaxed);
        has_come
    }
}

/// What can be asked of a [`Line`].
pub(crate) trait Command: Send + 'static {
    /// Answers that the thread has ended.
    fn refuse(self);
}

type Life<C> = dyn Fn(&Receiver<C>, &Arc<Line<C>>) + Send + Sync;

/// The sending side of an isolate's thread, shared by the handles to what lives there.
///
/// A thread that does not come back from a turn is replaced: what lived on it is lost, what was sent
/// to it is served by the new one.
pub(crate) struct Line<C: Command> {
    mailbox: Arc<Mailbox<C>>,
    closed: AtomicBool,
    group: Group,
    name: &'static str,
    life: Box<Life<C>>,
}

impl<C: Command> Line<C> {
    /// Starts a thread; `life` is what it, or one that replaces it, does.
    pub(crate) fn open(
        name: &'static str,
        life: impl Fn(&Receiver<C>, &Arc<Self>) + Send + Sync + 'static,
    ) -> Result<Arc<Self>, Error> {
        let line = Arc::new(Self {
            mailbox: Mailbox::new(),
            closed: AtomicBool::new(false),
            group: Group::new(),
            name,
            life: Box::new(life),
        });
        line.start()?;
        let user: Arc<dyn ThreadUser> = line.clone();
        rescue::register(line.group(), Arc::downgrade(&user));
        Ok(line)
    }

    fn start(self: &Arc<Self>) -> Result<(), Error> {
        let line = self.clone();
        self.mailbox.spawn(self.name, move |receiver| {
            let served = Served {
                line: &line,
                receiver: &receiver,
            };
            (line.life)(&receiver, &line);
            drop(served);
        })
    }

    /// Names the thread's turns to the watchdog.
    pub(crate) fn group(&self) -> u64 {
        self.group.id()
    }

    /// When the answer to a command that is sent now is likely to come.
    pub(crate) fn expected(&self) -> Expected {
        self.mailbox.expected()
    }

    /// Sends a command; it is refused where the thread has ended.
    pub(crate) fn send(&self, command: C) {
        if self.closed.load(Ordering::SeqCst) {
            return command.refuse();
        }
        self.mailbox.send(command);
        // The thread may have ended between the look and the send.
        if self.closed.load(Ordering::SeqCst) {
            self.refuse_leftovers();
        }
    }

    /// Ends the turns that run there, and sends a command that ends the thread.
    pub(crate) fn send_close(&self, command: C) {
        self.group.close();
        self.send(command);
    }

    /// Everything that is sent from now on is refused.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    fn refuse_leftovers(&self) {
        while let Some(command) = self.mailbox.commands.pop() {
            command.refuse();
        }
    }
}

impl<C: Command> ThreadUser for Line<C> {
    fn given_up(self: Arc<Self>, _error: &Error) {
        if self.start().is_err() {
            self.close();
            self.refuse_leftovers();
        }
    }
}

impl<C: Command> Drop for Line<C> {
    fn drop(&mut self) {
        rescue::forget(self.group());
    }
}

/// Refuses what is sent to a thread that has ended, also where it ended by a panic.
struct Served<'a, C: Command> {
    line: &'a Line<C>,
    receiver: &'a Receiver<C>,
}

impl<C: Command> Drop for Served<'_, C> {
    fn drop(&mut self) {
        if !self.receiver.is_replaced() {
            self.line.close();
            self.line.refuse_leftovers();
        }
    }
}
