//! Access to the bytes of a guest's buffers from native operations.
//!
//! Owns nothing; called on whichever thread holds the isolate, between two steps of guest code. Detached,
//! resized and out-of-bounds views read as empty, as ECMA-262 and WebIDL's "get a copy of the bytes" want.

/// Runs `read` on the bytes of an `ArrayBuffer`, a `SharedArrayBuffer` or a view of either.
///
/// `None` means that `value` is none of these. `read` may allocate on V8's heap but must not run guest code.
pub(super) fn with_bytes<R>(
    value: v8::Local<v8::Value>,
    read: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    if let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(value)
        && !view.has_buffer()
    {
        let mut storage = [0; v8::TYPED_ARRAY_MAX_SIZE_IN_HEAP];
        return Some(read(view.get_contents(&mut storage)));
    }
    let (data, length) = raw_parts(value)?;
    if length == 0 {
        return Some(read(&[]));
    }
    // SAFETY: `raw_parts` gives the live extent of a backing store that `value`, held by a handle of the
    // caller's scope, keeps alive; a store never moves. Guest code could detach or shrink it, and `read` runs
    // none. Nothing writes meanwhile: the isolate is used by this thread only, also for shared buffers,
    // because no shared buffer ever leaves its isolate.
    Some(read(unsafe { std::slice::from_raw_parts(data, length) }))
}

/// Runs `write` on the bytes of a view or buffer, to fill them; see [`with_bytes`] for what `write` may do.
pub(super) fn with_bytes_mut<R>(
    value: v8::Local<v8::Value>,
    write: impl FnOnce(&mut [u8]) -> R,
) -> Option<R> {
    let (data, length) = raw_parts(value)?;
    if length == 0 {
        return Some(write(&mut []));
    }
    // SAFETY: as in `with_bytes`; and this is the only slice over the store, because callers take one at a time.
    Some(write(unsafe {
        std::slice::from_raw_parts_mut(data, length)
    }))
}

/// The current address and length of a buffer source; moves a small array's bytes off V8's heap where needed.
fn raw_parts(value: v8::Local<v8::Value>) -> Option<(*mut u8, usize)> {
    if let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(value) {
        let length = view.byte_length();
        if length == 0 {
            return Some((std::ptr::null_mut(), 0));
        }
        return Some((view.data().cast(), length));
    }
    if let Ok(buffer) = v8::Local::<v8::ArrayBuffer>::try_from(value) {
        return Some(extent(buffer.data(), buffer.byte_length()));
    }
    if let Ok(buffer) = v8::Local::<v8::SharedArrayBuffer>::try_from(value) {
        return Some(extent(
            buffer.get_backing_store().data(),
            buffer.byte_length(),
        ));
    }
    None
}

fn extent(data: Option<std::ptr::NonNull<std::ffi::c_void>>, length: usize) -> (*mut u8, usize) {
    match data {
        Some(data) => (data.as_ptr().cast(), length),
        None => (std::ptr::null_mut(), 0),
    }
}
