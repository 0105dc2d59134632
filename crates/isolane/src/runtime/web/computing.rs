//! Carries out cryptographic tasks: short ones in the call, long ones on the scheduler's threads, where
//! they are charged to their request and stop when it ends or has used up its processor time.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use isolane_scheduler::{CallbackId, ComputeOutput, SchedulerMessage, StopFlag};

use crate::crypto::{Control, Fault, Key, Kind, Output, Task};
use crate::limits::buffer::{self, Charge};
use crate::limits::cpu_meter::CpuMeter;
use crate::limits::thread_clock::thread_cpu_time;
use crate::runtime::answers::ask;
use crate::runtime::realm_state::{OperationKind, RealmState};
use crate::runtime::{events, exception, values};
use crate::thread_priority;

use super::throw::{dom_exception, throw_dom_exception, throw_range_error};

/// What a long task made.
pub(crate) struct Computed {
    result: Result<Output, Fault>,
    /// What the task took of the guest's budget.
    charges: Vec<Charge>,
}

/// Does a task, or has it done: the value is the result, or the callback id of an answer to come.
pub(super) fn start(
    scope: &mut v8::PinScope<'_, '_>,
    realm: &RealmState,
    task: Task,
    charges: Vec<Charge>,
    mut value: v8::ReturnValue,
) {
    if task.is_long() {
        if let Some(id) = start_long(scope, realm, task, charges) {
            value.set_double(id as f64);
        }
        return;
    }
    let result = task.run(&Control::new(&|| true));
    drop(charges);
    match result {
        Ok(output) => {
            if let Some(output) = value_of(scope, realm, output) {
                value.set(output);
            }
        }
        Err(fault) => throw_dom_exception(scope, fault.name, &fault.message),
    }
}

fn start_long(
    scope: &mut v8::PinScope<'_, '_>,
    realm: &RealmState,
    task: Task,
    mut charges: Vec<Charge>,
) -> Option<CallbackId> {
    if !realm.may_compute() {
        throw_dom_exception(
            scope,
            "OperationError",
            "Too many cryptographic operations at a time",
        );
        return None;
    }
    let output_bytes = task.held_bytes() - task.input_bytes();
    charges.push(charge(scope, realm, output_bytes)?);
    let meter = {
        let requests = realm.requests.borrow();
        requests.get(&realm.current.get())?.cpu.clone()
    };
    let job = Box::new(move |stop: &StopFlag| -> ComputeOutput {
        // As the guest's own long turns do.
        thread_priority::lower();
        let result = run_metered(task, stop, &meter);
        Box::new(Computed { result, charges })
    });
    Some(ask(realm, OperationKind::Compute, |request, id| {
        SchedulerMessage::Compute { request, id, job }
    }))
}

/// Takes a part of the guest's budget; where there is no room, the guest has been thrown a RangeError.
pub(super) fn charge(
    scope: &mut v8::PinScope<'_, '_>,
    realm: &RealmState,
    bytes: usize,
) -> Option<Charge> {
    let budget = &realm.guards.buffers;
    budget.make_room(scope, bytes);
    let charge = budget.charge(bytes);
    if charge.is_none() {
        throw_range_error(scope, "Array buffer allocation failed");
    }
    charge
}

fn run_metered(task: Task, stop: &StopFlag, meter: &Arc<CpuMeter>) -> Result<Output, Fault> {
    let noted = Cell::new(thread_cpu_time());
    let note = || {
        let now = thread_cpu_time();
        meter.add(now.saturating_sub(noted.replace(now)));
    };
    let goes_on = || {
        note();
        !stop.is_raised() && !meter.is_exceeded()
    };
    let result = if goes_on() {
        task.run(&Control::new(&goes_on))
    } else {
        Err(Fault::stopped())
    };
    note();
    result
}

