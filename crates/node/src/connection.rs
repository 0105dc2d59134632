//! One Node environment's end of everything: the list of deliveries, and what JavaScript awaits.
//!
//! Any thread pushes; only the JavaScript thread takes, when Node's loop was woken for it, or in a call that
//! waits for what a guest is about to do: a wake takes longer than most turns.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use isolane::{
    AbortHandle, Body, BodyWriter, Error, FetchError, FetchResponse, HostCallError, LogEntry,
    Received, RunFuture,
};
use napi::bindgen_prelude::FnArgs;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use crate::binding_body_writer::body_channel;
use crate::delivery::{Answer, BindingCell, Delivery, append_rest};
use crate::inbox::Inbox;
use crate::keep_alive::KeepAlive;
use crate::local_tasks::LocalTasks;
use crate::log_backlog::LogBacklog;
use crate::patience::Patience;

pub(crate) type SharedConnection = Arc<Connection>;

/// Wakes Node's loop. It is weak: it keeps the process alive only while [`KeepAlive`] says so.
pub(crate) type Wake = ThreadsafeFunction<(), (), FnArgs<(Vec<BindingCell>,)>, Status, false, true>;

/// A reply that a guest waits for.
pub(crate) enum Reply {
    HostCall(oneshot::Sender<Result<bytes::Bytes, HostCallError>>),
    Outbound(oneshot::Sender<Result<FetchResponse, FetchError>>),
}

/// The requests whose answers JavaScript awaits, by ticket.
#[derive(Default)]
struct UnderWay {
    /// Those that may be answered at any moment.
    running: FxHashMap<i64, AbortHandle>,
    /// Those that were found to wait for something.
    waiting: FxHashMap<i64, AbortHandle>,
}

impl UnderWay {
    fn remove(&mut self, ticket: i64) -> Option<AbortHandle> {
        let running = self.running.remove(&ticket);
        running.or_else(|| self.waiting.remove(&ticket))
    }

    /// Whether hardly any of them may be answered at any moment. Those that wait are set aside, so that nobody looks at
    /// them again.
    fn are_few(&mut self) -> bool {
        if self.running.len() <= FEW {
            return true;
        }
        let (mut running, mut waiting) = (0, Vec::new());
        for (&ticket, request) in &self.running {
            if request.waits() {
                waiting.push(ticket);
            } else {
                running += 1;
            }
            if running > FEW {
                break;
            }
        }
        for ticket in waiting {
            if let Some(request) = self.running.remove(&ticket) {
                self.waiting.insert(ticket, request);
            }
        }
        running <= FEW
    }

    fn take(&mut self) -> impl Iterator<Item = AbortHandle> + use<> {
        let Self { running, waiting } = std::mem::take(self);
        running.into_values().chain(waiting.into_values())
    }
}

/// How long a call may wait for its answer before it returns. A thread that slept takes longer to
/// wake, and an answer that takes longer is not worth Node's time.
const LONGEST_WAIT_IN_CALL: Duration = Duration::from_micros(20);

/// How many other requests may run while a call waits for its answer: theirs come with it, and wake nobody.
const FEW: usize = 2;

#[derive(Default)]
pub(crate) struct Connection {
    /// What JavaScript has not taken yet.
    inbox: Inbox,
    /// How many calls are likely to come one upon the other, because so many answers were delivered together.
    /// Only JavaScript's own thread looks and counts.
    expected_calls: AtomicUsize,
    log_backlog: LogBacklog,
    /// Set once, right after creation.
    wake: OnceLock<Wake>,
    keep_alive: KeepAlive,
    under_way: Mutex<UnderWay>,
    /// The bodies of requests that JavaScript has yet to send, by ticket.
    bodies: Mutex<FxHashMap<i64, BodyWriter>>,
    /// What guests wait for, by call.
    replies: Mutex<FxHashMap<i64, Reply>>,
    /// How many of them this turn of Node's loop may still give: those that it had no answer to by the end of
    /// an earlier one wait for something else. Only JavaScript's own thread looks and counts.
    owed: AtomicUsize,
    /// The first of the calls that are counted in `owed`.
    owed_from: AtomicI64,
    last_call: AtomicI64,
    tasks: LocalTasks,
    /// The environment has gone: nothing will be answered any more.
    closed: AtomicBool,
}

