//! The isolate of a worker's next request, made ahead on a thread of its own, which waits there for the
//! request. Its modules are evaluated, as for any request, before there is one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use crate::demand::PATIENCE;
use crate::isolate_thread::Receiver;
use crate::platform;
use crate::runtime::Runtime;

use super::queue::{Seat, WorkerQueue};
use super::run::{Command, Run, serve_all};

/// How many isolates wait, or are made, for requests that have not come, in the whole process.
static AHEAD: AtomicUsize = AtomicUsize::new(0);

/// The right to have one of them.
pub(super) struct Permit(());

impl Permit {
    pub(super) fn take() -> Option<Self> {
        let most = available_parallelism().map_or(1, usize::from);
        if AHEAD.fetch_add(1, Ordering::Relaxed) < most {
            return Some(Self(()));
        }
        AHEAD.fetch_sub(1, Ordering::Relaxed);
        None
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        AHEAD.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What there is for the next request.
#[derive(Default)]
pub(super) enum Ahead {
    #[default]
    None,
    Coming(Arc<Seat>, Permit),
    Ready(Arc<Seat>, Permit),
    /// None is wanted: the worker is closed, or does not load before its request comes.
    Unwanted,
}

impl Ahead {
    /// The isolate that waits, for a request that has come.
    pub(super) fn take_ready(&mut self) -> Option<Arc<Seat>> {
        match std::mem::take(self) {
            Self::Ready(seat, _) => Some(seat),
            other => {
                *self = other;
                None
            }
        }
    }

    /// None is wanted from now on.
    pub(super) fn end(&mut self) {
        if let Self::Coming(seat, _) | Self::Ready(seat, _) =
            std::mem::replace(self, Self::Unwanted)
        {
            seat.close();
        }
    }
}

/// Starts a thread on which an isolate is made, and waits.
pub(super) fn make_on_new_thread(seat: Arc<Seat>, queue: &Arc<WorkerQueue>) {
    let (waiting, owner) = (seat.clone(), queue.clone());
    let spawned = platform::spawn("isolane-worker", move || {
        let _ = catch_unwind(AssertUnwindSafe(|| wait_with_isolate(&waiting, &owner)));
        // Where it never was.
        owner.is_not_ready(&waiting);
        serve_all(owner.ended(&waiting), &owner);
    });
    if spawned.is_err() {
        queue.is_not_ready(&seat);
    }
}

fn wait_with_isolate(seat: &Arc<Seat>, queue: &Arc<WorkerQueue>) {
    let receiver = Receiver::adopt(&seat.mailbox);
    if let Some(runtime) = make(seat, queue)
        && queue.is_ready(seat)
        && let Some(run) = wait(seat, &receiver, queue)
    {
        run.serve_in(runtime, &receiver, queue);
    }
}

/// An isolate in which the worker has loaded; none where that takes more than the turn that evaluates its
/// modules, or fails: a request is to be told, and may fare better.
fn make(seat: &Seat, queue: &WorkerQueue) -> Option<Runtime> {
    let recipe = queue.recipe();
    let mut runtime = recipe.make(recipe.limits, seat).ok()?;
    runtime.rehearse();
    runtime.load();
    runtime.has_loaded().then_some(runtime)
}

/// Waits for the isolate's request; none comes where its worker is closed, or where none has come for a while.
fn wait(seat: &Arc<Seat>, receiver: &Receiver<Command>, queue: &WorkerQueue) -> Option<Box<Run>> {
    loop {
        match receiver.take() {
            Some(Command::Serve(run)) => return Some(run),
            Some(Command::Close) => return None,
            Some(Command::Abort(_)) => {}
            None if !receiver.wait(PATIENCE) && queue.takes_back(seat) => return None,
            None => {}
        }
    }
}
