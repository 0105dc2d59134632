//! The process's one scheduler and its HTTP clients, made at first use.

use std::sync::{Arc, OnceLock};

use isolane_scheduler::{
    DenyAll, FetchClient, HttpClient, OutboundPolicy, Scheduler, SchedulerOptions,
};

use crate::definition::Outbound;
use crate::error::Error;

/// The scheduler of all contexts of this process.
pub(crate) fn scheduler() -> &'static Scheduler {
    static SCHEDULER: OnceLock<Scheduler> = OnceLock::new();
    SCHEDULER.get_or_init(|| {
        Scheduler::new(SchedulerOptions::default()).expect("the system can create a thread")
    })
}

/// The client behind a worker's `fetch`.
pub(crate) fn client(outbound: &Outbound) -> Result<Arc<dyn FetchClient>, Error> {
    static PUBLIC: OnceLock<Arc<dyn FetchClient>> = OnceLock::new();
    static ANY: OnceLock<Arc<dyn FetchClient>> = OnceLock::new();
    let http = |slot: &OnceLock<Arc<dyn FetchClient>>, policy| {
        if let Some(client) = slot.get() {
            return Ok(client.clone());
        }
        let client: Arc<dyn FetchClient> =
            Arc::new(HttpClient::new(policy).map_err(|error| Error::internal(error.to_string()))?);
        Ok(slot.get_or_init(|| client).clone())
    };
    match outbound {
        Outbound::Public => http(&PUBLIC, OutboundPolicy::Public),
        Outbound::Any => http(&ANY, OutboundPolicy::Any),
        Outbound::None => Ok(Arc::new(DenyAll)),
        Outbound::Client(client) => Ok(client.clone()),
    }
}
