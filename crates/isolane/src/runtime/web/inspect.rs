//! Owns the native side of looking into values without running guest code, which the console and
//! structuredClone need. Runs on the thread that holds the isolate.

/// What a value is by its internal slots, whatever its prototype says. The numbers are shared with
/// `ValueKind` in guest/value_kind.ts.
#[derive(Clone, Copy)]
#[repr(i32)]
enum ValueKind {
    Ordinary = 0,
    Array = 1,
    Function = 2,
    Error = 3,
    Map = 4,
    Set = 5,
    Date = 6,
    RegExp = 7,
    ArrayBuffer = 8,
    SharedArrayBuffer = 9,
    View = 10,
    Boxed = 11,
    Promise = 12,
    WeakMap = 13,
    WeakSet = 14,
    Generator = 15,
    MapIterator = 16,
    SetIterator = 17,
    Proxy = 18,
    ModuleNamespace = 19,
    Arguments = 20,
    Wasm = 21,
    External = 22,
}

/// `host.valueKind(value)`: the [`ValueKind`] of an object.
pub(crate) fn value_kind(
    _scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut rv: v8::ReturnValue<'_>,
) {
    rv.set_int32(kind_of(args.get(0)) as i32);
}

fn kind_of(value: v8::Local<'_, v8::Value>) -> ValueKind {
    // A proxy of a function is a function too, so it comes first.
    if value.is_proxy() {
        return ValueKind::Proxy;
    }
    if value.is_array() {
        return ValueKind::Array;
    }
    if value.is_function() {
        return ValueKind::Function;
    }
    if value.is_native_error() {
        return ValueKind::Error;
    }
    collection_kind(value)
        .or_else(|| buffer_kind(value))
        .or_else(|| rare_kind(value))
        .unwrap_or(ValueKind::Ordinary)
}

fn collection_kind(value: v8::Local<'_, v8::Value>) -> Option<ValueKind> {
    Some(if value.is_map() {
        ValueKind::Map
    } else if value.is_set() {
        ValueKind::Set
    } else if value.is_weak_map() {
        ValueKind::WeakMap
    } else if value.is_weak_set() {
        ValueKind::WeakSet
    } else if value.is_map_iterator() {
        ValueKind::MapIterator
    } else if value.is_set_iterator() {
        ValueKind::SetIterator
    } else {
        return None;
    })
}

fn buffer_kind(value: v8::Local<'_, v8::Value>) -> Option<ValueKind> {
    Some(if value.is_array_buffer_view() {
        ValueKind::View
    } else if value.is_array_buffer() {
        ValueKind::ArrayBuffer
    } else if value.is_shared_array_buffer() {
        ValueKind::SharedArrayBuffer
    } else {
        return None;
    })
}

fn rare_kind(value: v8::Local<'_, v8::Value>) -> Option<ValueKind> {
    Some(if value.is_date() {
        ValueKind::Date
    } else if value.is_reg_exp() {
        ValueKind::RegExp
    } else if value.is_promise() {
        ValueKind::Promise
    } else if value.is_number_object()
        || value.is_string_object()
        || value.is_boolean_object()
        || value.is_big_int_object()
        || value.is_symbol_object()
    {
        ValueKind::Boxed
    } else if value.is_generator_object() {
        ValueKind::Generator
    } else if value.is_arguments_object() {
        ValueKind::Arguments
    } else if value.is_module_namespace_object() {
        ValueKind::ModuleNamespace
    } else if value.is_wasm_module_object() || value.is_wasm_memory_object() {
        ValueKind::Wasm
    } else if value.is_external() {
        ValueKind::External
    } else {
        return None;
    })
}

/// `host.valueDetails(value)`: what the internal slots of an object hold, without side effects.
///
/// A proxy gives `[target, handler]` (nulls when revoked), a promise `[state, result]` with 0 pending,
/// 1 fulfilled and 2 rejected, a collection or an iterator of one `[isKeyValue, entries]`. All else
/// gives undefined.
pub(crate) fn value_details(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut rv: v8::ReturnValue<'_>,
) {
    let value = args.get(0);
    let pair: [v8::Local<'_, v8::Value>; 2] = if let Ok(proxy) = value.try_cast::<v8::Proxy>() {
        [proxy.get_target(scope), proxy.get_handler(scope)]
    } else if let Ok(promise) = value.try_cast::<v8::Promise>() {
        let state = promise.state();
        let result = match state {
            v8::PromiseState::Pending => v8::undefined(scope).into(),
            _ => promise.result(scope),
        };
        [v8::Integer::new(scope, state as i32).into(), result]
    } else if collection_kind(value).is_some() {
        let Ok(object) = value.try_cast::<v8::Object>() else {
            return;
        };
        let (Some(entries), is_key_value) = object.preview_entries(scope) else {
            return;
        };
        [v8::Boolean::new(scope, is_key_value).into(), entries.into()]
    } else {
        return;
    };
    rv.set(v8::Array::new_with_elements(scope, &pair).into());
}
