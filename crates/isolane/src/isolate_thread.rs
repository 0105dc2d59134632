//! A thread that owns isolates entered on it, and the mailbox through which other threads speak to
//! it. It sleeps until a command or an answer of the scheduler arrives.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};

use crossbeam_queue::SegQueue;

use crate::error::Error;
use crate::platform;

/// Commands for one isolate thread; any thread may send.
pub(crate) struct Mailbox<C> {
    commands: SegQueue<C>,
    woken: AtomicBool,
    owner: OnceLock<Thread>,
}

impl<C: Send + 'static> Mailbox<C> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            commands: SegQueue::new(),
            woken: AtomicBool::new(false),
            owner: OnceLock::new(),
        })
    }

    pub(crate) fn send(self: &Arc<Self>, command: C) {
        self.commands.push(command);
        self.wake_by_ref();
    }

    pub(crate) fn take(&self) -> Option<C> {
        self.commands.pop()
    }

    /// Starts the mailbox's thread: `body` runs there once and should end in [`Mailbox::serve`].
    pub(crate) fn spawn(
        self: &Arc<Self>,
        name: &str,
        body: impl FnOnce(Arc<Self>) + Send + 'static,
    ) -> Result<(), Error> {
        let mailbox = self.clone();
        platform::spawn(name, move || {
            let _ = mailbox.owner.set(thread::current());
            body(mailbox);
        })
        .map(drop)
        .map_err(|error| Error::internal(format!("a thread could not be made: {error}")))
    }

    /// Makes the calling thread the one that the mailbox wakes, for a thread that serves several.
    pub(crate) fn adopt(&self) {
        let _ = self.owner.set(thread::current());
    }

    /// Calls `step` whenever something arrived, until it breaks. `step` takes the commands itself.
    pub(crate) fn serve(
        self: &Arc<Self>,
        mut step: impl FnMut(&mut Context<'_>) -> ControlFlow<()>,
    ) {
        let waker = Waker::from(self.clone());
        let mut cx = Context::from_waker(&waker);
        loop {
            if step(&mut cx).is_break() {
                return;
            }
            while !self.woken.swap(false, Ordering::SeqCst) {
                thread::park();
            }
        }
    }
}

impl<C: Send + 'static> Wake for Mailbox<C> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::SeqCst)
            && let Some(owner) = self.owner.get()
        {
            owner.unpark();
        }
    }
}
