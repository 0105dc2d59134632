//! The caller's side of an answer: it polls, is called back, or spins for as long as the answer may come within
//! microseconds. On the caller's thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use isolane_scheduler::RequestId;
use parking_lot::MutexGuard;

use super::caller::{self, Advice, Answered, UnderWay};
use super::{
    AbortHandle, AbortTarget, Answer, Received, SETTLED, Settlement, Shared, State, UNKNOWN, WAITS,
};
use crate::error::{Error, ErrorKind};
use crate::request::{Response, Usage};

/// How often a spinning caller looks for its answer before it looks at the time.
const LOOKS_PER_TIME: usize = 16;

/// The answer to one run; it needs no particular executor.
///
/// Where the answer is likely to come within microseconds a poll waits for it, for up to 20 µs, and not where another of the
/// calling thread's runs can go on meanwhile.
///
/// # Cancel safety
///
/// Dropping it before it is ready aborts the request.
#[must_use = "dropping the future aborts the request"]
pub struct RunFuture<T: Received> {
    shared: Arc<Shared<T>>,
    abort: AbortHandle,
    expected: Expected,
    /// Whether it may be counted as under way.
    is_counted: bool,
    /// While the executor does something else first: nobody is to spin before this goes on.
    pause: Option<Answered>,
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
        caller::note_begin();
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
                is_counted: false,
                pause: None,
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
        caller::note_look();
        if self.expected == Expected::Soon {
            self.spin(limit, || false)
        } else {
            self.take()
        }
    }

    fn spin(&mut self, limit: Duration, is_enough: impl Fn() -> bool) -> Option<Result<T, Error>> {
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
            if self.shared.progress() == WAITS || is_enough() || begin.elapsed() >= limit {
                self.expected = Expected::Late;
                return None;
            }
        }
    }

    /// Calls back with the answer, on the isolate's thread, or here where it is there already.
    pub fn on_ready(self, callback: impl FnOnce(Result<T, Error>) + Send + 'static) -> AbortHandle {
        caller::note_look();
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
            State::Settled(answer, leftovers, answered) => {
                drop(state);
                drop((leftovers, answered));
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

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        caller::note_look();
        this.pause = None;
        if this.expected != Expected::Late {
            match caller::advice() {
                Advice::Spin(counts) => {
                    if let Some(answer) = this.spin(SPIN, || caller::has_settled_since(counts)) {
                        caller::note_answer();
                        return Poll::Ready(answer);
                    }
                    this.expected = Expected::Late;
                }
                Advice::Pause => {
                    this.pause = UnderWay::here().map(UnderWay::answered);
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Advice::LeaveOff => this.expected = Expected::Late,
            }
        }
        let mut state = this.shared.state.lock();
        match &mut *state {
            State::Waiting(waiting) => {
                match &mut waiting.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    None => waiting.waker = Some(cx.waker().clone()),
                }
                // Nobody knows when one goes on that waits for something.
                if !this.is_counted && this.shared.progress() == UNKNOWN {
                    waiting.under_way = UnderWay::here();
                    this.is_counted = true;
                }
                Poll::Pending
            }
            State::Settled(..) => {
                let answer = Self::received(state);
                this.is_counted = false;
                Poll::Ready(answer.unwrap_or_else(|| Err(ErrorKind::Aborted.into())))
            }
            State::Calling(_) | State::Taken(_) => Poll::Ready(Err(ErrorKind::Aborted.into())),
        }
    }
}

impl<T: Received> Drop for RunFuture<T> {
    fn drop(&mut self) {
        if self.is_counted {
            // Handles may outlive this.
            self.shared.state.lock().count_no_more();
        }
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
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Wake, Waker};

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
        assert_eq!(caller::others_of_this_thread(), 2);
        assert!(first.wait_briefly(LONG).is_some(), "dropped unsettled");
        drop(begin());
        assert_eq!(caller::others_of_this_thread(), 0);
        drop(others);
    }

    fn poll_once(future: &mut RunFuture<Bytes>) -> Poll<Result<Bytes, Error>> {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn who_waits_has_other_runs_until_they_are_answered_and_polled() {
        let (mut future, settlement) = RunFuture::<Bytes>::new(1, None);
        assert!(poll_once(&mut future).is_pending());
        assert!(poll_once(&mut future).is_pending());
        assert_eq!(caller::others_of_this_thread(), 1);
        settlement.settle(Ok(SEVEN));
        assert_eq!(caller::others_of_this_thread(), 1);
        assert!(poll_once(&mut future).is_ready());
        assert_eq!(caller::others_of_this_thread(), 0);
    }

    #[test]
    fn a_run_that_waits_for_something_is_none_to_go_on_with() {
        let (mut before, settlement) = RunFuture::<Bytes>::new(1, None);
        assert!(poll_once(&mut before).is_pending());
        settlement.will_take_longer();
        assert_eq!(caller::others_of_this_thread(), 0);
        let (mut after, settlement) = RunFuture::<Bytes>::new(2, None);
        settlement.will_take_longer();
        assert!(poll_once(&mut after).is_pending());
        assert_eq!(caller::others_of_this_thread(), 0);
    }

    #[test]
    fn a_run_that_was_dropped_is_none_to_go_on_with_while_handles_live() {
        let (mut future, settlement) = RunFuture::<Bytes>::new(1, None);
        let handle = future.abort_handle();
        assert!(poll_once(&mut future).is_pending());
        settlement.settle(Ok(SEVEN));
        drop(future);
        assert_eq!(caller::others_of_this_thread(), 0);
        drop(handle);
    }

    #[test]
    fn who_is_answered_again_and_again_lets_others_have_a_turn() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut polled = 0;
        loop {
            let (mut future, settlement) = expected_soon();
            settlement.settle(Ok(SEVEN));
            polled += 1;
            let poll = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
            let was_woken = woken.0.load(Ordering::Relaxed);
            assert_eq!(poll.is_pending(), was_woken);
            if was_woken {
                assert_eq!(caller::others_of_this_thread(), 1);
                assert!(poll_once(&mut future).is_ready());
                break;
            }
            assert!(polled < 10_000, "it never pauses");
        }
        assert!(polled > 100, "it pauses too often: after {polled}");
    }

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}
