//! Owns V8's structured clone wire format: values that cross between a guest and its host. Runs on
//! the thread that holds the isolate.
//!
//! V8's serializer grows its buffer outside of the guest's heap and without a bound (one long string
//! listed a thousand times becomes gigabytes). So it never sees what a guest hands over, but a copy
//! made by the guest side's structuredClone, which counts bytes, calls all getters on the way, and
//! leaves plain data behind.

use v8::{ValueDeserializerHelper as _, ValueSerializerHelper as _};

use super::{short_clone, throw};

/// The most bytes that a value may have when it crosses to the host.
pub(crate) const MAX_SERIALIZED_BYTES: usize = 64 << 20;

/// Serializes a value of the guest for the host.
///
/// `None` means that an exception is pending: a `DataCloneError` for what cannot be cloned or is
/// above [`MAX_SERIALIZED_BYTES`], or what a getter of the guest threw.
pub(crate) fn serialize(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Option<Vec<u8>> {
    let value = plain_copy(scope, value)?;
    let context = scope.get_current_context();
    let serializer = v8::ValueSerializer::new(scope, Box::new(Refusals));
    serializer.write_header();
    match serializer.write_value(context, value) {
        Some(true) => Some(serializer.release()),
        _ => {
            // Hands the buffer over even so: the serializer does not free it with its right size.
            drop(serializer.release());
            None
        }
    }
}

/// Makes a guest's value of what a host serialized.
///
/// `None` means that an exception is pending; bytes that are no serialized value are a `DataCloneError`.
pub(crate) fn deserialize<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    bytes: &[u8],
) -> Option<v8::Local<'s, v8::Value>> {
    if let Some(value) = short_clone::read(scope, bytes) {
        return Some(value);
    }
    v8::tc_scope!(let scope, scope);
    let context = scope.get_current_context();
    let deserializer = v8::ValueDeserializer::new(scope, Box::new(Refusals), bytes);
    let value = match deserializer.read_header(context) {
        Some(true) => deserializer.read_value(context),
        _ => None,
    };
    if value.is_none() && !scope.has_terminated() {
        // V8's own errors speak of its wire format, which is not the guest's concern.
        scope.reset();
        throw::throw_dom_exception(scope, "DataCloneError", "The value could not be read.");
        scope.rethrow();
    }
    value
}

/// A copy of `value` that holds no getters, proxies or platform objects, and is small enough.
fn plain_copy<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Option<v8::Local<'s, v8::Value>> {
    let value = v8::Local::new(scope, value);
    if !value.is_object() && !value.is_string() {
        return Some(value);
    }
    let Some(clone) = throw::resolve_global(scope, "structuredClone")? else {
        throw::throw_type_error(scope, "The value could not be cloned.");
        return None;
    };
    let undefined: v8::Local<'_, v8::Value> = v8::undefined(scope).into();
    let limit = v8::Number::new(scope, MAX_SERIALIZED_BYTES as f64).into();
    clone.call(scope, undefined, &[value, undefined, limit])
}

/// Refuses what has no meaning outside of the isolate.
struct Refusals;

impl v8::ValueSerializerImpl for Refusals {
    fn throw_data_clone_error<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        message: v8::Local<'s, v8::String>,
    ) {
        let message = message.to_rust_string_lossy(scope);
        throw::throw_dom_exception(scope, "DataCloneError", &message);
    }

    fn get_shared_array_buffer_id<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        _shared_array_buffer: v8::Local<'s, v8::SharedArrayBuffer>,
    ) -> Option<u32> {
        let message = "A SharedArrayBuffer could not be cloned.";
        throw::throw_dom_exception(scope, "DataCloneError", message);
        None
    }

    fn get_wasm_module_transfer_id(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        _module: v8::Local<'_, v8::WasmModuleObject>,
    ) -> Option<u32> {
        let message = "A WebAssembly.Module could not be cloned.";
        throw::throw_dom_exception(scope, "DataCloneError", message);
        None
    }
}

impl v8::ValueDeserializerImpl for Refusals {}
