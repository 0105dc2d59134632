//! Native half of the compression streams (WHATWG Compression Streams, with brotli beside its formats).
//! A coder belongs to the request that first gave it data, counts as that guest's memory, and goes with
//! the request. Called on whichever thread holds the isolate.

use isolane_scheduler::{RequestId, next_id};
use v8::{FunctionCallbackArguments, PinScope, ReturnValue};

use crate::compression::{Codec, Format};
use crate::limits::buffer::Charge;
use crate::runtime::realm_state::RealmState;
use crate::runtime::values;

use super::buffer_source::with_bytes;
use super::computing::charge;
use super::throw::throw_type_error;
use super::timers::id_of;

/// A coder of a request's.
pub(crate) struct OpenCodec {
    pub(crate) request: RequestId,
    codec: Codec,
    /// Counts the coder's memory for as long as it is there.
    _charge: Charge,
}

/// `codecOpen(format, compresses)`: the id of a new coder.
pub(crate) fn open<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let number = args.get(0).uint32_value(scope).unwrap_or(u32::MAX);
    let Some(format) = Format::from_number(number) else {
        throw_type_error(scope, "There is no such format");
        return;
    };
    let compresses = args.get(1).is_true();
    let Some(charge) = charge(scope, realm, Codec::state_bytes(format, compresses)) else {
        return;
    };
    let id = next_id();
    realm.codecs.borrow_mut().insert(
        id,
        OpenCodec {
            request: realm.current.get(),
            codec: Codec::new(format, compresses),
            _charge: charge,
        },
    );
    rv.set_double(id as f64);
}

/// `codecStep(id, chunk, from)`: works on a part of the chunk's bytes from an offset on; without a chunk, on
/// what is left at the end.
///
/// Answers how many bytes it took and, where it made some, a Uint8Array behind that: a list of one or two.
pub(crate) fn step<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let id = id_of(scope, args.get(0));
    let from = args.get(2).number_value(scope).unwrap_or(0.0) as usize;
    let stepped = {
        let mut codecs = realm.codecs.borrow_mut();
        let Some(open) = codecs.get_mut(&id) else {
            drop(codecs);
            throw_type_error(scope, "The stream's request has ended");
            return;
        };
        let chunk = with_bytes(args.get(1), |bytes| {
            open.codec.step(bytes.get(from..).unwrap_or_default())
        });
        chunk.unwrap_or_else(|| {
            let output = open.codec.finish()?;
            Ok(crate::compression::Step { taken: 0, output })
        })
    };
    match stepped {
        Ok(step) => {
            let taken = values::number(scope, step.taken as u64);
            let mut parts = vec![taken];
            if !step.output.is_empty() {
                let Some(output) = values::bytes_value(scope, realm, &step.output) else {
                    return;
                };
                parts.push(output);
            }
            rv.set(v8::Array::new_with_elements(scope, &parts).into());
        }
        Err(_) => {
            realm.codecs.borrow_mut().remove(&id);
            throw_type_error(scope, "The compressed data is not valid");
        }
    }
}

/// `codecClose(id)`.
pub(crate) fn close<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    _rv: ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let id = id_of(scope, args.get(0));
    realm.codecs.borrow_mut().remove(&id);
}
