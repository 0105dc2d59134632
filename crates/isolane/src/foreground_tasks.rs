//! V8's foreground tasks: what its background threads (compilation, garbage collection) want run on
//! an isolate's own thread. Each isolate has a queue; a task that arrives wakes the event loop that
//! the isolate belongs to.
//!
//! Tasks refer to their isolate, so a queue is closed, and what is in it dropped, before the isolate
//! is disposed of.

use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::sync::{Arc, LazyLock, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::outbound;

type IsolateAddress = usize;

static QUEUES: LazyLock<Mutex<HashMap<IsolateAddress, Arc<Queue>>>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Queue {
    tasks: Mutex<Tasks>,
    waker: Mutex<Option<Waker>>,
}

#[derive(Default)]
struct Tasks {
    ready: VecDeque<v8::Task>,
    delayed: Vec<(Instant, v8::Task)>,
    closed: bool,
}

impl Tasks {
    /// What is ready, with what was delayed until now.
    fn ready_by_now(&mut self) -> &mut VecDeque<v8::Task> {
        if !self.delayed.is_empty() {
            let now = Instant::now();
            while let Some(at) = self.delayed.iter().position(|(due, _)| *due <= now) {
                let (_, task) = self.delayed.swap_remove(at);
                self.ready.push_back(task);
            }
        }
        &mut self.ready
    }
}

impl Queue {
    fn of(isolate: IsolateAddress) -> Arc<Self> {
        QUEUES.lock().entry(isolate).or_default().clone()
    }

    fn push(&self, task: v8::Task) {
        {
            let mut tasks = self.tasks.lock();
            if tasks.closed {
                drop(tasks);
                return drop(task);
            }
            tasks.ready.push_back(task);
        }
        self.wake();
    }

    fn push_delayed(self: &Arc<Self>, task: v8::Task, delay: Duration) {
        {
            let mut tasks = self.tasks.lock();
            if tasks.closed {
                drop(tasks);
                return drop(task);
            }
            tasks.delayed.push((Instant::now() + delay, task));
        }
        let queue: Weak<Self> = Arc::downgrade(self);
        outbound::scheduler().spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(queue) = queue.upgrade() {
                queue.wake();
            }
        });
    }

    fn wake(&self) {
        let waker = self.waker.lock().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn has_ready(&self) -> bool {
        !self.tasks.lock().ready_by_now().is_empty()
    }

    fn pop(&self) -> Option<v8::Task> {
        self.tasks.lock().ready_by_now().pop_front()
    }
}

/// Where V8 hands over its foreground tasks; it calls from any thread.
pub(crate) struct Foreground;

impl v8::PlatformImpl for Foreground {
    fn post_task(&self, isolate: *mut c_void, task: v8::Task) {
        Queue::of(isolate as IsolateAddress).push(task);
    }

    fn post_non_nestable_task(&self, isolate: *mut c_void, task: v8::Task) {
        // Tasks are only run between turns, so none is ever nested.
        self.post_task(isolate, task);
    }

    fn post_delayed_task(&self, isolate: *mut c_void, task: v8::Task, delay_in_seconds: f64) {
        let delay = Duration::try_from_secs_f64(delay_in_seconds).unwrap_or_default();
        Queue::of(isolate as IsolateAddress).push_delayed(task, delay);
    }

    fn post_non_nestable_delayed_task(
        &self,
        isolate: *mut c_void,
        task: v8::Task,
        delay_in_seconds: f64,
    ) {
        self.post_delayed_task(isolate, task, delay_in_seconds);
    }
}

/// The foreground tasks of one isolate.
#[derive(Clone)]
pub(crate) struct ForegroundTasks {
    isolate: IsolateAddress,
    queue: Arc<Queue>,
}

impl ForegroundTasks {
    /// The queue of an isolate that was just made.
    pub(crate) fn open(isolate: &v8::Isolate) -> Self {
        let address = isolate_address(isolate);
        let mut queues = QUEUES.lock();
        let queue = queues.entry(address).or_default();
        if queue.tasks.lock().closed {
            // Left by an isolate that had the same address and is gone by now.
            *queue = Arc::default();
        }
        Self {
            isolate: address,
            queue: queue.clone(),
        }
    }

    /// Wakes `waker` when a task arrives.
    pub(crate) fn register(&self, waker: &Waker) {
        match &mut *self.queue.waker.lock() {
            Some(present) => present.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// Whether there is something to run now.
    pub(crate) fn has_ready(&self) -> bool {
        self.queue.has_ready()
    }

    /// Runs what is ready, on the thread that has the isolate entered.
    pub(crate) fn run(&self) {
        while let Some(task) = self.queue.pop() {
            task.run();
        }
    }

    /// Drops what is queued and refuses what follows; to be called before the isolate is disposed of.
    pub(crate) fn close(&self) {
        let (ready, delayed) = {
            let mut tasks = self.queue.tasks.lock();
            tasks.closed = true;
            (
                std::mem::take(&mut tasks.ready),
                std::mem::take(&mut tasks.delayed),
            )
        };
        drop((ready, delayed));
        self.queue.waker.lock().take();
    }

    /// Forgets the isolate's address; to be called when it has been disposed of.
    pub(crate) fn forget(&self) {
        let mut queues = QUEUES.lock();
        if queues
            .get(&self.isolate)
            .is_some_and(|queue| Arc::ptr_eq(queue, &self.queue))
        {
            queues.remove(&self.isolate);
        }
    }
}

impl std::fmt::Debug for ForegroundTasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ForegroundTasks")
    }
}

fn isolate_address(isolate: &v8::Isolate) -> IsolateAddress {
    // An `Isolate` is a non-null pointer to V8's own; platforms are told that pointer.
    // SAFETY: the raw pointer is only used as a number, never to reach the isolate.
    let raw = unsafe { isolate.as_raw_isolate_ptr() };
    // SAFETY: the type is a transparent wrapper of one pointer.
    unsafe { std::mem::transmute::<v8::UnsafeRawIsolatePtr, IsolateAddress>(raw) }
}
