//! Makes the pool's threads: the patient ones get less of the processors than those for quick lanes,
//! and those of the background the least.

use std::sync::Arc;

use isolane_lanes::{Options, Role};

use crate::error::Error;
use crate::kept_threads::Keeper;
use crate::platform;
use crate::thread_priority::{self, SHORTEST_SLICE};

use super::lane::Threads;

/// Starts the threads of a pool: `count` of each class.
pub(super) fn start(count: usize) -> Result<Arc<Threads>, Error> {
    let options = Options {
        quick: count,
        patient: count,
        background: count,
        spinning: platform::most_spinning(),
        processor: thread_priority::processor,
        leave_processor: thread_priority::leave_processor,
    };
    let spawner = |role, lanes: isolane_lanes::Body| {
        let body = || {
            Keeper::settle_here();
            lanes();
        };
        match role {
            Role::Quick => platform::spawn("isolane-pool", || {
                thread_priority::ask_for_slices(SHORTEST_SLICE);
                body();
            }),
            Role::Relief => platform::spawn("isolane-relief", body),
            Role::Patient => platform::spawn("isolane-patient", || {
                thread_priority::lower();
                body();
            }),
            Role::Background => platform::spawn("isolane-background", || {
                thread_priority::lower_most();
                body();
            }),
        }
    };
    Threads::start(options, Box::new(spawner))
        .map_err(|error| Error::internal(format!("a pool thread: {error}")))
}
