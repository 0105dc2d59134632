//! Scenarios of tenants that try to reach each other: through globals, shared isolates, late callbacks,
//! memory that was used before.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_executor::block_on;
use isolane::{
    IsolatePool, Limits, LogSink, PoolOptions, Request, RunOptions, SharedIsolateHandle,
    SharedIsolateOptions, Worker, WorkerDefinition, WorkerOptions,
};
use serde_json::json;

use crate::tenant::{Host, Mode, handler, text};

fn limits() -> Limits {
    Limits {
        cpu: Some(Duration::from_secs(10)),
        wall: Some(Duration::from_secs(60)),
        ..Limits::default()
    }
}

fn generous(body: &str) -> WorkerDefinition {
    let mut worker = handler(body);
    worker.limits = Some(limits());
    worker
}

fn shared_isolate() -> SharedIsolateHandle {
    let options = SharedIsolateOptions { limits: limits() };
    SharedIsolateHandle::new(options).expect("a shared isolate")
}

const POLLUTE: &str = "globalThis.leak = 'A'; Object.prototype.polluted = 1; Array.prototype.map = () => 'evil'; JSON.stringify = () => 'evil'; \
    Promise.prototype.then = function () { throw 1 }; Response.prototype.leak = 1; Symbol.for('leak').leak = 1; console.log = () => { throw 2 }; \
    Object.defineProperty(Object.prototype, 'status', { get() { return 666 }, configurable: true }); globalThis.fetch = globalThis.Response = globalThis.Request = null; return null";

const LOOK: &str = "const found = []; if (typeof leak !== 'undefined') found.push('leak'); if ({}.polluted) found.push('polluted'); if ([1].map((x) => x)[0] !== 1) found.push('map'); \
    if (JSON.stringify(1) !== '1') found.push('stringify'); await Promise.resolve(); if (Response.prototype.leak) found.push('Response'); if ({}.status) found.push('status'); console.log('x'); \
    return new Response(found.join() || 'clean')";

/// What one tenant does to its globals no other sees.
pub(crate) fn pollution(mode: Mode) {
    let host = Host::new(mode);
    let mut polluter = host.tenant("A", generous(POLLUTE));
    let mut other = host.tenant("B", generous(LOOK));
    for _ in 0..3 {
        // Whatever it answers, or whether it still can.
        let _ = polluter.fetch("");
        assert_eq!(text(other.fetch("").expect("an answer")), "clean");
    }
}

/// Walks all that a guest can reach, and names what is not of its own realm.
const CRAWL: &str = "const seen = new Set(); const foreign = []; const roots = new Set([Object.prototype]); \
    const queue = [[globalThis, 'globalThis'], [request, 'request'], [env, 'env'], [ctx, 'ctx'], [Symbol.for('shared'), 'symbol']]; \
    while (queue.length > 0) { const [object, path] = queue.pop(); if (object === null || (typeof object !== 'object' && typeof object !== 'function') || seen.has(object)) continue; seen.add(object); \
    let root = object; while (Object.getPrototypeOf(root) !== null) root = Object.getPrototypeOf(root); \
    if (root !== object && !roots.has(root)) foreign.push(path); queue.push([Object.getPrototypeOf(object), path + '.__proto__']); \
    for (const key of Reflect.ownKeys(object)) { const { value, get, set } = Object.getOwnPropertyDescriptor(object, key); const name = path + '.' + String(key); queue.push([value, name], [get, name], [set, name]) } } \
    if (Error.prepareStackTrace !== undefined || Error.stackTraceLimit !== 10) foreign.push('Error'); \
    return new Response(foreign.join() || 'own ' + (seen.size > 500))";

/// Two contexts on one isolate: no object of the one is reachable from the other.
pub(crate) fn contexts_share_nothing(_: Mode) {
    let isolate = shared_isolate();
    let plant = "Symbol.for('shared'); globalThis.secret = { secret: 1 }; Error.prepareStackTrace = (error, sites) => sites; Error.stackTraceLimit = 100; \
        RegExp.prototype.exec.call(/secret/, 'a secret'); Intl.secret = secret; WebAssembly.secret = secret; Promise.reject(secret); Array.prototype.map = null; return new Response('planted')";
    let context =
        |body: &str| block_on(isolate.create_context(generous(body), None)).expect("a context");
    let planter = context(plant);
    let send = |context: &isolane::ExecutionContextHandle| {
        let request = Request::get("http://tenant.test/");
        text(block_on(context.fetch(request, RunOptions::default())).expect("an answer"))
    };
    assert_eq!(send(&planter), "planted");
    let crawler = context(CRAWL);
    assert_eq!(send(&crawler), "own true");
    assert_eq!(send(&context(LOOK)), "clean");
    // Legacy static members of RegExp are the realm's own as well.
    let legacy = context("return new Response(String(RegExp.lastMatch))");
    assert_eq!(send(&legacy), "");
}

