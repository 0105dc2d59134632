//! The native side of `caches`: each operation is a call of the definition's store, which runs on the
//! scheduler's threads. The answer waits in a slot of its own, so that its bodies are not copied
//! before the turn that takes them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use isolane_scheduler::SchedulerMessage;
use parking_lot::Mutex;

use crate::cache::{CacheAnswer, CacheCall, CacheEntry, CacheOperation, CacheQuery};
use crate::runtime::answers::ask;
use crate::runtime::realm_state::{OperationKind, RealmState};
use crate::runtime::values;

use super::held::{self, Held};
use super::serve::{length_of, pairs_of};
use super::throw::throw_type_error;

const IGNORE_SEARCH: u32 = 1;
const IGNORE_VARY: u32 = 2;
/// The longest URL, name or reason phrase: each is copied for as long as an operation waits.
const MAX_TEXT: u64 = 64 << 10;

/// Where the answer of one operation will be.
#[derive(Clone, Default)]
pub(crate) struct CacheSlot(Arc<Mutex<Option<CacheAnswer>>>);

impl CacheSlot {
    pub(crate) fn take(&self) -> Option<CacheAnswer> {
        self.0.lock().take()
    }
}

/// `host.cacheCall(kind, name, url, headersFlat, flags, responses)`: the callback id of the answer.
/// The kinds are those of `guest/caches.ts`.
pub(crate) fn call<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    args: v8::FunctionCallbackArguments<'s>,
    mut value: v8::ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    if !realm.may_call_host() {
        throw_type_error(scope, "Too many operations of caches at a time");
        return;
    }
    // Where there is none, the guest has been thrown why.
    let Some(operation) = operation(scope, realm, &args) else {
        return;
    };
    let slot = CacheSlot::default();
    let filled = slot.clone();
    let worker_id = realm.worker.id.clone();
    let store = realm.worker.cache_store.clone();
    let is_light = store.is_light();
    let call = async move {
        let answer = store
            .run(CacheCall {
                worker_id,
                operation,
            })
            .await?;
        *filled.0.lock() = Some(answer);
        Ok(Bytes::new())
    };
    let id = ask(realm, OperationKind::Cache, |request, id| {
        let call = call.boxed();
        SchedulerMessage::HostCall {
            request,
            id,
            call,
            is_light,
        }
    });
    realm.cache_answers.borrow_mut().insert(id, slot);
    value.set_double(id as f64);
}

fn operation<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    args: &v8::FunctionCallbackArguments<'s>,
) -> Option<CacheOperation> {
    let kind = args.get(0).uint32_value(scope).unwrap_or(u32::MAX);
    let is_long = |at| length_of(args.get(at)) > MAX_TEXT;
    if is_long(1) || is_long(2) {
        throw_type_error(scope, "The URL or the cache's name is too long");
        return None;
    }
    let cache = text(scope, args.get(1));
    let name = cache.clone().unwrap_or_default();
    Some(match kind {
        0 => CacheOperation::Open(name),
        1 => CacheOperation::Has(name),
        2 => CacheOperation::Drop(name),
        3 => CacheOperation::Names,
        4 | 5 => CacheOperation::Match {
            cache,
            query: query(scope, args)?,
            first: kind == 4,
        },
        6 => CacheOperation::Put {
            cache: name,
            entries: entries(scope, realm, args.get(5))?,
        },
        _ => {
            let query = query(scope, args)?.unwrap_or(CacheQuery {
                url: String::new(),
                headers: Vec::new(),
                ignore_search: false,
                ignore_vary: false,
            });
            CacheOperation::Delete { cache: name, query }
        }
    })
}

