//! Subrequests: the guest side has made a request of plain values; here it goes to the scheduler.

use isolane_scheduler::{Body, FetchRequest, RedirectMode};

use crate::runtime::realm_state::{OperationKind, RealmState};

use super::held::{Held, held};
use super::serve::pairs_of;
use super::throw::throw_type_error;
use super::timers::id_of;

/// `host.fetchStart(method, url, headersFlat, body, redirect)`: the callback id of the response.
pub(crate) fn fetch_start(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    mut value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let body = args.get(3);
    if let Err(why) = may_start(realm) {
        throw_type_error(scope, why);
        return;
    }
    let Some(headers) = pairs_of(scope, args.get(2)) else {
        throw_type_error(scope, "The request's headers are too long");
        return;
    };
    let method = args.get(0).to_rust_string_lossy(scope);
    let url = args.get(1).to_rust_string_lossy(scope);
    let body = if body.is_number() {
        let stream = id_of(scope, body);
        realm
            .outgoing
            .borrow_mut()
            .remove(&stream)
            .map_or(Body::Empty, Body::Stream)
    } else {
        match held(scope, realm, body) {
            Held::Nothing => Body::Empty,
            Held::Bytes(bytes) => Body::Bytes(bytes),
            Held::Refused => return,
        }
    };
    let redirect = match args.get(4).to_rust_string_lossy(scope).as_str() {
        "error" => RedirectMode::Error,
        "manual" => RedirectMode::Manual,
        _ => RedirectMode::Follow,
    };
    let id = realm.begin(OperationKind::Fetch);
    realm.start_fetch(
        id,
        FetchRequest {
            method,
            url,
            headers,
            body,
            redirect,
        },
    );
    value.set_double(id as f64);
}

/// Whether the current request may send one more fetch.
fn may_start(realm: &RealmState) -> Result<(), &'static str> {
    let requests = realm.requests.borrow();
    let active = requests.get(&realm.current.get());
    let active = active.ok_or("The request has ended")?;
    let limit = active.limits.subrequests;
    if limit.is_some_and(|limit| active.subrequests >= limit) {
        return Err("Too many subrequests");
    }
    Ok(())
}

/// `host.fetchCancel(id)`.
pub(crate) fn fetch_cancel(
    scope: &mut v8::PinScope,
    args: v8::FunctionCallbackArguments,
    _value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let id = id_of(scope, args.get(0));
    realm.cancel_fetch(id);
}
