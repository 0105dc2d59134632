//! The caller's side of an answer: it polls, is called back, or spins for as long as the answer may come within
//! microseconds. On the caller's thread.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use isolane_scheduler::RequestId;
use parking_lot::MutexGuard;

use super::{
    AbortHandle, AbortTarget, Answer, Received, SETTLED, Settlement, Shared, State, WAITS,
};
use crate::error::{Error, ErrorKind};
use crate::request::{Response, Usage};

/// How often a spinning caller looks for its answer before it looks at the time.
const LOOKS_PER_TIME: usize = 16;

thread_local! {
    static BEGUN_IN_A_ROW: Cell<usize> = const { Cell::new(0) };
}

/// How many runs the calling thread has begun before its last one, since it last looked for an answer.
pub(crate) fn begun_in_a_row() -> usize {
    BEGUN_IN_A_ROW.get().saturating_sub(1)
}

/// The answer to one run; it needs no particular executor.
///
/// # Cancel safety
///
/// Dropping it before it is ready aborts the request.
#[must_use = "dropping the future aborts the request"]
pub struct RunFuture<T: Received> {
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

impl<T: Received> RunFuture<T> {
    /// A future and the side that settles it.
    pub(crate) fn new(
        request: RequestId,
        target: Option<Arc<dyn AbortTarget>>,
    ) -> (Self, Settlement<T>) {
        BEGUN_IN_A_ROW.set(BEGUN_IN_A_ROW.get() + 1);
        let shared = Arc::new(Shared::new());
        let settlement = Settlement {
            shared: Some(shared.clone()),
            leftovers: None,
        };
        (
            Self {
                abort: AbortHandle::new(request, target, shared.clone()),
                shared,
                expected: Expected::Late,
            },
            settlement,
        )
    }

    /// A future that has failed already.
    pub(crate) fn failed(error: Error) -> Self {
        let (future, settlement) = Self::new(0, None);
        settlement.settle(Err(error));
        future
    }

    pub(crate) fn expect(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    pub(crate) fn request(&self) -> RequestId {
        self.abort.request()
    }

    /// Ends the request when called; see [`AbortHandle::abort`].
    pub fn abort_handle(&self) -> AbortHandle {
        self.abort.clone()
    }

    /// Waits by spinning, at most for `limit`, and only where hardly any but the calling thread's own requests waited
    /// for the isolate, its recent turns were short, and its thread is awake: for callers that want the answer inside
    /// their own call. Returns as soon as the request waits for something, such as a timer or a host function.
    pub fn wait_briefly(&mut self, limit: Duration) -> Option<Result<T, Error>> {
        BEGUN_IN_A_ROW.set(0);
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
        BEGUN_IN_A_ROW.set(0);
        let abort = self.abort.clone();
        let mut state = self.shared.state.lock();
        if let State::Waiting(_) = &*state {
            *state = State::Calling(Box::new(|sent: Answer<T>| callback(sent.map(T::receive))));
            return abort;
        }
        if let Some(answer) = Self::received(state) {
            callback(answer);
        }
        abort
    }

    fn take(&mut self) -> Option<Result<T, Error>> {
        if !self.shared.is_settled() {
            return None;
        }
        Self::received(self.shared.state.lock())
    }

    /// The answer, if it is there and nobody has it.
    fn received(mut state: MutexGuard<'_, State<T>>) -> Option<Result<T, Error>> {
        match std::mem::replace(&mut *state, State::Taken(None)) {
            State::Settled(answer, leftovers) => {
                drop(state);
                drop(leftovers);
                Some(answer.map(T::receive))
            }
            other => {
                *state = other;
                None
            }
        }
    }
}

/// How long a first poll may spin where the answer is likely to come within microseconds.
const SPIN: Duration = Duration::from_micros(20);

impl<T: Received> Future for RunFuture<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        BEGUN_IN_A_ROW.set(0);
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
            State::Settled(..) => {
                let answer = Self::received(state);
                Poll::Ready(answer.unwrap_or_else(|| Err(ErrorKind::Aborted.into())))
            }
            State::Calling(_) | State::Taken(_) => Poll::Ready(Err(ErrorKind::Aborted.into())),
        }
    }
}

impl<T: Received> Drop for RunFuture<T> {
    fn drop(&mut self) {
        let unsettled = !self.shared.is_settled();
        if unsettled && matches!(&*self.shared.state.lock(), State::Waiting(_)) {
            self.abort.abort();
        }
    }
}

impl<T: Received> std::fmt::Debug for RunFuture<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunFuture")
            .field("request", &self.abort.request())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const SEVEN: Bytes = Bytes::from_static(b"7");
    const LONG: Duration = Duration::from_secs(3600);

    fn expected_soon() -> (RunFuture<Bytes>, Settlement<Bytes>) {
        let (future, settlement) = RunFuture::new(1, None);
        (future.expect(Expected::Soon), settlement)
    }

    #[test]
    fn who_spins_gets_the_answer_that_comes_meanwhile() {
        let (mut future, settlement) = expected_soon();
        let answering = std::thread::spawn(move || settlement.settle(Ok(SEVEN)));
        assert!(matches!(future.wait_briefly(LONG), Some(Ok(seven)) if seven == SEVEN));
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
        telling.join().expect("no panic").settle(Ok(SEVEN));
        assert!(matches!(futures_executor::block_on(future), Ok(seven) if seven == SEVEN));
    }

    #[test]
    fn what_is_settled_does_not_wait_any_more() {
        let (mut future, settlement) = expected_soon();
        let shared = settlement.shared.clone();
        settlement.settle(Ok(SEVEN));
        let late = Settlement {
            shared,
            leftovers: None,
        };
        late.will_take_longer();
        assert!(matches!(future.wait_briefly(LONG), Some(Ok(seven)) if seven == SEVEN));
    }

    #[test]
    fn what_the_caller_allocated_is_left_to_its_handle_where_it_is_called_back() {
        let (future, mut settlement) = expected_soon();
        let allocated = Arc::new(());
        settlement.leave(Box::new(allocated.clone()));
        let handle = future.on_ready(drop);
        settlement.settle(Ok(SEVEN));
        assert_eq!(Arc::strong_count(&allocated), 2);
        drop(handle);
        assert_eq!(Arc::strong_count(&allocated), 1);
    }

    #[test]
    fn runs_are_begun_in_a_row_until_their_thread_looks_for_an_answer() {
        let begin = || RunFuture::<Bytes>::new(1, None).0;
        let mut first = begin();
        let others = [begin(), begin()];
        assert_eq!(begun_in_a_row(), 2);
        assert!(first.wait_briefly(LONG).is_some(), "dropped unsettled");
        drop(begin());
        assert_eq!(begun_in_a_row(), 0);
        drop(others);
    }
}
