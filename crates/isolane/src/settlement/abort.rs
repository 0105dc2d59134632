//! Giving a request up: the caller's handle, and what it reaches. Any thread may hold it.

use std::sync::Arc;

use isolane_scheduler::RequestId;

/// What the caller of a request and the isolate that has it know of each other. It goes where the request
/// goes, and so is at hand wherever that begins: on its way an abort may miss it.
pub(crate) trait RequestState: Send + Sync {
    /// The caller gives the request up.
    fn abort(&self);
    fn is_aborted(&self) -> bool;
    /// Whether the request was last seen to wait for something.
    fn waits(&self) -> bool;
}

/// Where an abort goes.
pub(crate) trait AbortTarget: Send + Sync {
    /// Ends `request`, wherever it is; does nothing once it has ended.
    fn abort(self: Arc<Self>, request: RequestId);
}

/// Ends the guest's work for one request.
#[derive(Clone)]
pub struct AbortHandle {
    request: RequestId,
    target: Option<Arc<dyn AbortTarget>>,
    state: Arc<dyn RequestState>,
}

impl AbortHandle {
    pub(super) fn new(
        request: RequestId,
        target: Option<Arc<dyn AbortTarget>>,
        state: Arc<dyn RequestState>,
    ) -> Self {
        Self {
            request,
            target,
            state,
        }
    }

    pub(super) fn request(&self) -> RequestId {
        self.request
    }

    /// Ends the request at once, even in the middle of a turn; other requests go on.
    ///
    /// The request is answered with the code `ERR_ABORTED` unless it had an answer already; a
    /// response body that still streams fails.
    pub fn abort(&self) {
        if let Some(target) = &self.target {
            // First: a turn that begins meanwhile sees the state, or is seen by the target.
            self.state.abort();
            target.clone().abort(self.request);
        }
    }

    /// Whether the request has begun and waits for something, such as a timer or a host function. It may have
    /// gone on meanwhile.
    pub fn waits(&self) -> bool {
        self.state.waits()
    }
}

impl std::fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AbortHandle")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}
