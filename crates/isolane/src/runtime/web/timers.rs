//! Timers: each is one message to the scheduler; its answer fires the guest's callback.

use std::time::Duration;

use isolane_scheduler::SchedulerMessage;

use crate::runtime::answers::ask;
use crate::runtime::realm_state::{OperationKind, RealmState};

use super::throw::throw_dom_exception;

/// `host.timerStart(delayMs)`: the callback id of a timer that fires once.
pub(crate) fn timer_start(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    mut value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    if !realm.may_set_timer() {
        throw_dom_exception(scope, "QuotaExceededError", "There are too many timers");
        return;
    }
    let delay_ms = args
        .get(0)
        .number_value(scope)
        .unwrap_or(0.0)
        .clamp(0.0, 2_147_483_647.0);
    let delay = Duration::from_secs_f64(delay_ms / 1e3);
    let id = ask(realm, OperationKind::Timer, |request, id| {
        SchedulerMessage::Timer { request, id, delay }
    });
    value.set_double(id as f64);
}

/// `host.timerCancel(id)`.
pub(crate) fn timer_cancel(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    _value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let id = id_of(scope, args.get(0));
    if realm.end(id).is_some() {
        realm.scheduler.send(SchedulerMessage::CancelTimer { id });
    }
}

/// The id in a guest's number; 0, which names nothing, for anything else.
pub(super) fn id_of(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<v8::Value>) -> u64 {
    let number = value.number_value(scope).unwrap_or(0.0);
    if number.is_finite() && number > 0.0 {
        number as u64
    } else {
        0
    }
}
