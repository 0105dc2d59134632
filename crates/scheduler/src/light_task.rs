//! Tasks that do next to nothing when they are polled: whoever wakes one polls it, so that no thread of the
//! scheduler's has to wake up in between.
//!
//! A waker may be called anywhere, also by a task that is being polled. So a thread that polls one keeps what
//! it wakes meanwhile for after it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::future::BoxFuture;

const WAITING: u8 = 0;
const POLLED: u8 = 1;
/// It was woken while it was polled.
const POLLED_AGAIN: u8 = 2;
const ENDED: u8 = 3;

thread_local! {
    /// The tasks that were woken while this thread polls one.
    static WOKEN: RefCell<Option<VecDeque<Arc<LightTask>>>> = const { RefCell::new(None) };
}

/// A future and where it is in its life. It must not panic, nor wait for anything but to be woken.
pub(crate) struct LightTask {
    /// Gone when it has ended or was dropped.
    future: Mutex<Option<BoxFuture<'static, ()>>>,
    state: AtomicU8,
}

impl LightTask {
    /// A task, to be [run](Self::run) for the first time.
    pub(crate) fn new(future: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            future: Mutex::new(Some(Box::pin(future))),
            state: AtomicU8::new(WAITING),
        })
    }

    /// Polls it on this thread, now or after the one that is polled here.
    pub(crate) fn run(self: Arc<Self>) {
        let is_kept = with_woken(|woken| match woken {
            Some(woken) => {
                woken.push_back(self.clone());
                true
            }
            None => {
                *woken = Some(VecDeque::new());
                false
            }
        });
        if is_kept == Some(true) {
            return;
        }
        let mut next = Some(self);
        while let Some(task) = next {
            task.poll();
            next = with_woken(|woken| {
                let next = woken.as_mut().and_then(VecDeque::pop_front);
                if next.is_none() {
                    *woken = None;
                }
                next
            })
            .flatten();
        }
    }

    /// Drops the future, if it has not ended: it is polled no more.
    pub(crate) fn stop(&self) {
        let future = self.future().take();
        drop(future);
    }

    fn future(&self) -> MutexGuard<'_, Option<BoxFuture<'static, ()>>> {
        self.future.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(self: &Arc<Self>) {
        let polled = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| match state {
                WAITING => Some(POLLED),
                POLLED => Some(POLLED_AGAIN),
                _ => None,
            });
        if polled != Ok(WAITING) {
            return;
        }
        let waker = Waker::from(self.clone());
        loop {
            let ended = match self.future().as_mut() {
                Some(future) => future.as_mut().poll(&mut Context::from_waker(&waker)),
                None => Poll::Ready(()),
            };
            if ended.is_ready() {
                self.state.store(ENDED, Ordering::Release);
                return self.stop();
            }
            let rests =
                self.state
                    .compare_exchange(POLLED, WAITING, Ordering::AcqRel, Ordering::Acquire);
            if rests.is_ok() {
                return;
            }
            self.state.store(POLLED, Ordering::Release);
        }
    }
}

/// Nothing on a thread that has ended but for its destructors, which polls what it wakes at once.
fn with_woken<T>(body: impl FnOnce(&mut Option<VecDeque<Arc<LightTask>>>) -> T) -> Option<T> {
    WOKEN.try_with(|woken| body(&mut woken.borrow_mut())).ok()
}

impl Wake for LightTask {
    fn wake(self: Arc<Self>) {
        self.run();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use tokio::sync::{mpsc, oneshot};

    use super::*;

    #[test]
    fn it_is_polled_by_who_runs_it_and_by_who_wakes_it() {
        let (sender, receiver) = oneshot::channel();
        let polled_on = Arc::new(Mutex::new(Vec::new()));
        let seen = polled_on.clone();
        let mut receiver = receiver;
        let task = LightTask::new(async move {
            poll_fn(|cx| {
                seen.lock().unwrap().push(thread::current().id());
                Box::pin(&mut receiver).as_mut().poll(cx)
            })
            .await
            .unwrap();
        });
        task.run();
        let waking = thread::spawn(move || sender.send(()).unwrap());
        let waker = waking.thread().id();
        waking.join().unwrap();
        assert_eq!(*polled_on.lock().unwrap(), [thread::current().id(), waker]);
    }

    /// Each wakes the next while it is polled: on one stack a chain of them would not fit.
    #[test]
    fn a_chain_of_them_takes_no_stack() {
        const LENGTH: usize = 100_000;
        let ended = Arc::new(AtomicUsize::new(0));
        let (first, mut receiver) = oneshot::channel::<()>();
        for _ in 0..LENGTH {
            let (sender, next) = oneshot::channel();
            let (before, ended) = (std::mem::replace(&mut receiver, next), ended.clone());
            LightTask::new(async move {
                before.await.unwrap();
                ended.fetch_add(1, Ordering::Relaxed);
                let _ = sender.send(());
            })
            .run();
        }
        first.send(()).unwrap();
        assert_eq!(ended.load(Ordering::Relaxed), LENGTH);
    }

    #[test]
    fn one_that_wakes_itself_goes_on() {
        let ended = Arc::new(AtomicUsize::new(0));
        let seen = ended.clone();
        LightTask::new(async move {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            // Outside of tokio that wakes its task at once.
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                cx.waker().wake_by_ref();
                if polls == 10 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            seen.store(polls, Ordering::Relaxed);
        })
        .run();
        assert_eq!(ended.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn no_wake_is_lost_where_several_threads_wake_it() {
        const EACH: usize = 20_000;
        const THREADS: usize = 3;
        let (sender, mut receiver) = mpsc::unbounded_channel::<()>();
        let (done, ended) = oneshot::channel();
        LightTask::new(async move {
            let mut received = 0;
            while receiver.recv().await.is_some() {
                received += 1;
            }
            let _ = done.send(received);
        })
        .run();
        let waking: Vec<_> = (0..THREADS)
            .map(|_| {
                let sender = sender.clone();
                thread::spawn(move || (0..EACH).for_each(|_| sender.send(()).unwrap()))
            })
            .collect();
        drop(sender);
        for thread in waking {
            thread.join().unwrap();
        }
        assert_eq!(ended.blocking_recv(), Ok(EACH * THREADS));
    }

    #[test]
    fn one_that_was_stopped_is_dropped_and_polled_no_more() {
        let (alive, mut ended) = oneshot::channel::<()>();
        let (sender, receiver) = oneshot::channel::<()>();
        let task = LightTask::new(async move {
            let _alive = alive;
            let _ = receiver.await;
            unreachable!("it was stopped");
        });
        task.clone().run();
        task.stop();
        assert_eq!(ended.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert!(sender.send(()).is_err());
        task.run();
    }
}
