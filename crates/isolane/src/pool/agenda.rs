//! In which order the reaper's thread does what it has to: errands that others asked for, and between them what comes
//! due by itself, isolates that no keeper took, code to keep, isolates at rest (`cooling.rs`).

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::limits::Limits;
use crate::locker_managed_isolate::LockerManagedIsolate;

use super::cooling::Watch;
use super::core::Pool;
use super::lane::Lane;

/// How long an isolate waits for a keeper.
const KEEPERS_TIME: Duration = Duration::from_millis(100);

/// How many errands come before a chore, such as the collection of an idle isolate: workers wait for what some of them make.
const ERRANDS_FIRST: usize = 8;

/// How long after a worker's first request what V8 compiled for it is written down: by then that is over, most often,
/// and others may have come.
const CODE_AFTER: Duration = Duration::from_millis(100);

/// An isolate that waits for a keeper, until either takes it.
pub(super) type Waiting = Arc<Mutex<Option<LockerManagedIsolate>>>;

/// What the thread is asked to do.
pub(super) enum Errand {
    /// Drop one isolate that has left.
    Drop,
    /// Drop one when its keeper has not come in time.
    Await(Waiting),
    /// Make one ahead, asked for from that processor.
    Make(Limits, Option<u32>),
    /// Look at a pool's isolates from time to time.
    Watch(Weak<Pool>),
    /// Have what V8 compiled for a worker's first request written down, soon.
    KeepCode(Weak<Lane>),
}

/// What the reaper's thread has to do without being asked.
#[derive(Default)]
pub(super) struct Agenda {
    pub(super) watch: Option<Watch>,
    /// Since when each waits, the longest first.
    pub(super) waiting: VecDeque<(Instant, Waiting)>,
    /// Whose code is to be kept, and since when, the longest first.
    pub(super) code: VecDeque<(Instant, Weak<Lane>)>,
    /// How many errands came since the last chore.
    errands: usize,
}

impl Agenda {
    /// The next errand; `None` when nobody can send any more. Does chores meanwhile, and between errands, and drops
    /// what waits for keepers.
    pub(super) fn next(&mut self, errands: &Receiver<Errand>) -> Option<Errand> {
        loop {
            self.drop_overdue();
            let until_overdue = time_left(&self.waiting, KEEPERS_TIME);
            let until_chore = self.until_chore();
            if self.errands >= ERRANDS_FIRST && until_chore == Some(Duration::ZERO) {
                self.do_chore();
                continue;
            }
            let Some(time) = until_overdue.into_iter().chain(until_chore).min() else {
                return errands.recv().ok();
            };
            match errands.recv_timeout(time) {
                Ok(errand) => {
                    self.errands += 1;
                    return Some(errand);
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.do_chore(),
            }
        }
    }

    fn until_chore(&self) -> Option<Duration> {
        let until_look = self.watch.as_ref().map(Watch::time_left);
        time_left(&self.code, CODE_AFTER)
            .into_iter()
            .chain(until_look)
            .min()
    }

    /// One isolate's code or heap, where it is time for that.
    fn do_chore(&mut self) {
        self.errands = 0;
        if time_left(&self.code, CODE_AFTER) != Some(Duration::ZERO) {
            self.watch.take_if(|watch| !watch.go_on());
        } else if let Some((_, lane)) = self.code.pop_front()
            && let Some(lane) = lane.upgrade()
        {
            lane.keep_code();
        }
    }

    /// Drops isolates whose keepers did not come in time.
    fn drop_overdue(&mut self) {
        while let Some((since, waiting)) = self.waiting.front() {
            let mut isolate = waiting.lock();
            if isolate.is_some() && since.elapsed() < KEEPERS_TIME {
                return;
            }
            let overdue = isolate.take();
            drop(isolate);
            drop(overdue);
            self.waiting.pop_front();
        }
    }
}

/// How long until the first of a queue has waited for `time`.
fn time_left<T>(queue: &VecDeque<(Instant, T)>, time: Duration) -> Option<Duration> {
    let (since, _) = queue.front()?;
    Some(time.saturating_sub(since.elapsed()))
}