/// Settles the guest's promise with what a long task made.
pub(crate) fn settle(
    scope: &mut v8::PinScope<'_, '_>,
    realm: &RealmState,
    id: CallbackId,
    computed: Computed,
) {
    // The result is the guest's own from here on, and counted as such.
    drop(computed.charges);
    let output = match computed.result {
        Ok(output @ (Output::Key(_) | Output::Pair { .. })) => {
            // A promise shows what it is resolved with: the guest side takes keys by itself.
            let request = realm.current.get();
            realm.made_keys.borrow_mut().insert(id, (request, output));
            Ok(v8::undefined(scope).into())
        }
        Ok(output) => value_or_fault(scope, realm, output),
        Err(fault) => Err(fault),
    };
    match output {
        Ok(value) => events::fulfill(scope, realm, id, value),
        Err(fault) => {
            if let Some(error) = dom_exception(scope, fault.name, &fault.message) {
                events::reject_with(scope, realm, id, error);
            }
        }
    }
}

fn value_or_fault<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    output: Output,
) -> Result<v8::Local<'s, v8::Value>, Fault> {
    v8::tc_scope!(let scope, scope);
    let value = value_of(scope, realm, output);
    exception::keep_terminating(scope.has_terminated(), scope);
    value.ok_or_else(|| Fault::operation("There is no memory for the result"))
}

/// A result as the guest side's value; `None` where there is no memory for it, which was thrown.
pub(super) fn value_of<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    output: Output,
) -> Option<v8::Local<'s, v8::Value>> {
    match output {
        Output::Bytes(bytes) => {
            let buffer = buffer::array_buffer(scope, &realm.guards.buffers, &bytes);
            if buffer.is_none() {
                throw_range_error(scope, "Array buffer allocation failed");
            }
            Some(buffer?.into())
        }
        Output::Truth(truth) => Some(v8::Boolean::new(scope, truth).into()),
        Output::Key(key) => key_value(scope, realm, &key),
        Output::Pair { public, private } => {
            let public = key_value(scope, realm, &public)?;
            let private = key_value(scope, realm, &private)?;
            Some(record(
                scope,
                &[("publicKey", public), ("privateKey", private)],
            ))
        }
    }
}

/// The guest side's `HostKey`.
fn key_value<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    key: &Key,
) -> Option<v8::Local<'s, v8::Value>> {
    let budget = &realm.guards.buffers;
    let Some(material) = buffer::secret_buffer(scope, budget, &key.to_bytes()) else {
        throw_range_error(scope, "Array buffer allocation failed");
        return None;
    };
    let kind = v8::Integer::new(scope, key.kind as i32).into();
    let length = v8::Integer::new_from_unsigned(scope, key.length_bits).into();
    let mut members = vec![
        ("material", material.into()),
        ("kind", kind),
        ("length", length),
    ];
    let exponent = match key.kind {
        Kind::Secret => Vec::new(),
        Kind::Public | Kind::Private => key.public_exponent(),
    };
    if !exponent.is_empty() {
        let exponent = values::bytes_value(scope, realm, &exponent)?;
        members.push(("publicExponent", exponent));
    }
    Some(record(scope, &members))
}

/// An object without a prototype. A promise that is resolved with one runs no code of the guest's, which
/// could otherwise see it by a `then` on the prototype of all objects.
fn record<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    members: &[(&str, v8::Local<'s, v8::Value>)],
) -> v8::Local<'s, v8::Value> {
    let names: Vec<v8::Local<v8::Name>> = members
        .iter()
        .map(|(name, _)| {
            let name: Cow<'_, str> = (*name).into();
            let name = v8::String::new(scope, &name);
            name.unwrap_or_else(|| v8::String::empty(scope)).into()
        })
        .collect();
    let values: Vec<_> = members.iter().map(|(_, value)| *value).collect();
    let prototype = v8::null(scope).into();
    v8::Object::with_prototype_and_properties(scope, prototype, &names, &values).into()
}