/// What is looked for: `Some(None)` where it is everything, `None` where the headers are too long.
fn query<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    args: &v8::FunctionCallbackArguments<'s>,
) -> Option<Option<CacheQuery>> {
    let Some(url) = text(scope, args.get(2)) else {
        return Some(None);
    };
    let headers = headers(scope, args.get(3))?;
    let flags = args.get(4).uint32_value(scope).unwrap_or(0);
    Some(Some(CacheQuery {
        url,
        headers,
        ignore_search: flags & IGNORE_SEARCH != 0,
        ignore_vary: flags & IGNORE_VARY != 0,
    }))
}

/// The entries of a put, each a list: the request's URL and headers, the response's status, reason
/// phrase, URL, headers and body.
fn entries<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    list: v8::Local<'s, v8::Value>,
) -> Option<Vec<CacheEntry>> {
    let list = v8::Local::<v8::Array>::try_from(list).ok()?;
    let mut entries = Vec::new();
    for index in 0..list.length() {
        let parts = list.get_index(scope, index)?;
        let parts = v8::Local::<v8::Array>::try_from(parts).ok()?;
        let part = |scope: &mut v8::PinScope<'s, '_>, at| parts.get_index(scope, at);
        let (url, request_headers) = (part(scope, 0)?, part(scope, 1)?);
        let (status, status_text) = (part(scope, 2)?, part(scope, 3)?);
        let (response_url, response_headers) = (part(scope, 4)?, part(scope, 5)?);
        let body = part(scope, 6)?;
        if [url, status_text, response_url]
            .into_iter()
            .any(|text| length_of(text) > MAX_TEXT)
        {
            throw_type_error(scope, "The response's URL or reason phrase is too long");
            return None;
        }
        let status = status.uint32_value(scope).unwrap_or(200);
        let body = match held::held(scope, realm, body) {
            Held::Bytes(bytes) => Some(bytes),
            Held::Nothing => None,
            Held::Refused => return None,
        };
        entries.push(CacheEntry {
            url: text(scope, url)?,
            request_headers: headers(scope, request_headers)?,
            status: u16::try_from(status).unwrap_or(200),
            status_text: text(scope, status_text)?,
            response_url: text(scope, response_url)?,
            headers: headers(scope, response_headers)?,
            body,
        });
    }
    Some(entries)
}

fn headers<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    list: v8::Local<'s, v8::Value>,
) -> Option<Vec<(String, String)>> {
    let pairs = pairs_of(scope, list);
    if pairs.is_none() {
        throw_type_error(scope, "The headers are too long");
    }
    pairs
}

fn text(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<v8::Value>) -> Option<String> {
    value.is_string().then(|| value.to_rust_string_lossy(scope))
}

/// The guest's value of an answer: a boolean, names, or the entries as [`entries`] reads them. `None`
/// where it has no room, which has been thrown.
pub(crate) fn answer_value<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    answer: CacheAnswer,
) -> Option<v8::Local<'s, v8::Value>> {
    let values: Vec<v8::Local<v8::Value>> = match answer {
        CacheAnswer::Done(done) => return Some(v8::Boolean::new(scope, done).into()),
        CacheAnswer::Names(names) => {
            let names = names.iter().map(|name| values::string(scope, name));
            names.collect()
        }
        CacheAnswer::Entries(entries) => {
            let entries = entries.iter().map(|entry| entry_value(scope, realm, entry));
            entries.collect::<Option<_>>()?
        }
    };
    Some(v8::Array::new_with_elements(scope, &values).into())
}

fn entry_value<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    entry: &CacheEntry,
) -> Option<v8::Local<'s, v8::Value>> {
    let body = match &entry.body {
        Some(body) => values::bytes_value(scope, realm, body)?,
        None => v8::null(scope).into(),
    };
    let values = [
        values::string(scope, &entry.url),
        values::flat(scope, &entry.request_headers),
        v8::Integer::new(scope, entry.status.into()).into(),
        values::string(scope, &entry.status_text),
        values::string(scope, &entry.response_url),
        values::flat(scope, &entry.headers),
        body,
    ];
    Some(v8::Array::new_with_elements(scope, &values).into())
}
