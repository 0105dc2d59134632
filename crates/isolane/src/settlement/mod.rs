//! One answer on its way from an isolate's thread to whoever waits for it: settled exactly once,
//! taken by polling, by a callback, or by a short spin. Any thread may hold either side.

mod abort;
mod run_future;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::Waker;

use parking_lot::Mutex;

pub use self::abort::AbortHandle;
pub(crate) use self::abort::{AbortTarget, RequestState};
pub(crate) use self::run_future::Expected;
pub use self::run_future::{RunFuture, ScheduledFuture, WorkerFuture};
use crate::error::Error;
use crate::limits::rescue::Unanswered;

type Answer<T> = Result<T, Error>;
type Callback<T> = Box<dyn FnOnce(Answer<T>) + Send>;

enum State<T> {
    Waiting(Option<Waker>),
    Calling(Callback<T>),
    Settled(Answer<T>),
    Taken,
}

/// Nothing is known of the answer yet.
const UNKNOWN: u8 = 0;
/// The request waits for something: to spin for its answer is not worth it.
const WAITS: u8 = 1;
/// The answer is there.
const SETTLED: u8 = 2;

struct Shared<T> {
    /// One of the constants above; goes up only. Settled after `state` is. Lets a spinning caller look without
    /// the mutex.
    progress: AtomicU8,
    aborted: AtomicBool,
    state: Mutex<State<T>>,
}

impl<T> Shared<T> {
    fn new() -> Self {
        Self {
            progress: AtomicU8::new(UNKNOWN),
            aborted: AtomicBool::new(false),
            state: Mutex::new(State::Waiting(None)),
        }
    }

    fn progress(&self) -> u8 {
        self.progress.load(Ordering::Acquire)
    }

    fn is_settled(&self) -> bool {
        self.progress() == SETTLED
    }

    /// Keeps the first answer; others are dropped.
    fn settle(&self, answer: Answer<T>) {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Waiting(waker) => {
                *state = State::Settled(answer);
                self.progress.store(SETTLED, Ordering::Release);
                drop(state);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            State::Calling(callback) => {
                self.progress.store(SETTLED, Ordering::Release);
                drop(state);
                callback(answer);
            }
            settled @ (State::Settled(_) | State::Taken) => *state = settled,
        }
    }
}

impl<T: Send> Unanswered for Shared<T> {
    fn answer(&self, error: Error) {
        self.settle(Err(error));
    }
}

impl<T: Send> RequestState for Shared<T> {
    fn abort(&self) {
        self.aborted.store(true, Ordering::SeqCst);
    }

    fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::SeqCst)
    }

    fn waits(&self) -> bool {
        self.progress() == WAITS
    }
}

/// The settling side. Dropping it unsettled answers with an internal error: nobody waits forever.
pub(crate) struct Settlement<T>(Option<Arc<Shared<T>>>);

impl<T> Settlement<T> {
    pub(crate) fn settle(mut self, answer: Answer<T>) {
        self.settle_once(answer);
    }

    /// The request has run and is not answered: whoever spins for the answer is to stop.
    pub(crate) fn will_take_longer(&self) {
        if let Some(shared) = &self.0 {
            // A failed exchange means that it is settled already, or was told before.
            let _ = shared.progress.compare_exchange(
                UNKNOWN,
                WAITS,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
    }

    /// Who waits, to be answered where this side cannot be reached.
    pub(crate) fn unanswered(&self) -> Option<Arc<dyn Unanswered>>
    where
        T: Send + 'static,
    {
        self.0.clone().map(|shared| shared as Arc<dyn Unanswered>)
    }

    /// What its caller and its isolate know of each other.
    pub(crate) fn request_state(&self) -> Option<Arc<dyn RequestState>>
    where
        T: Send + 'static,
    {
        self.0.clone().map(|shared| shared as Arc<dyn RequestState>)
    }

    fn settle_once(&mut self, answer: Answer<T>) {
        let Some(shared) = self.0.take() else { return };
        shared.settle(answer);
    }
}

impl<T> Drop for Settlement<T> {
    fn drop(&mut self) {
        self.settle_once(Err(Error::internal(
            "the request was dropped without an answer",
        )));
    }
}
