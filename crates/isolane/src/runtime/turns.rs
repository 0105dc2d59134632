//! A turn: one event or answer and the microtasks it caused, watched, charged to one request, and
//! followed by what it said about requests. Runs on the thread that has the isolate entered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use isolane_scheduler::{RequestId, SchedulerMessage};

use crate::error::{Error, ErrorKind};
use crate::limits::LimitKind;
use crate::limits::thread_clock::CpuMark;
use crate::limits::watchdog::{Fired, TurnBudget, Watch, Watched};

use super::active_request::{ActiveRequest, BodyReaderWaits, Responder};
use super::events;
use super::exception;
use super::realm::{Health, Realm};
use super::realm_state::{End, RealmState};
use super::stopping;
use super::web::async_context;
use super::web::serve::thrown_error;

/// For how many ends of requests there is room between turns, at most.
const KEPT_ENDS: usize = 4;

/// How many turns share one look at the heap's size.
const TURNS_PER_HEAP_SAMPLE: u32 = 64;

impl Realm {
    /// Runs `body` in the context as a turn of `request`: watched, charged, with its microtasks.
    pub(crate) fn turn(
        &mut self,
        isolate: &mut v8::Isolate,
        request: RequestId,
        body: impl FnOnce(&mut v8::PinScope<'_, '_>, &RealmState),
    ) {
        self.turn_from(CpuMark::now(), isolate, request, body);
    }

    /// The same for a turn that begins now, at a time that is known.
    pub(super) fn turn_from(
        &mut self,
        begin: CpuMark,
        isolate: &mut v8::Isolate,
        request: RequestId,
        body: impl FnOnce(&mut v8::PinScope<'_, '_>, &RealmState),
    ) {
        if let Some(budget) = self.budget(request, begin) {
            self.watched_turn(isolate, request, budget, body);
        }
    }

    /// Runs a turn of `request` on a budget; the processor time that it used.
    pub(super) fn watched_turn(
        &mut self,
        isolate: &mut v8::Isolate,
        request: RequestId,
        budget: TurnBudget,
        body: impl FnOnce(&mut v8::PinScope<'_, '_>, &RealmState),
    ) -> Duration {
        self.state.enter(isolate, request);
        let watch = Watch::begin(
            &self.state.guards.external,
            &self.state.guards.bystanders,
            budget,
        );
        // Only now: whoever stops the turn sees it armed, or has said so before.
        if let Some(why) = self.stopped(request) {
            let _ = watch.end();
            RealmState::leave(isolate);
            self.not_begun(isolate, request, why);
            return Duration::ZERO;
        }
        {
            v8::scope!(let scope, isolate);
            let context = v8::Local::new(scope, &self.state.context);
            let scope = &mut v8::ContextScope::new(scope, context);
            v8::tc_scope!(let scope, scope);
            async_context::clear(scope);
            body(scope, &self.state);
            if let Some(thrown) = scope.exception()
                && !scope.has_terminated()
            {
                let error = thrown_error(scope, &self.state, thrown);
                self.state
                    .ends
                    .borrow_mut()
                    .push((request, End::Fail(error)));
            }
            // What a terminated guest has queued must not run on, in this turn or in the next: V8
            // empties the queue where a termination meets it.
            exception::keep_terminating(scope.has_terminated(), scope);
            scope.reset();
            self.microtasks.perform_checkpoint(scope);
            exception::keep_terminating(scope.has_terminated(), scope);
            scope.reset();
            report_rejections(scope, &self.microtasks, &self.state);
            // It would keep a context alive that may go before the isolate runs anything again.
            async_context::clear(scope);
        }
        let watched = watch.end();
        RealmState::leave(isolate);
        self.sample_heap(isolate);
        self.after_turn(isolate, request, &watched);
        watched.cpu
    }

    /// Adds processor time to what a request has used.
    pub(super) fn charge(&self, request: RequestId, cpu: Duration) {
        if let Some(active) = self.state.requests.borrow_mut().get_mut(&request) {
            active.cpu.add(cpu);
        }
    }

    /// Whether a request used up its processor time without a turn that said so.
    pub(super) fn is_out_of_cpu(&self, request: RequestId) -> bool {
        let requests = self.state.requests.borrow();
        requests
            .get(&request)
            .is_some_and(|active| active.cpu.is_exceeded())
    }

    /// Why a turn of `request` must not begin, if so.
    fn stopped(&self, request: RequestId) -> Option<Fired> {
        if stopping::is_closed(self.group) {
            return Some(Fired::Closed);
        }
        let requests = self.state.requests.borrow();
        let aborted = requests
            .get(&request)
            .is_some_and(ActiveRequest::is_aborted);
        // Its last turn is what an aborted request still gets.
        (aborted && self.ending.is_none()).then_some(Fired::Aborted)
    }

    /// Ends the request of a turn that was stopped before any of it ran.
    fn not_begun(&mut self, isolate: &mut v8::Isolate, request: RequestId, why: Fired) {
        // The watchdog may have been quicker than the look.
        isolate.cancel_terminate_execution();
        self.end_stopped(isolate, request, why);
    }

