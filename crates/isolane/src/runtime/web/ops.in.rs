// The native operations behind the guest side of the web APIs, by the name that guests' families
// call them. The build script reads the names, the library the functions; the order is the order
// of V8's external references in the startup snapshot.
ops! {
    // callbacks, timers, console, performance
    "timerStart" => timers::timer_start,
    "timerCancel" => timers::timer_cancel,
    "log" => reporting::log,
    "now" => clock::now,
    "timeOrigin" => clock::time_origin,
    "reportException" => reporting::report_exception,
    "reportRejection" => reporting::report_rejection,
    "describeException" => reporting::describe_exception,
    "asyncContext" => async_context::current,
    "setAsyncContext" => async_context::set,
    "valueKind" => inspect::value_kind,
    "valueDetails" => inspect::value_details,
    // url, encoding, crypto
    "urlParse" => url::parse,
    "urlCanParse" => url::can_parse,
    "urlSet" => url::set,
    "urlPatternParse" => url_pattern::parse,
    "urlPatternInput" => url_pattern::input,
    "textEncode" => encoding::encode,
    "textEncodeInto" => encoding::encode_into,
    "textEncoding" => encoding::for_label,
    "textDecode" => encoding::decode,
    "textDecodeChunk" => encoding::decode_chunk,
    "base64Decode" => encoding::atob,
    "base64Encode" => encoding::btoa,
    "randomFill" => crypto::random_fill,
    "randomUUID" => crypto::random_uuid,
    "digest" => crypto::digest,
    // array_buffer, web_assembly
    "bufferLimit" => wasm::buffer_limit,
    "wasmAdmit" => wasm::admit,
    "nativeWebAssembly" => wasm::native_namespace,
    // fetch and streams
    "fetchStart" => fetch::fetch_start,
    "fetchCancel" => fetch::fetch_cancel,
    "streamRead" => streams::stream_read,
    "streamCancel" => streams::stream_cancel,
    "streamOpen" => streams::stream_open,
    "streamWrite" => streams::stream_write,
    "streamClose" => streams::stream_close,
    "streamFail" => streams::stream_fail,
    // caches
    "cacheCall" => cache::call,
    // serve
    "respond" => serve::respond,
    "fail" => serve::fail,
    "finish" => serve::finish,
    "evaluated" => serve::evaluated,
    "hostCall" => serve::host_call,
}