/// Nothing that these mutexes guard can be left half-changed by a panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    pub(crate) fn set_wake(&self, wake: Wake) {
        // Set once, by the constructor of the JavaScript object.
        let _ = self.wake.set(wake);
    }

    /// Hands something over to JavaScript; from any thread.
    pub(crate) fn push(&self, delivery: Delivery) {
        if !self.inbox.push(delivery) {
            return;
        }
        let status = self
            .wake
            .get()
            .map(|wake| wake.call((), ThreadsafeFunctionCallMode::NonBlocking));
        if status.is_none_or(|status| status != Status::Ok) {
            self.close();
        }
    }

    /// Hands a console line over, if it may wait; from any thread.
    pub(crate) fn push_log(&self, function: u32, entry: LogEntry) {
        if self.log_backlog.admit(function, &entry) {
            self.push(Delivery::Log { function, entry });
        }
    }

    /// A console line was taken; the line that tells of those dropped after it.
    pub(crate) fn log_taken(&self, function: u32, entry: &LogEntry) -> Option<LogEntry> {
        self.log_backlog.taken(function, entry)
    }

    /// Answers a call that [`hold`](Self::hold) was called for.
    pub(crate) fn settle(&self, ticket: i64, answer: Answer) {
        self.push(Delivery::Settled {
            ticket,
            held: true,
            answer,
        });
    }

    /// Keeps the process alive until an answer with `held` has been delivered.
    pub(crate) fn hold(&self, env: &Env) {
        if let Some(wake) = self.wake.get() {
            self.keep_alive.hold(env, wake);
        }
    }

    /// Answers a call that begins: with two cells if the answer comes at once, else by its ticket. No cells mean that
    /// there is something to take, by [`take_gathered`](Self::take_gathered), once the ticket is awaited.
    pub(crate) fn answer<T: Received>(
        self: &Arc<Self>,
        env: &Env,
        ticket: i64,
        mut future: RunFuture<T>,
        convert: impl FnOnce(Result<T, Error>) -> Answer + Send + 'static,
    ) -> Option<Vec<BindingCell>> {
        if !self.may_wait_in_call() || !self.attend() {
            self.settle_with(env, ticket, future, convert);
            return None;
        }
        let answer = future.wait_briefly(LONGEST_WAIT_IN_CALL);
        let gathered = self.inbox.stop_attending();
        match answer {
            Some(answer) => {
                self.inbox.note_given();
                let answer = convert(answer);
                if !gathered {
                    return Some(answer.into_cells(self).into());
                }
                // After what gathered, such as the request's console lines.
                self.hold(env);
                self.settle(ticket, answer);
            }
            None => self.settle_with(env, ticket, future, convert),
        }
        gathered.then(Vec::new)
    }

    /// Whether a call that begins may wait for its answer. Not while many other requests run, nor while others are about
    /// to begin: that would wait for more than its own.
    fn may_wait_in_call(&self) -> bool {
        let expected = self.expected_calls.load(Ordering::Relaxed);
        self.expected_calls
            .store(expected.saturating_sub(1), Ordering::Relaxed);
        expected <= 1 && lock(&self.under_way).are_few()
    }

    /// Gives a guest a reply by `reply`, and then waits for a moment for what it does next, if it is the only
    /// one that waits for this thread: what came, if anything.
    pub(crate) fn reply_and_wait(
        self: &Arc<Self>,
        env: &Env,
        patience: &Patience,
        reply: impl FnOnce(),
    ) -> Option<Vec<BindingCell>> {
        if !patience.allows() || !self.attend() {
            reply();
            return None;
        }
        reply();
        patience.wait_until(|| self.inbox.has_news());
        self.inbox.stop_attending().then(|| self.take_gathered(env))
    }

    /// JavaScript is about to wait inside a call: whatever is pushed from here on wakes nobody. Not while there is
    /// something that only this thread can do.
    fn attend(&self) -> bool {
        self.owed.load(Ordering::Relaxed) == 0 && self.inbox.attend()
    }

    /// Takes what has gathered while JavaScript attended.
    pub(crate) fn take_gathered(self: &Arc<Self>, env: &Env) -> Vec<BindingCell> {
        self.inbox.come();
        self.take(env)
    }

    /// Node's loop was woken: takes what has gathered until then.
    pub(crate) fn take_when_woken(self: &Arc<Self>, env: &Env) -> Vec<BindingCell> {
        self.owed.store(0, Ordering::Relaxed);
        self.take(env)
    }

    /// Node's loop has turned: takes what has gathered meanwhile.
    pub(crate) fn take_after_turn(self: &Arc<Self>, env: &Env) -> Vec<BindingCell> {
        self.inbox.begin_turn();
        self.take_when_woken(env)
    }

    fn take(self: &Arc<Self>, env: &Env) -> Vec<BindingCell> {
        let (batch, rest) = self.inbox.next_batch();
        let mut cells = Vec::with_capacity(batch.len() * 4 + 4);
        let mut released = 0;
        let mut settled = 0;
        for delivery in batch {
            match &delivery {
                Delivery::Wake { ticket } => self.tasks.resume(self, *ticket),
                Delivery::Settled { ticket, held, .. } => {
                    settled += 1;
                    released += usize::from(*held);
                    lock(&self.under_way).remove(*ticket);
                }
                Delivery::HostCall { call, .. } | Delivery::Outbound { call, .. } => {
                    self.note_owed(*call);
                }
                _ => {}
            }
            delivery.append_to(&mut cells, self);
        }
        // One caller who awaits each answer has one at a time.
        let expected = if settled > 1 { settled } else { 0 };
        self.expected_calls.store(expected, Ordering::Relaxed);
        if let Some(wake) = self.wake.get() {
            self.keep_alive.release(env, wake, released);
        }
        if rest {
            append_rest(&mut cells);
        }
        cells
    }

    /// Delivers what a future gives to the ticket, which may be aborted until then.
    pub(crate) fn settle_with<T: Received>(
        self: &Arc<Self>,
        env: &Env,
        ticket: i64,
        future: RunFuture<T>,
        convert: impl FnOnce(Result<T, Error>) -> Answer + Send + 'static,
    ) {
        self.hold(env);
        let connection = Arc::clone(self);
        let abort = future.on_ready(move |result| connection.settle(ticket, convert(result)));
        // The answer may be there already; it is taken on this thread, and so not before.
        lock(&self.under_way).running.insert(ticket, abort);
    }

    /// Runs a future on the JavaScript thread; its answer is delivered to the ticket.
    pub(crate) fn run(self: &Arc<Self>, env: &Env, ticket: i64, task: BoxFuture<'static, Answer>) {
        self.hold(env);
        self.tasks.start(self, ticket, true, task);
    }

    /// The same, without keeping the process alive.
    pub(crate) fn watch(self: &Arc<Self>, ticket: i64, task: BoxFuture<'static, Answer>) {
        self.tasks.start(self, ticket, false, task);
    }

    /// Drops a task started with [`watch`](Self::watch).
    pub(crate) fn unwatch(&self, ticket: i64) {
        self.tasks.stop(ticket);
    }

    pub(crate) fn abort(&self, ticket: i64) {
        let handle = lock(&self.under_way).remove(ticket);
        if let Some(handle) = handle {
            handle.abort();
        }
    }

    /// Registers a reply that JavaScript will give, under a new number.
    pub(crate) fn expect(&self, reply: Reply) -> i64 {
        let call = self.last_call.fetch_add(1, Ordering::Relaxed) + 1;
        if !self.closed.load(Ordering::Acquire) {
            lock(&self.replies).insert(call, reply);
        }
        call
    }

    /// Opens the body of a request, which JavaScript sends later.
    pub(crate) fn expect_body(&self, ticket: i64) -> Body {
        let (writer, reader) = body_channel();
        lock(&self.bodies).insert(ticket, writer);
        Body::Stream(reader)
    }

    /// Takes the writing end of a request's body.
    pub(crate) fn take_body(&self, ticket: i64) -> Option<BodyWriter> {
        lock(&self.bodies).remove(&ticket)
    }

    /// JavaScript is given a call to reply to.
    fn note_owed(&self, call: i64) {
        if self.owed.fetch_add(1, Ordering::Relaxed) == 0 {
            self.owed_from.store(call, Ordering::Relaxed);
        } else {
            self.owed_from.fetch_min(call, Ordering::Relaxed);
        }
    }

    /// JavaScript replies to a call: where to, if the guest still waits.
    pub(crate) fn take_reply(&self, call: i64) -> Option<Reply> {
        if call >= self.owed_from.load(Ordering::Relaxed) {
            let owed = self.owed.load(Ordering::Relaxed);
            self.owed.store(owed.saturating_sub(1), Ordering::Relaxed);
        }
        self.reply(call)
    }

    /// Takes a reply, which is not there if the guest no longer waits.
    pub(crate) fn reply(&self, call: i64) -> Option<Reply> {
        lock(&self.replies).remove(&call)
    }

    /// The environment goes: its requests end, and whoever waits for it is told.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let under_way = lock(&self.under_way).take();
        for abort in under_way {
            abort.abort();
        }
        let bodies = std::mem::take(&mut *lock(&self.bodies));
        let replies = std::mem::take(&mut *lock(&self.replies));
        let list = self.inbox.empty();
        // Outside the locks: what is dropped here may come back with a push.
        drop((bodies, replies, list));
    }
}
