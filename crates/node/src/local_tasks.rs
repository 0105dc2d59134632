//! Futures that are polled on the JavaScript thread: what wakes one goes through the connection's
//! list, so that no other executor is needed. For rare operations; requests have callbacks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::future::BoxFuture;

use crate::connection::{Connection, lock};
use crate::delivery::{Answer, Delivery};

struct Task {
    future: BoxFuture<'static, Answer>,
    waker: Arc<TaskWaker>,
    held: bool,
}

/// The tasks under way, by ticket; touched on the JavaScript thread only.
#[derive(Default)]
pub(crate) struct LocalTasks(Mutex<HashMap<i64, Task>>);

struct TaskWaker {
    ticket: i64,
    connection: Weak<Connection>,
    /// Whether the list holds a wake for this task already.
    queued: AtomicBool,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(connection) = self.connection.upgrade() {
            connection.push(Delivery::Wake {
                ticket: self.ticket,
            });
        }
    }
}

impl LocalTasks {
    pub(crate) fn start(
        &self,
        connection: &Arc<Connection>,
        ticket: i64,
        held: bool,
        future: BoxFuture<'static, Answer>,
    ) {
        let waker = TaskWaker {
            ticket,
            connection: Arc::downgrade(connection),
            queued: AtomicBool::new(false),
        };
        self.poll(
            connection,
            Task {
                future,
                waker: Arc::new(waker),
                held,
            },
        );
    }

    /// Goes on with a task that was woken, if it is still there.
    pub(crate) fn resume(&self, connection: &Arc<Connection>, ticket: i64) {
        let task = lock(&self.0).remove(&ticket);
        if let Some(task) = task {
            self.poll(connection, task);
        }
    }

    /// Drops a task.
    pub(crate) fn stop(&self, ticket: i64) {
        let task = lock(&self.0).remove(&ticket);
        drop(task);
    }

    fn poll(&self, connection: &Arc<Connection>, mut task: Task) {
        // Cleared before the poll, so that a wake during it is not lost.
        task.waker.queued.store(false, Ordering::Release);
        let ticket = task.waker.ticket;
        let waker = Waker::from(Arc::clone(&task.waker));
        match task.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => {
                connection.push(Delivery::Settled {
                    ticket,
                    held: task.held,
                    answer,
                });
            }
            Poll::Pending => {
                lock(&self.0).insert(ticket, task);
            }
        }
    }
}
