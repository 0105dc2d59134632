//! One answer on its way from an isolate's thread to whoever waits for it: settled exactly once,
//! taken by polling, by a callback, or by a short spin.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use isolane_scheduler::RequestId;
use parking_lot::Mutex;

use crate::error::{Error, ErrorKind};
use crate::limits::rescue::Unanswered;
use crate::request::{Response, Usage};

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

/// Whether a request's caller gave it up. It goes where the request goes, and so is known wherever that
/// begins: on its way an abort may miss it.
pub(crate) trait AbortFlag: Send + Sync {
    fn raise(&self);
    fn is_raised(&self) -> bool;
    /// Whether the request was last seen to wait for something.
    fn waits(&self) -> bool;
}

impl<T: Send> AbortFlag for Shared<T> {
    fn raise(&self) {
        self.aborted.store(true, Ordering::SeqCst);
    }

    fn is_raised(&self) -> bool {
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

    /// Whether whoever waits has given up.
    pub(crate) fn abort_flag(&self) -> Option<Arc<dyn AbortFlag>>
    where
        T: Send + 'static,
    {
        self.0.clone().map(|shared| shared as Arc<dyn AbortFlag>)
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

/// Where an abort goes.
pub(crate) trait AbortTarget: Send + Sync {
    /// Ends `request`, wherever it is; does nothing once it has ended.
    fn abort(self: Arc<Self>, request: RequestId);
}

/// Ends the guest's work for one request.
#[derive(Clone)]
pub struct AbortHandle {
    request: RequestId,
    target: Option<Arc<dyn AbortTarget>>,
    flag: Arc<dyn AbortFlag>,
}

impl AbortHandle {
    /// Ends the request at once, even in the middle of a turn; other requests go on.
    ///
    /// The request is answered with the code `ERR_ABORTED` unless it had an answer already; a
    /// response body that still streams fails.
    pub fn abort(&self) {
        if let Some(target) = &self.target {
            // First: a turn that begins meanwhile sees the flag, or is seen by the target.
            self.flag.raise();
            target.clone().abort(self.request);
        }
    }

    /// Whether the request has begun and waits for something, such as a timer or a host function. It may have
    /// gone on meanwhile.
    pub fn waits(&self) -> bool {
        self.flag.waits()
    }
}

impl std::fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AbortHandle")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// How often a spinning caller looks for its answer before it looks at the time.
const LOOKS_PER_TIME: usize = 16;

/// The answer to one run; it needs no particular executor.
///
/// # Cancel safety
///
/// Dropping it before it is ready aborts the request.
#[must_use = "dropping the future aborts the request"]
pub struct RunFuture<T> {
    shared: Arc<Shared<T>>,
    abort: AbortHandle,
    expected: Expected,
}

/// When an answer is likely to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Nobody knows.
    Late,
    /// Within microseconds of a sleeping thread's waking up, which takes from a few to a hundred.
    AfterWake,
    /// Within microseconds.
    Soon,
}

/// The answer to a `fetch` event.
pub type WorkerFuture = RunFuture<Response>;

/// The answer to a `scheduled` event: what it used.
pub type ScheduledFuture = RunFuture<Usage>;

impl<T> RunFuture<T> {
    /// A future and the side that settles it.
    pub(crate) fn new(
        request: RequestId,
        target: Option<Arc<dyn AbortTarget>>,
    ) -> (Self, Settlement<T>)
    where
        T: Send + 'static,
    {
        let shared = Arc::new(Shared {
            progress: AtomicU8::new(UNKNOWN),
            aborted: AtomicBool::new(false),
            state: Mutex::new(State::Waiting(None)),
        });
        let settlement = Settlement(Some(shared.clone()));
        (
            Self {
                abort: AbortHandle {
                    request,
                    target,
                    flag: shared.clone(),
                },
                shared,
                expected: Expected::Late,
            },
            settlement,
        )
    }

    /// A future that has failed already.
    pub(crate) fn failed(error: Error) -> Self
    where
        T: Send + 'static,
    {
        let (future, settlement) = Self::new(0, None);
        settlement.settle(Err(error));
        future
    }

    pub(crate) fn expect(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    pub(crate) fn request(&self) -> RequestId {
        self.abort.request
    }

    /// Ends the request when called; see [`AbortHandle::abort`].
    pub fn abort_handle(&self) -> AbortHandle {
        self.abort.clone()
    }

    /// Waits by spinning, at most for `limit`, and only where the isolate was idle, its recent turns were
    /// short, and its thread is awake: for callers that want the answer inside their own call. Returns as
    /// soon as the request waits for something, such as a timer or a host function.
    pub fn wait_briefly(&mut self, limit: Duration) -> Option<Result<T, Error>> {
        if self.expected == Expected::Soon {
            self.spin(limit)
        } else {
            self.take()
        }
    }

    fn spin(&mut self, limit: Duration) -> Option<Result<T, Error>> {
        let begin = Instant::now();
        loop {
            // Between two looks at the time, which take longer.
            for _ in 0..LOOKS_PER_TIME {
                match self.shared.progress() {
                    SETTLED => return self.take(),
                    WAITS => break,
                    _ => std::hint::spin_loop(),
                }
            }
            if self.shared.progress() == WAITS || begin.elapsed() >= limit {
                self.expected = Expected::Late;
                return None;
            }
        }
    }

    /// Calls back with the answer, on the isolate's thread, or here where it is there already.
    pub fn on_ready(self, callback: impl FnOnce(Result<T, Error>) + Send + 'static) -> AbortHandle {
        let abort = self.abort.clone();
        let mut state = self.shared.state.lock();
        if let State::Waiting(_) = &*state {
            *state = State::Calling(Box::new(callback));
            return abort;
        }
        let settled = std::mem::replace(&mut *state, State::Taken);
        drop(state);
        if let State::Settled(answer) = settled {
            callback(answer);
        }
        abort
    }

    fn take(&mut self) -> Option<Result<T, Error>> {
        if !self.shared.is_settled() {
            return None;
        }
        let mut state = self.shared.state.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Settled(answer) => Some(answer),
            other => {
                *state = other;
                None
            }
        }
    }
}

/// How long a first poll may spin where the answer is likely to come within microseconds.
const SPIN: Duration = Duration::from_micros(20);

impl<T> Future for RunFuture<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.expected != Expected::Late {
            let answer = self.spin(SPIN);
            self.expected = Expected::Late;
            if let Some(answer) = answer {
                return Poll::Ready(answer);
            }
        }
        let mut state = self.shared.state.lock();
        match &mut *state {
            State::Waiting(waker) => {
                match waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    None => *waker = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
            State::Settled(_) => match std::mem::replace(&mut *state, State::Taken) {
                State::Settled(answer) => Poll::Ready(answer),
                _ => Poll::Ready(Err(ErrorKind::Aborted.into())),
            },
            State::Calling(_) | State::Taken => Poll::Ready(Err(ErrorKind::Aborted.into())),
        }
    }
}

impl<T> Drop for RunFuture<T> {
    fn drop(&mut self) {
        let unsettled = !self.shared.is_settled();
        if unsettled && matches!(&*self.shared.state.lock(), State::Waiting(_)) {
            self.abort.abort();
        }
    }
}

impl<T> std::fmt::Debug for RunFuture<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunFuture")
            .field("request", &self.abort.request)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn expected_soon() -> (RunFuture<u8>, Settlement<u8>) {
        let (future, settlement) = RunFuture::new(1, None);
        (future.expect(Expected::Soon), settlement)
    }

    #[test]
    fn who_spins_gets_the_answer_that_comes_meanwhile() {
        let (mut future, settlement) = expected_soon();
        let answering = std::thread::spawn(move || settlement.settle(Ok(7)));
        assert!(matches!(future.wait_briefly(LONG), Some(Ok(7))));
        answering.join().expect("no panic");
    }

    #[test]
    fn who_spins_stops_when_the_answer_will_take_longer() {
        let (mut future, settlement) = expected_soon();
        let telling = std::thread::spawn(move || {
            settlement.will_take_longer();
            settlement
        });
        assert!(future.wait_briefly(LONG).is_none());
        telling.join().expect("no panic").settle(Ok(7));
        assert!(matches!(futures_executor::block_on(future), Ok(7)));
    }

    #[test]
    fn what_is_settled_does_not_wait_any_more() {
        let (mut future, settlement) = expected_soon();
        let shared = settlement.0.clone().expect("unsettled");
        settlement.settle(Ok(7));
        Settlement(Some(shared)).will_take_longer();
        assert!(matches!(future.wait_briefly(LONG), Some(Ok(7))));
    }
}
