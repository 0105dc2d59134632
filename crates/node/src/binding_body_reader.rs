//! A body that JavaScript pulls.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::Stream;
use isolane::BodyReader;
use napi::Env;
use napi::bindgen_prelude::{Either3, Uint8Array};
use napi_derive::napi;

use crate::connection::{Connection, SharedConnection};
use crate::delivery::Answer;
use crate::failure::stream_failure;

const ENDED: i64 = 0;
const WAIT: i64 = 1;

/// The reading end of a body; dropping it tells the writer that nobody listens.
#[napi]
pub struct BindingBodyReader {
    connection: SharedConnection,
    reader: RefCell<Option<BodyReader>>,
    /// The wait that is under way, so that cancelling ends it.
    waiting: Cell<Option<Arc<ReadWaker>>>,
}

impl BindingBodyReader {
    pub(crate) fn new(connection: &SharedConnection, reader: BodyReader) -> Self {
        Self {
            connection: Arc::clone(connection),
            reader: RefCell::new(Some(reader)),
            waiting: Cell::new(None),
        }
    }
}

#[napi]
impl BindingBodyReader {
    /// The next chunk, a failure, or a code: the body has ended, or the ticket will be settled when
    /// it is worth asking again.
    #[napi(catch_unwind)]
    pub fn read(&self, env: &Env, ticket: i64) -> Either3<Uint8Array, String, i64> {
        let mut reader = self.reader.borrow_mut();
        let Some(open) = reader.as_mut() else {
            return Either3::C(ENDED);
        };
        let waker = Arc::new(ReadWaker {
            ticket,
            connection: Arc::downgrade(&self.connection),
            woken: AtomicBool::new(false),
        });
        let polled =
            Pin::new(open).poll_next(&mut Context::from_waker(&Waker::from(waker.clone())));
        if polled.is_pending() {
            // Not too late if it was woken already: deliveries are taken on this thread only.
            self.connection.hold(env);
            self.waiting.set(Some(waker));
            return Either3::C(WAIT);
        }
        // Nobody awaits the ticket. If another thread has woken it in between, its delivery is on the
        // way and gives back a hold, which there has to be.
        if waker.woken.swap(true, Ordering::AcqRel) {
            self.connection.hold(env);
        }
        match polled {
            Poll::Ready(Some(Ok(chunk))) => Either3::A(Uint8Array::new(chunk.into())),
            Poll::Ready(Some(Err(error))) => {
                *reader = None;
                Either3::B(stream_failure(&error))
            }
            Poll::Ready(None) | Poll::Pending => {
                *reader = None;
                Either3::C(ENDED)
            }
        }
    }

    /// Reads no further.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.reader.borrow_mut().take();
        if let Some(waiting) = self.waiting.take() {
            waiting.fire();
        }
    }
}

/// Settles its ticket once, when there is something to read.
struct ReadWaker {
    ticket: i64,
    connection: Weak<Connection>,
    woken: AtomicBool,
}

impl ReadWaker {
    fn fire(&self) {
        if self.woken.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(connection) = self.connection.upgrade() {
            connection.settle(self.ticket, Answer::nothing());
        }
    }
}

impl Wake for ReadWaker {
    fn wake(self: Arc<Self>) {
        self.fire();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.fire();
    }
}