/// What a context left running does not run once the context is disposed of, whatever the next does.
pub(crate) fn disposed_callbacks(_: Mode) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let sink = said.clone();
    let on_log: LogSink = Arc::new(move |entry| sink.lock().expect("a log").push(entry.message));
    let isolate = shared_isolate();
    let left = "const say = (what) => () => console.log(what); new FinalizationRegistry(say('finalizer')).register({}, 0); setTimeout(say('timer'), 1); setInterval(say('interval'), 1); \
        WebAssembly.compile(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])).then(say('compiled')); env.slow?.().then(say('host')); \
        ctx.waitUntil(new Promise((f) => setTimeout(f, 5)).then(say('waitUntil'))); request.signal.addEventListener('abort', say('aborted')); console.log('begun'); return new Response('ok')";
    let request = || Request::get("http://tenant.test/");
    for _ in 0..20 {
        let context = isolate.create_context(generous(left), Some(on_log.clone()));
        let context = block_on(context).expect("a context");
        block_on(context.fetch(request(), RunOptions::default())).expect("an answer");
        block_on(context.close()).expect("disposed of");
        said.lock().expect("a log").clear();
        let pressing = "for (let i = 0; i < 30; i++) new Array(1e5).fill(i); await new Promise((f) => setTimeout(f, 10)); return new Response('ok')";
        let next = block_on(isolate.create_context(generous(pressing), None)).expect("a context");
        block_on(next.fetch(request(), RunOptions::default())).expect("an answer");
        let late = said.lock().expect("a log").clone();
        assert!(late.is_empty(), "a disposed context said {late:?}");
    }
}

/// What a request started and did not wait for is never heard of in a later one.
pub(crate) fn late_callbacks(mode: Mode) {
    let body = "globalThis.late ??= []; const path = new URL(request.url).pathname; \
        if (path === '/start') { setTimeout(() => late.push('timer'), 3); setInterval(() => late.push('interval'), 2); fetch('http://192.0.2.1/').catch(() => late.push('fetch')); \
          queueMicrotask(() => {}); request.signal.addEventListener('abort', () => late.push('abort')); return new Response('started') } \
        const order = []; await new Promise((f) => setTimeout(() => { order.push('mine'); f() }, 8)); return new Response(order.concat(late).join())";
    let host = Host::new(mode);
    let mut worker = generous(body);
    worker.outbound = isolane::Outbound::None;
    let mut tenant = host.tenant("one", worker);
    for _ in 0..20 {
        assert_eq!(text(tenant.fetch("start").expect("an answer")), "started");
        assert_eq!(text(tenant.fetch("look").expect("an answer")), "mine");
    }
}

/// New isolates read memory that others used before: it is all zeros.
pub(crate) fn uninitialised_memory(_: Mode) {
    let secret = "S3CR3T".repeat(2000);
    let mut worker = generous(
        "const kept = []; for (let i = 0; i < 50; i++) kept.push(new TextEncoder().encode(env.secret)); return new Response(env.secret)",
    );
    worker.env = worker.env.with("secret", json!(secret));
    let owner = Worker::new(worker, WorkerOptions::default()).expect("a worker");
    let look = "const buffers = []; for (const size of [1, 63, 64, 100, 1000, 12000, 65536, 1 << 20]) { buffers.push(new ArrayBuffer(size), new Uint8Array(size).buffer, new ArrayBuffer(size, { maxByteLength: size + 100 }), new ArrayBuffer(1).transfer(size)) } \
        const encoded = new TextEncoder().encode('é'); buffers.push(encoded.buffer.slice(2)); const into = new Uint8Array(4096); new TextEncoder().encodeInto('', into); buffers.push(into.buffer); \
        return new Response(buffers.every((buffer) => new Uint8Array(buffer).every((byte) => byte === 0)) ? 'zeros' : 'something')";
    let looker = Worker::new(generous(look), WorkerOptions::default()).expect("a worker");
    for _ in 0..40 {
        let request = || Request::get("http://tenant.test/");
        let answer = block_on(owner.fetch(request(), RunOptions::default())).expect("an answer");
        assert_eq!(text(answer).len(), secret.len());
        let answer = block_on(looker.fetch(request(), RunOptions::default())).expect("an answer");
        assert_eq!(text(answer), "zeros");
    }
}

/// Random bytes, identifiers and `Math.random` differ between isolates and between contexts.
pub(crate) fn random_bytes(mode: Mode) {
    let body = "const first = crypto.getRandomValues(new Uint8Array(16)); return new Response([first, crypto.randomUUID(), Math.random(), Math.random()].join('\\n'))";
    let host = Host::new(mode);
    let mut seen = HashSet::new();
    for i in 0..8 {
        let mut tenant = host.tenant(&format!("{i}"), generous(body));
        for line in text(tenant.fetch("").expect("an answer")).lines() {
            assert!(seen.insert(line.to_owned()), "{line} came twice");
        }
    }
    let pool = IsolatePool::new(PoolOptions::default()).expect("a pool");
    let mut fresh = generous(body);
    fresh.context = isolane::ContextPolicy::Fresh;
    let fresh = Arc::new(fresh);
    for _ in 0..4 {
        let request = Request::get("http://tenant.test/");
        let answer = block_on(pool.execute("fresh", &fresh, request, RunOptions::default()));
        for line in text(answer.expect("an answer")).lines() {
            assert!(seen.insert(line.to_owned()), "{line} came twice");
        }
    }
}
