//! A turn: one event or answer and the microtasks it caused, watched, charged to one request, and
//! followed by what it said about requests. Runs on the thread that has the isolate entered.

use std::time::Duration;

use isolane_scheduler::RequestId;

use crate::error::Error;
use crate::limits::LimitKind;
use crate::limits::thread_clock::CpuMark;
use crate::limits::watchdog::{Fired, TurnBudget, Watch, Watched};

use super::active_request::ActiveRequest;
use super::events;
use super::exception;
use super::realm::{Health, Realm};
use super::realm_state::{End, RealmState};
use super::stopping;
use super::web::async_context;
use super::web::serve::thrown_error;

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

/// Runs what microtasks wait in the current context, in the middle of a turn.
pub(super) fn run_microtasks(scope: &mut v8::PinScope<'_, '_>) {
    let context = scope.get_current_context();
    if let Some(microtasks) = context.get_microtask_queue() {
        enter_again(scope, microtasks, |_| {});
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
