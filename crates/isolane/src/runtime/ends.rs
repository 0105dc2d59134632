//! What follows a turn: requests that have ended are answered, and those that wait get their deadline. Runs on the
//! thread that has the isolate entered.

use std::sync::Arc;
use std::time::Instant;

use isolane_scheduler::{RequestId, SchedulerMessage};

use crate::error::{Error, ErrorKind};
use crate::limits::LimitKind;

use super::active_request::{BodyReaderWaits, Responder};
use super::realm::Realm;
use super::realm_state::End;

/// For how many ends of requests there is room between turns, at most.
const KEPT_ENDS: usize = 4;

impl Realm {
    /// Does what the turn that ended at `now` has said of requests.
    pub(super) fn carry_out_ends(&mut self, now: Instant) {
        let mut ends = self.state.ends.take();
        for (request, end) in ends.drain(..) {
            match end {
                End::Fail(error) => self.end_request(request, error),
                End::Finish => {
                    let Some(active) = self.state.remove(request) else {
                        continue;
                    };
                    let usage = active.usage(now, self.state.heap_used_bytes.get());
                    if let Responder::Scheduled(settlement) = active.responder {
                        settlement.settle(Ok(usage));
                    }
                }
                End::Evaluated(bytes) => {
                    let Some(active) = self.state.remove(request) else {
                        continue;
                    };
                    if let Responder::Evaluate(settlement) = active.responder {
                        settlement.settle(Ok(bytes));
                    }
                }
                End::Answer {
                    mut response,
                    finished,
                } => {
                    let responder = {
                        let mut requests = self.state.requests.borrow_mut();
                        let Some(active) = requests.get_mut(&request) else {
                            continue;
                        };
                        response.usage = active.usage(now, self.state.heap_used_bytes.get());
                        std::mem::replace(&mut active.responder, Responder::Answered)
                    };
                    if finished {
                        self.state.remove(request);
                    } else {
                        self.note_open_body(request);
                    }
                    if let Responder::Fetch(settlement) = responder {
                        settlement.settle(Ok(response));
                    }
                }
            }
        }
        // The next turn finds room for as many, which most often is one.
        let mut next = self.state.ends.borrow_mut();
        if next.is_empty() && ends.capacity() <= KEPT_ENDS {
            *next = ends;
        }
    }

    /// A body that streams on has a reader who waits.
    fn note_open_body(&self, request: RequestId) {
        let requests = self.state.requests.borrow();
        if let Some(stream) = requests
            .get(&request)
            .and_then(|active| active.response_stream)
        {
            let scheduler = self.state.scheduler.clone();
            let reader = Arc::new(BodyReaderWaits { scheduler, stream });
            self.state.guards.bystanders.add(request, reader);
        }
    }

    pub(super) fn end_request(&mut self, request: RequestId, error: Error) {
        // What goes wrong in a last turn is not why the request ends.
        let error = match &self.ending {
            Some((ending, why)) if *ending == request => why.clone(),
            _ => error,
        };
        self.state.fail(request, error.clone());
        if self.loading_request() == Some(request) {
            self.loading_failed(error);
        }
    }

    /// Ends a request that cannot go on, and sets the deadline of one that waits.
    pub(super) fn check_request(&mut self, isolate: &v8::Isolate, request: RequestId) {
        let mut requests = self.state.requests.borrow_mut();
        let alone = requests.len() == 1;
        let Some(active) = requests.get_mut(&request) else {
            return;
        };
        if active.cpu.is_exceeded() {
            drop(requests);
            self.end_request(request, Error::limit(LimitKind::Cpu));
            return;
        }
        let unanswered = matches!(active.responder, Responder::Fetch(_));
        // Another request, or a compilation in the background, may still wake this one.
        if unanswered
            && active.waited
            && active.operations.is_empty()
            && alone
            && !self.is_loading()
        {
            let idle = self.state.operations.borrow().is_empty();
            let quiet = idle && !isolate.has_pending_background_tasks();
            if quiet {
                drop(requests);
                let why = "everything the handler waited for has ended, without a Response";
                self.end_request(request, ErrorKind::NoResponse(why.to_owned()).into());
                return;
            }
        }
        if !active.deadline_set {
            active.deadline_set = true;
            self.parked.push(request);
            if let Some(who) = active.responder.unanswered() {
                self.state.guards.bystanders.add(request, who);
            }
            let Some(wall) = active.limits.wall else {
                return;
            };
            let after = wall.saturating_sub(active.began.elapsed());
            self.state
                .scheduler
                .send(SchedulerMessage::Deadline { request, after });
        }
    }

    /// Tells those who spin for the answers of requests that have run since this was last called, and still
    /// wait for something.
    pub(crate) fn tell_of_parked(&mut self) {
        if self.parked.is_empty() {
            return;
        }
        let requests = self.state.requests.borrow();
        for request in self.parked.drain(..) {
            if let Some(active) = requests.get(&request) {
                active.responder.will_take_longer();
            }
        }
    }
}