    /// Ends a request one of whose turns was stopped; where it still may, the guest learns of it.
    fn end_stopped(&mut self, isolate: &mut v8::Isolate, request: RequestId, why: Fired) {
        let error = why.error(self.owner);
        let last = self.ending.is_some();
        match why {
            Fired::Aborted | Fired::Wall if !last => self.abort(isolate, request, &error),
            _ => self.end_request(request, error),
        }
    }

    /// What a turn of `request` may use; `None` if it has ended.
    fn budget(&self, request: RequestId, begin: CpuMark) -> Option<TurnBudget> {
        let requests = self.state.requests.borrow();
        let active = requests.get(&request)?;
        Some(TurnBudget {
            begin,
            request,
            current: active.responder.unanswered(),
            owner: self.owner,
            group: self.group,
            cpu: active
                .limits
                .cpu
                .map(|limit| limit.saturating_sub(active.cpu.used())),
            wall_until: active.limits.wall.map(|limit| active.began + limit),
        })
    }

    fn after_turn(&mut self, isolate: &mut v8::Isolate, request: RequestId, watched: &Watched) {
        self.charge(request, watched.cpu);
        let condemned = self.state.guards.heap.exceeded() || self.state.panicked.get();
        if watched.fired.is_some() || condemned || isolate.is_execution_terminating() {
            isolate.cancel_terminate_execution();
        }
        self.state.guards.heap.restore(isolate);
        self.state.guards.external.look(isolate);
        if self.state.guards.external.exceeded() {
            isolate.cancel_terminate_execution();
            self.condemn(&Error::limit(LimitKind::Buffer));
            return;
        }
        if self.state.guards.heap.exceeded() {
            self.condemn(&Error::limit(LimitKind::Heap));
            return;
        }
        if self.state.panicked.get() {
            self.condemn(&Error::internal("a native operation panicked"));
            return;
        }
        if let (Some(fired), true) = (watched.fired, watched.answered) {
            // Who waited was told so by the watchdog; nothing is to run here any more.
            self.condemn(&fired.error_of_others(self.owner));
            return;
        }
        if let Some(fired) = watched.fired {
            self.health = Health::Retiring;
            self.state
                .ends
                .borrow_mut()
                .retain(|(ended, _)| *ended != request);
            self.end_stopped(isolate, request, fired);
        }
        self.carry_out_ends(watched.ended);
        self.check_request(isolate, request);
    }

    /// Gives the isolate up; whatever ran on it is told why.
    fn condemn(&mut self, error: &Error) {
        self.health = Health::Condemned;
        self.condemned_by = Some(error.clone());
        self.state.ends.borrow_mut().clear();
        self.fail_all(error);
    }

    fn carry_out_ends(&mut self, now: Instant) {
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

    fn sample_heap(&mut self, isolate: &mut v8::Isolate) {
        if self.turns.is_multiple_of(TURNS_PER_HEAP_SAMPLE) {
            self.state
                .heap_used_bytes
                .set(isolate.get_heap_statistics().used_heap_size());
        }
        self.turns = self.turns.wrapping_add(1);
    }
}

/// Tells the guest of the rejections that the turn's microtasks left without a handler, and of those
/// that got one late; what its listeners leave in turn too.
fn report_rejections(
    scope: &mut v8::PinScope<'_, '_>,
    microtasks: &v8::MicrotaskQueue,
    state: &RealmState,
) {
    loop {
        let (unhandled, late) = (state.unhandled.take(), state.handled_late.take());
        if unhandled.is_empty() && late.is_empty() {
            return;
        }
        for promise in late {
            enter_again(scope, microtasks, |scope| {
                let promise = v8::Local::new(scope, &promise);
                events::handled(scope, state, promise);
            });
        }
        for (promise, reason) in unhandled {
            enter_again(scope, microtasks, |scope| {
                let promise = v8::Local::new(scope, &promise);
                // A listener for another rejection may have handled this one.
                if promise.has_handler() {
                    return;
                }
                let reason = v8::Local::new(scope, &reason);
                state.has_reported.set(true);
                events::rejected(scope, state, promise, reason);
            });
        }
        if scope.is_execution_terminating() {
            return;
        }
    }
}

/// Enters the guest side once more in a turn, with the microtasks that follow; not in a turn that is
/// to end.
fn enter_again(
    scope: &mut v8::PinScope<'_, '_>,
    microtasks: &v8::MicrotaskQueue,
    enter: impl FnOnce(&mut v8::PinScope<'_, '_>),
) {
    if scope.is_execution_terminating() {
        return;
    }
    v8::scope!(let scope, scope);
    v8::tc_scope!(let scope, scope);
    enter(scope);
    exception::keep_terminating(scope.has_terminated(), scope);
    scope.reset();
    microtasks.perform_checkpoint(scope);
    exception::keep_terminating(scope.has_terminated(), scope);
}
