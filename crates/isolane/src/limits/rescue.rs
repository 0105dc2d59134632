//! Answers requests from outside where the thread that runs their isolate does not come back.
//!
//! Some of V8's native functions never look whether they were told to stop, and a thread may get no
//! processor to end on. A turn that goes on so is given up by the watchdog: its request, and what else
//! waits for its isolate, is answered here, from the watchdog's thread. The isolate is not touched; it
//! is dropped when its thread returns, if that ever happens.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock, Weak};

use isolane_scheduler::{IdMap, RequestId};
use parking_lot::Mutex;

use crate::error::Error;

use super::LimitKind;

/// Someone who waits for a request and can be answered from any thread; later answers are ignored.
pub(crate) trait Unanswered: Send + Sync {
    fn answer(&self, error: Error);
}

/// The requests of one isolate that wait while no turn of theirs runs.
#[derive(Default)]
pub(crate) struct Bystanders(Mutex<IdMap<Arc<dyn Unanswered>>>);

impl Bystanders {
    pub(crate) fn add(&self, request: RequestId, who: Arc<dyn Unanswered>) {
        self.0.lock().insert(request, who);
    }

    pub(crate) fn remove(&self, request: RequestId) {
        self.0.lock().remove(&request);
    }

    pub(crate) fn answer_all(&self, error: &Error) {
        let all = std::mem::take(&mut *self.0.lock());
        for who in all.into_values() {
            who.answer(error.clone());
        }
    }
}

impl std::fmt::Debug for Bystanders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bystanders").finish_non_exhaustive()
    }
}

/// Whoever sends work to an isolate's thread, and is to know that it does not come back.
pub(crate) trait ThreadUser: Send + Sync {
    fn given_up(self: Arc<Self>, error: &Error);
}

static THREAD_USERS: LazyLock<Mutex<HashMap<u64, Weak<dyn ThreadUser>>>> =
    LazyLock::new(Mutex::default);

/// Names who is to know when a turn of `group` is given up, until [`forget`].
pub(crate) fn register(group: u64, user: Weak<dyn ThreadUser>) {
    THREAD_USERS.lock().insert(group, user);
}

/// Ends what [`register`] began.
pub(crate) fn forget(group: u64) {
    THREAD_USERS.lock().remove(&group);
}

/// What a process does that may end for the sake of one turn.
type LastResort = fn(RequestId, LimitKind);

static LAST_RESORT: OnceLock<LastResort> = OnceLock::new();

/// Has `end` called for a turn that does not end by itself: a process that ends takes its thread with it.
pub(crate) fn set_last_resort(end: LastResort) {
    // There is one such process, and it says so once.
    let _ = LAST_RESORT.set(end);
}

/// What is given up for a turn that goes on after its end; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rescue {
    /// Who waits is answered.
    Answer,
    /// The thread is not waited for any more.
    LoseThread,
    /// The process ends, if it may.
    EndProcess,
}

/// A turn that goes on after its end.
pub(crate) struct GivenUp {
    pub(crate) rescue: Rescue,
    pub(crate) request: RequestId,
    /// The limit that the turn passed; time, where it was asked to end for another reason.
    pub(crate) limit: LimitKind,
    pub(crate) group: u64,
    pub(crate) current: Option<Arc<dyn Unanswered>>,
    pub(crate) bystanders: Arc<Bystanders>,
    pub(crate) error: Error,
    /// What the others who wait for the isolate are told.
    pub(crate) error_of_others: Error,
}

impl GivenUp {
    /// Answers everyone who waits for the isolate, and tells who uses its thread where that is lost.
    pub(crate) fn rescue(self) {
        if self.rescue == Rescue::EndProcess
            && let Some(end) = LAST_RESORT.get()
        {
            end(self.request, self.limit);
        }
        if let Some(current) = self.current {
            current.answer(self.error.clone());
        }
        self.bystanders.answer_all(&self.error_of_others);
        if self.rescue != Rescue::LoseThread {
            return;
        }
        let user = THREAD_USERS.lock().get(&self.group).and_then(Weak::upgrade);
        if let Some(user) = user {
            user.given_up(&self.error);
        }
    }
}
