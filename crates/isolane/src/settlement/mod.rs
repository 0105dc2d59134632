//! One answer on its way from an isolate's thread to whoever waits for it: settled exactly once,
//! taken by polling, by a callback, or by a short spin. Any thread may hold either side.

mod abort;
mod caller;
mod parcel;
mod run_future;
mod sent_request;
mod sent_response;
pub(crate) mod waking;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::Waker;

use bytes::Bytes;
use parking_lot::Mutex;

pub use self::abort::AbortHandle;
pub(crate) use self::abort::{AbortTarget, RequestState};
pub(crate) use self::caller::others_of_this_thread;
use self::caller::{Answered, UnderWay};
pub(crate) use self::parcel::Parcel;
pub(crate) use self::run_future::Expected;
pub use self::run_future::{RunFuture, ScheduledFuture, WorkerFuture};
pub(crate) use self::sent_request::SentRequest;
pub(crate) use self::sent_response::{SentBody, SentHeaders, SentResponse, ShortText};
use crate::error::Error;
use crate::limits::rescue::Unanswered;
use crate::request::Usage;

/// What a future gives; the caller's thread makes it of what the isolate's thread has sent.
pub trait Received: Sized + Send + 'static {
    /// What crosses from one to the other.
    type Sent: Send;

    /// What it is for the caller.
    fn receive(sent: Self::Sent) -> Self;
}

/// What is given as it was sent.
macro_rules! received_as_sent {
    ($($what:ty),*) => {$(
        impl crate::settlement::Received for $what {
            type Sent = Self;

            fn receive(sent: Self) -> Self {
                sent
            }
        }
    )*};
}

pub(crate) use received_as_sent;

received_as_sent!((), Bytes, Usage);

type Answer<T> = Result<<T as Received>::Sent, Error>;
/// What the caller's thread has allocated for the request, and is to free.
type Leftovers = Option<Box<dyn Send>>;
type Callback<T> = Box<dyn FnOnce(Answer<T>) + Send>;

enum State<T: Received> {
    Waiting(Waiting),
    Calling(Callback<T>),
    Settled(Answer<T>, Leftovers, Option<Answered>),
    /// With what is left for whoever drops this last: most often that is the caller, who holds a handle.
    Taken(#[expect(dead_code, reason = "it is only dropped")] Leftovers),
}

impl<T: Received> State<T> {
    fn count_no_more(&mut self) {
        match self {
            Self::Waiting(waiting) => waiting.under_way = None,
            Self::Settled(_, _, answered) => *answered = None,
            Self::Calling(_) | Self::Taken(_) => {}
        }
    }
}

/// Who is to be woken, once somebody has polled.
#[derive(Default)]
struct Waiting {
    waker: Option<Waker>,
    /// Unless the request waits for something.
    under_way: Option<UnderWay>,
}

/// Nothing is known of the answer yet.
const UNKNOWN: u8 = 0;
/// The request waits for something: to spin for its answer is not worth it.
const WAITS: u8 = 1;
/// The answer is there.
const SETTLED: u8 = 2;

/// In this order: the isolate's thread counts itself as a holder, looks whether the request was aborted, and locks,
/// all in one line of the cache, while the caller looks at another.
#[repr(C)]
struct Shared<T: Received> {
    aborted: AtomicBool,
    state: Mutex<State<T>>,
    /// One of the constants above; goes up only. Settled after `state` is. Lets a spinning caller look without
    /// the mutex.
    progress: AtomicU8,
}

impl<T: Received> Shared<T> {
    fn new() -> Self {
        Self {
            progress: AtomicU8::new(UNKNOWN),
            aborted: AtomicBool::new(false),
            state: Mutex::new(State::Waiting(Waiting::default())),
        }
    }

    fn progress(&self) -> u8 {
        self.progress.load(Ordering::Acquire)
    }

    fn is_settled(&self) -> bool {
        self.progress() == SETTLED
    }

    /// Keeps the first answer; others are dropped.
    fn settle(&self, answer: Answer<T>, leftovers: Leftovers) {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Taken(None)) {
            State::Waiting(Waiting { waker, under_way }) => {
                let answered = under_way.map(UnderWay::answered);
                *state = State::Settled(answer, leftovers, answered);
                self.progress.store(SETTLED, Ordering::Release);
                drop(state);
                if let Some(waker) = waker {
                    waking::counted(|| waker.wake());
                }
            }
            State::Calling(callback) => {
                *state = State::Taken(leftovers);
                self.progress.store(SETTLED, Ordering::Release);
                drop(state);
                waking::counted(|| callback(answer));
            }
            settled @ (State::Settled(..) | State::Taken(_)) => *state = settled,
        }
    }
}

impl<T: Received> Unanswered for Shared<T> {
    fn answer(&self, error: Error) {
        self.settle(Err(error), None);
    }
}

impl<T: Received> RequestState for Shared<T> {
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
pub(crate) struct Settlement<T: Received> {
    shared: Option<Arc<Shared<T>>>,
    leftovers: Leftovers,
}

impl<T: Received> Settlement<T> {
    pub(crate) fn settle(mut self, answer: Answer<T>) {
        if let Some(shared) = self.shared.take() {
            shared.settle(answer, self.leftovers.take());
        }
    }

    /// Gives back what the caller has allocated, together with the answer.
    pub(crate) fn leave(&mut self, leftovers: Box<dyn Send>) {
        self.leftovers = Some(leftovers);
    }

    /// The request has run and is not answered: whoever spins for the answer is to stop.
    pub(crate) fn will_take_longer(&self) {
        let Some(shared) = &self.shared else {
            return;
        };
        // A failed exchange means that it is settled already, or was told before.
        let is_news = shared
            .progress
            .compare_exchange(UNKNOWN, WAITS, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        if is_news {
            shared.state.lock().count_no_more();
        }
    }

    /// Who waits, to be answered where this side cannot be reached.
    pub(crate) fn unanswered(&self) -> Option<Arc<dyn Unanswered>> {
        self.shared
            .clone()
            .map(|shared| shared as Arc<dyn Unanswered>)
    }

    /// What its caller and its isolate know of each other.
    pub(crate) fn request_state(&self) -> Option<Arc<dyn RequestState>> {
        self.shared
            .clone()
            .map(|shared| shared as Arc<dyn RequestState>)
    }
}

impl<T: Received> Drop for Settlement<T> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            let message = "the request was dropped without an answer";
            shared.settle(Err(Error::internal(message)), self.leftovers.take());
        }
    }
}
