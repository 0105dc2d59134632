//! Ends a child that takes too much memory or no longer answers. A task of the scheduler's, which
//! sleeps while there are no requests.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::outbound::scheduler;

use super::death::Death;
use super::generation::{Generation, InFlight};
use super::supervisor::Shared;

/// How often a child with requests is looked at.
const INTERVAL: Duration = Duration::from_millis(100);

/// How much longer than its wall time a request may take to be answered.
const GRACE: Duration = Duration::from_secs(1);

/// A child with requests speaks twenty times a second. One that says nothing for so long and has a
/// request past its time is stuck.
const SILENCE: Duration = Duration::from_secs(2);

/// One that says nothing for so long is stuck whatever its requests.
const LONG_SILENCE: Duration = Duration::from_secs(10);

/// How long a child may take to say its first word.
const STARTUP: Duration = Duration::from_secs(30);

/// Watches the pool's children until the pool is gone.
pub(crate) fn watch(shared: &Arc<Shared>) {
    let host = shared.host.clone();
    let shared = Arc::downgrade(shared);
    scheduler().spawn(async move {
        loop {
            if host.in_flight() == 0 {
                host.busy.notified().await;
            }
            tokio::time::sleep(INTERVAL).await;
            match Weak::upgrade(&shared) {
                Some(shared) if !shared.is_stopping() => look(&shared.current()),
                _ => return,
            }
        }
    });
}

fn look(generation: &Generation) {
    let limit = generation.host.options.process_memory_bytes;
    if resident_bytes(generation).is_some_and(|resident| resident > limit) {
        generation.kill(Death::Memory);
    } else if is_stuck(generation) {
        generation.kill(Death::Stuck);
    }
}

fn is_stuck(generation: &Generation) -> bool {
    let now = Instant::now();
    let table = generation.table.lock();
    let (Some(silence), Some(ready)) = (generation.silence(), generation.ready.get()) else {
        let waits_too_long = |request: &InFlight| now - request.sent > STARTUP;
        return generation.process_id().is_some() && table.requests.values().any(waits_too_long);
    };
    let oldest = table.requests.values().map(|request| request.sent).min();
    // A child that had nothing to do had nothing to say.
    let silence = oldest.map_or(Duration::ZERO, |oldest| silence.min(now - oldest));
    let overdue = |request: &InFlight| {
        let Some(wall) = request.wall else {
            return false;
        };
        match request.began {
            Some(began) => now - began > wall + GRACE,
            // It may wait for its turn, if the child is well.
            None => now - request.sent.max(*ready) > wall + GRACE && silence > SILENCE,
        }
    };
    silence > LONG_SILENCE || table.requests.values().any(overdue)
}

#[cfg(target_os = "linux")]
fn resident_bytes(generation: &Generation) -> Option<usize> {
    let id = generation.process_id()?;
    let pages = std::fs::read_to_string(format!("/proc/{id}/statm")).ok()?;
    let pages: usize = pages.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size())
}

#[cfg(not(target_os = "linux"))]
fn resident_bytes(_generation: &Generation) -> Option<usize> {
    None
}
