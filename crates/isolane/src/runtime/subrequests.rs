//! The fetches of a realm's requests: how many are in flight at once, and which wait. Called by native
//! operations, inside a turn, and where an answer has come.

use isolane_scheduler::{CallbackId, FetchRequest, RequestId, SchedulerMessage};

use super::realm_state::RealmState;

impl RealmState {
    /// Starts a fetch, or queues it where too many are in flight.
    pub(crate) fn start_fetch(&self, id: CallbackId, fetch: FetchRequest) {
        let request = self.current.get();
        let mut requests = self.requests.borrow_mut();
        let Some(active) = requests.get_mut(&request) else {
            return;
        };
        active.subrequests += 1;
        let limit = active.limits.concurrent_subrequests.unwrap_or(u32::MAX);
        if active.fetches_in_flight >= limit {
            active.fetches_waiting.push_back((id, fetch));
            return;
        }
        active.fetches_in_flight += 1;
        drop(requests);
        self.send_fetch(request, id, fetch);
    }

    /// A fetch of `request` came to its end: the next one in its queue may start.
    pub(crate) fn fetch_ended(&self, request: RequestId) {
        let mut requests = self.requests.borrow_mut();
        let Some(active) = requests.get_mut(&request) else {
            return;
        };
        let Some((id, fetch)) = active.fetches_waiting.pop_front() else {
            active.fetches_in_flight = active.fetches_in_flight.saturating_sub(1);
            return;
        };
        drop(requests);
        self.send_fetch(request, id, fetch);
    }

    /// Cancels a fetch that waits or is in flight.
    pub(crate) fn cancel_fetch(&self, id: CallbackId) {
        let Some(operation) = self.end(id) else {
            return;
        };
        if let Some(active) = self.requests.borrow_mut().get_mut(&operation.request) {
            let before = active.fetches_waiting.len();
            active.fetches_waiting.retain(|(waiting, _)| *waiting != id);
            if active.fetches_waiting.len() < before {
                return;
            }
        }
        self.scheduler.send(SchedulerMessage::CancelFetch { id });
        self.fetch_ended(operation.request);
    }

    fn send_fetch(&self, request: RequestId, id: CallbackId, fetch: FetchRequest) {
        let client = self.worker.client.clone();
        self.scheduler.send(SchedulerMessage::Fetch {
            request,
            id,
            fetch,
            client,
        });
    }
}
