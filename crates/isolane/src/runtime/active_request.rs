//! One request that runs in a realm: who waits for it, what it may use, and what it has used. Touched only by
//! the thread that holds the isolate.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use isolane_scheduler::{CallbackId, FetchRequest, SchedulerHandle, StreamError, StreamId};

use crate::error::Error;
use crate::limits::Limits;
use crate::limits::cpu_meter::CpuMeter;
use crate::limits::rescue::Unanswered;
use crate::request::{LogSink, Response, Start, Usage};
use crate::settlement::{RequestState, Settlement};

use super::ticket::Ticket;

/// Who waits for a request.
pub(crate) enum Responder {
    /// A `fetch` event's caller.
    Fetch(Settlement<Response>),
    /// A `scheduled` event's caller.
    Scheduled(Settlement<Usage>),
    /// A caller of `Runtime::evaluate`, who gets a structured clone.
    Evaluate(Settlement<bytes::Bytes>),
    /// The realm itself, while its modules are evaluated.
    Load,
    /// Nobody any more: the response was sent, the rest of the request goes on.
    Answered,
}

impl Responder {
    /// Who waits, to be answered from outside.
    pub(crate) fn unanswered(&self) -> Option<Arc<dyn Unanswered>> {
        match self {
            Self::Fetch(settlement) => settlement.unanswered(),
            Self::Scheduled(settlement) => settlement.unanswered(),
            Self::Evaluate(settlement) => settlement.unanswered(),
            Self::Load | Self::Answered => None,
        }
    }

    /// What is known of who waits; `None` where nobody does.
    pub(crate) fn request_state(&self) -> Option<Arc<dyn RequestState>> {
        match self {
            Self::Fetch(settlement) => settlement.request_state(),
            Self::Scheduled(settlement) => settlement.request_state(),
            Self::Evaluate(settlement) => settlement.request_state(),
            Self::Load | Self::Answered => None,
        }
    }

    /// What the request waits for did not come at once.
    pub(crate) fn will_take_longer(&self) {
        match self {
            Self::Fetch(settlement) => settlement.will_take_longer(),
            Self::Scheduled(settlement) => settlement.will_take_longer(),
            Self::Evaluate(settlement) => settlement.will_take_longer(),
            Self::Load | Self::Answered => {}
        }
    }

    /// Gives back what who waits has allocated for the request, together with the answer.
    pub(crate) fn leave(&mut self, leftovers: Box<dyn Send>) {
        match self {
            Self::Fetch(settlement) => settlement.leave(leftovers),
            Self::Scheduled(settlement) => settlement.leave(leftovers),
            Self::Evaluate(settlement) => settlement.leave(leftovers),
            Self::Load | Self::Answered => {}
        }
    }

    pub(crate) fn fail(self, error: Error) {
        match self {
            Self::Fetch(settlement) => settlement.settle(Err(error)),
            Self::Scheduled(settlement) => settlement.settle(Err(error)),
            Self::Evaluate(settlement) => settlement.settle(Err(error)),
            Self::Load | Self::Answered => {}
        }
    }
}

/// A request that runs in this realm.
pub(crate) struct ActiveRequest {
    pub(crate) responder: Responder,
    request_state: Option<Arc<dyn RequestState>>,
    pub(crate) limits: Limits,
    pub(crate) on_log: Option<LogSink>,
    pub(crate) start: Start,
    pub(crate) began: Instant,
    /// The processor time of its turns and of its work on other threads.
    pub(crate) cpu: Arc<CpuMeter>,
    pub(crate) subrequests: u32,
    pub(crate) fetches_in_flight: u32,
    pub(crate) fetches_waiting: VecDeque<(CallbackId, FetchRequest)>,
    /// The operations whose answers it waits for.
    pub(crate) operations: Vec<CallbackId>,
    /// Whether it ever waited for one.
    pub(crate) waited: bool,
    pub(crate) deadline_set: bool,
    pub(crate) incoming: Vec<StreamId>,
    pub(crate) response_stream: Option<StreamId>,
    pub(crate) response_bytes: u64,
    /// Counts the request while it lives.
    pub(crate) ticket: Ticket,
}

impl ActiveRequest {
    /// One whose first turn begins at that time.
    pub(crate) fn new(responder: Responder, limits: Limits, began: Instant) -> Self {
        Self {
            request_state: responder.request_state(),
            cpu: Arc::new(CpuMeter::new(limits.cpu)),
            responder,
            limits,
            on_log: None,
            start: Start::Warm,
            began,
            subrequests: 0,
            fetches_in_flight: 0,
            fetches_waiting: VecDeque::new(),
            operations: Vec::new(),
            waited: false,
            deadline_set: false,
            incoming: Vec::new(),
            response_stream: None,
            response_bytes: 0,
            ticket: Ticket::default(),
        }
    }

    /// Whether its caller gave it up.
    pub(crate) fn is_aborted(&self) -> bool {
        self.request_state
            .as_ref()
            .is_some_and(|state| state.is_aborted())
    }

    pub(crate) fn usage(&self, now: Instant, heap_used_bytes: usize) -> Usage {
        Usage {
            cpu: self.cpu.used(),
            wall: now.duration_since(self.began),
            heap_used_bytes,
            start: self.start,
        }
    }
}

/// Who reads a response body that still streams.
pub(crate) struct BodyReaderWaits {
    pub(crate) scheduler: SchedulerHandle,
    pub(crate) stream: StreamId,
}

impl Unanswered for BodyReaderWaits {
    fn answer(&self, error: Error) {
        let why = format!("{}: {error}", error.code());
        self.scheduler
            .fail_stream(self.stream, StreamError::Guest(why.into()));
    }
}
