//! Which origins keep their connections for later fetches: a bounded number of them.
//!
//! A guest may fetch from ever new names, and each idle connection holds a file descriptor. Origins
//! beyond the bound are still reached, by connections that are closed after use. The table is
//! locked for a look and a change, by the scheduler's threads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use url::Url;

/// How many origins keep connections at the same time.
const MAX_ORIGINS: usize = 64;

/// How many idle connections one origin keeps.
pub(crate) const MAX_IDLE_PER_ORIGIN: usize = 32;

/// How long a connection stays open without use.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long after its last use an origin may still have connections.
///
/// The HTTP library looks for those that are past their time only once in that time.
const FORGET_AFTER: Duration = Duration::from_secs(2 * IDLE_TIMEOUT.as_secs() + 5);

/// Scheme, host and port of a URL.
type Origin = String;

struct Use {
    exchanges: usize,
    last: Instant,
}

/// The origins that keep connections.
#[derive(Default)]
pub(crate) struct Origins {
    uses: Mutex<HashMap<Origin, Use>>,
}

impl Origins {
    fn lock(&self) -> MutexGuard<'_, HashMap<Origin, Use>> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for an exchange with the URL's origin; none where all are taken by others.
    pub(crate) fn claim(self: &Arc<Self>, url: &Url, now: Instant) -> Option<Place> {
        let origin = url.origin().ascii_serialization();
        let mut uses = self.lock();
        if !uses.contains_key(&origin) && uses.len() >= MAX_ORIGINS {
            uses.retain(|_, held| held.exchanges > 0 || now < held.last + FORGET_AFTER);
            if uses.len() >= MAX_ORIGINS {
                return None;
            }
        }
        let held = uses.entry(origin.clone()).or_insert(Use {
            exchanges: 0,
            last: now,
        });
        held.exchanges += 1;
        drop(uses);
        Some(Place {
            origins: Arc::clone(self),
            origin,
        })
    }
}

/// One exchange with an origin that keeps connections; it ends when this is dropped.
pub(crate) struct Place {
    origins: Arc<Origins>,
    origin: Origin,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(held) = self.origins.lock().get_mut(&self.origin) {
            held.exchanges -= 1;
            held.last = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(number: usize) -> Url {
        Url::parse(&format!("http://{number}.example/path")).unwrap()
    }

    #[test]
    fn a_bounded_number_of_origins_keep_connections_until_they_rest() {
        let origins = Arc::new(Origins::default());
        let now = Instant::now();
        let places: Vec<_> = (0..MAX_ORIGINS)
            .map(|number| origins.claim(&url(number), now).unwrap())
            .collect();
        let another = url(MAX_ORIGINS);
        assert!(origins.claim(&another, now).is_none(), "one too many");
        assert!(origins.claim(&url(0), now).is_some(), "it has a place");
        let later = Instant::now() + FORGET_AFTER;
        assert!(origins.claim(&another, later).is_none(), "all in use");

        drop(places);
        let now = Instant::now();
        assert!(origins.claim(&another, now).is_none(), "may still be open");
        assert!(origins.claim(&another, now + FORGET_AFTER).is_some());
        assert_eq!(origins.lock().len(), 1, "those that rest are forgotten");
    }
}
