//! Workers as users write them: modules, events, env, failures.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_executor::block_on;
use isolane::{
    Body, EnvValue, Error, HostCallError, HostFunction, LogSink, ModuleSource, Request, Response,
    RunOptions, ScheduledEvent, Worker, WorkerDefinition, WorkerOptions,
};

use crate::support::{handler, text};

fn fetch(definition: impl Into<WorkerDefinition>) -> Result<Response, Error> {
    let worker = Worker::new(definition, WorkerOptions::default())?;
    block_on(worker.fetch(Request::get("http://x/world?q=1"), RunOptions::default()))
}

fn answer(definition: impl Into<WorkerDefinition>) -> String {
    text(fetch(definition).unwrap_or_else(|error| panic!("{error} {:?}", error.guest())))
}

fn modules(modules: &[(&str, &str)]) -> WorkerDefinition {
    WorkerDefinition::modules(
        modules
            .iter()
            .map(|(name, text)| ((*name).to_owned(), ModuleSource::Text((*text).to_owned()))),
    )
}

#[test]
fn a_module_with_a_default_export_answers() {
    let script =
        "export default { fetch: (r) => new Response('hello ' + new URL(r.url).pathname) }";
    assert_eq!(answer(script), "hello /world");
}

#[test]
fn a_script_with_an_event_listener_answers() {
    let script = "addEventListener('fetch', (event) => { event.respondWith(new Response('sw ' + event.request.method)) })";
    assert_eq!(answer(script), "sw GET");
}

#[test]
fn a_script_need_not_be_valid_as_a_module() {
    let script = "with ({ name: 'sloppy' }) addEventListener('fetch', (event) => event.respondWith(new Response(name)))";
    assert_eq!(answer(script), "sloppy");
}

#[test]
fn a_script_may_speak_of_what_modules_import_and_export() {
    let script = "const kind = this === globalThis ? 'script' : 'module'; // no import, no export
        addEventListener('fetch', (event) => event.respondWith(new Response(kind)))";
    assert_eq!(answer(script), "script");
}

#[test]
fn what_awaits_at_the_top_level_is_a_module_also_without_exports() {
    let script = "const kind = await Promise.resolve(this === undefined ? 'module' : 'script');
        addEventListener('fetch', (event) => event.respondWith(new Response(kind)))";
    assert_eq!(answer(script), "module");
}

#[test]
fn what_is_exported_may_be_set_until_nothing_is_queued_any_more() {
    let script = "let handlers;
        Promise.resolve().then(() => {}).then(() => { handlers = { fetch: () => new Response('set') } });
        export { handlers as default }";
    assert_eq!(answer(script), "set");
}

#[test]
fn a_worker_that_breaks_the_taking_of_its_env_does_not_load() {
    let script = "JSON.parse = () => { throw new TypeError('no') };
        export default { fetch: () => new Response('loaded') }";
    let mut worker = WorkerDefinition::script(script);
    worker.env = worker.env.with("name", serde_json::json!("n"));
    let error = fetch(worker).expect_err("no answer");
    assert_eq!(error.code(), "ERR_WORKER_EXCEPTION");
    assert_eq!(
        error.guest().map(|guest| guest.message.as_str()),
        Some("no")
    );
}

#[test]
fn modules_import_each_other_json_text_and_typescript() {
    let worker = modules(&[
        (
            "main.ts",
            "import { f } from './lib/f.ts'; import data from './data.json'; import note from './note.txt';\n\
             interface Env { a: string }\n\
             export default { async fetch(r: Request, env: Env): Promise<Response> { const lazy = await import('./lib/lazy.js'); return new Response(f(data.n) + note + lazy.default) } }",
        ),
        (
            "lib/f.ts",
            "import { one } from './one.js'; export const f = (n: number): number => n + one",
        ),
        ("lib/one.js", "export const one = 1"),
        ("lib/lazy.js", "export default ' lazy ' + import.meta.url"),
        ("data.json", "{\"n\": 41}"),
        ("note.txt", " note"),
    ]);
    assert_eq!(answer(worker), "42 note lazy worker:///lib/lazy.js");
}

#[test]
fn a_json_module_of_endless_levels_is_refused() {
    let worker = modules(&[
        (
            "main.js",
            "import data from './data.json'; export default { fetch: () => new Response(data) }",
        ),
        ("data.json", &"[".repeat(1_000_000)),
    ]);
    let error = fetch(worker).expect_err("there is no such module");
    assert_eq!(error.code(), "ERR_WORKER_SYNTAX");
    assert!(
        error
            .to_string()
            .contains("data.json: RangeError: The JSON text has too many levels"),
        "{error}"
    );
}

#[test]
fn a_wasm_module_is_compiled() {
    // (module (func (export "f") (result i32) i32.const 42))
    let wasm: &[u8] = &[
        0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 7, 5, 1, 1, b'f',
        0, 0, 10, 6, 1, 4, 0, 0x41, 42, 0x0b,
    ];
    let main = "import m from './a.wasm'; export default { async fetch() { const i = await WebAssembly.instantiate(m); const again = await WebAssembly.compile(new Uint8Array([0,0x61,0x73,0x6d,1,0,0,0])); return new Response(i.exports.f() + ' ' + (again instanceof WebAssembly.Module)) } }";
    let worker = WorkerDefinition::modules([
        ("main.js".to_owned(), ModuleSource::Text(main.to_owned())),
        (
            "a.wasm".to_owned(),
            ModuleSource::Bytes(Bytes::from_static(wasm)),
        ),
    ]);
    assert_eq!(answer(worker), "42 true");
}

#[test]
fn top_level_await_is_waited_for() {
    let script = "const x = await new Promise((f) => setTimeout(() => f('late'), 5)); export default { fetch: () => new Response(x) }";
    assert_eq!(answer(script), "late");
}

#[test]
fn what_does_not_compile_says_where() {
    let error = fetch(modules(&[
        ("main.js", "import './b.js'"),
        ("b.js", "let x = 1;\nlet y = = 2;"),
    ]));
    let error = error.expect_err("it does not compile");
    assert_eq!(error.code(), "ERR_WORKER_SYNTAX");
    assert!(
        error.to_string().starts_with("b.js:2:9: SyntaxError"),
        "{error}"
    );

    let error = fetch(modules(&[("main.js", "\nimport './c.js'")])).expect_err("it does not link");
    assert_eq!(error.code(), "ERR_WORKER_SYNTAX");
    assert!(error.to_string().starts_with("main.js:2:"), "{error}");

    let error = fetch(modules(&[("main.ts", "enum A { B }\nexport default {}")]));
    let error = error.expect_err("it is not erasable");
    assert_eq!(error.code(), "ERR_WORKER_SYNTAX");
    assert!(
        error.to_string().starts_with("main.ts:1:1: SyntaxError"),
        "{error}"
    );
}

#[test]
fn what_guests_throw_arrives_as_text() {
    let error = fetch(handler("throw new TypeError('bad')")).expect_err("it throws");
    assert_eq!(error.code(), "ERR_WORKER_EXCEPTION");
    let guest = error.guest().expect("what was thrown");
    assert_eq!(
        (guest.name.as_str(), guest.message.as_str()),
        ("TypeError", "bad")
    );
    assert!(guest.stack.contains("worker.js:1:"), "{}", guest.stack);
    assert!(!guest.stack.contains("isolane:"), "{}", guest.stack);
    assert!(error.usage().is_some());
}

#[test]
fn what_is_no_response_is_named() {
    for body in ["return 1", "", "return {}", "return null"] {
        let error = fetch(handler(body)).expect_err("it is no Response");
        assert_eq!(error.code(), "ERR_NO_RESPONSE", "{body}");
    }
    let ended = "await new Promise((f) => setTimeout(f, 1)); await new Promise(() => {})";
    assert_eq!(
        fetch(handler(ended)).expect_err("nothing comes").code(),
        "ERR_NO_RESPONSE"
    );
    assert_eq!(
        fetch("export default {}").expect_err("no handler").code(),
        "ERR_NO_HANDLER"
    );
}

#[test]
fn what_a_request_waits_for_may_end_in_any_order() {
    let body = "
        const left = new Set(), fired = [];
        await new Promise((resolve) => {
          for (let n = 0; n < 300; n++) {
            const timer = setTimeout(() => { left.delete(n); fired.push(n); if (left.size === 0) resolve() }, (n * 7919) % 20);
            left.add(n);
            if (n % 3 === 0) { clearTimeout(timer); left.delete(n) }
          }
        });
        return new Response(`${fired.length} ${fired.filter((n) => n % 3 === 0).length}`)";
    assert_eq!(answer(handler(body)), "200 0");
    let nothing_left = "
        for (let n = 0; n < 300; n++) setTimeout(() => {}, (n * 7919) % 20);
        await new Promise(() => {})";
    assert_eq!(
        fetch(handler(nothing_left)).unwrap_err().code(),
        "ERR_NO_RESPONSE"
    );
}

#[test]
fn env_holds_values_and_functions_of_the_host() {
    let mut worker: WorkerDefinition = handler(
        "const sum = await env.add(1, 2); let why; try { await env.store.fail() } catch (e) { why = e.name + ' ' + e.message }; return Response.json([env.name, sum, why])",
    )
    .into();
    let add = HostFunction::json(|args| {
        let sum = args
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_i64)
            .sum::<i64>();
        Box::pin(async move { Ok(sum.into()) })
    });
    let fail = HostFunction::json(|_| Box::pin(async { Err(HostCallError::rejected("no")) }));
    worker.env = worker
        .env
        .with("name", serde_json::json!("n"))
        .with("add", add)
        .with(
            "store",
            EnvValue::Functions(vec![("fail".to_owned(), fail)]),
        );
    assert_eq!(answer(worker), "[\"n\",3,\"Error no\"]");
}

/// Gives back the only argument, from the serialized array that holds it.
fn echo() -> HostFunction {
    HostFunction::structured(|arguments| {
        let (header, tag_and_length, tail) = (2, 2, 3);
        let end = arguments.len() - tail;
        let value = [
            &arguments[..header],
            &arguments[header + tag_and_length..end],
        ]
        .concat();
        Box::pin(async move { Ok(Bytes::from(value)) })
    })
    .light()
}

#[test]
fn host_functions_take_and_give_every_primitive_value() {
    let script = handler(
        "
        const values = ['', 'a', '\\0\\x7f\\x80\\xff', 'é', '漢字', 'a漢', '\\ud800', 'x'.repeat(127), 'x'.repeat(128),
          'x'.repeat(1024), 'x'.repeat(1025), 'x'.repeat(100000), 0, -0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2 ** 30, -(2 ** 30) - 1,
          2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53, 1.5, -1e300, 5e-324, NaN, Infinity, -Infinity, true, false, null, undefined, 10n];
        const changed = [];
        for (const value of values) {
          const back = await env.echo(value);
          if (!Object.is(back, value)) changed.push(String(value).slice(0, 10), String(back).slice(0, 10));
        }
        return new Response(changed.join());",
    );
    let worker = WorkerDefinition::script(script);
    let env = worker.env.clone().with("echo", echo());
    assert_eq!(answer(WorkerDefinition { env, ..worker }), "");
}

#[test]
fn scheduled_runs_its_handler_and_what_it_waits_for() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let on_log: LogSink =
        Arc::new(move |entry| sink.lock().expect("not poisoned").push(entry.message));
    let options = WorkerOptions {
        on_log: Some(on_log),
        ..WorkerOptions::default()
    };
    let script = "export default { scheduled(event, env, ctx) { console.log(event.cron, event.scheduledTime); ctx.waitUntil(new Promise((f) => setTimeout(() => { console.log('done'); f() }, 5))) } }";
    let worker = Worker::new(script, options).expect("a worker");
    let event = ScheduledEvent {
        cron: "* * * * *".to_owned(),
        scheduled_time_ms: 7.0,
    };
    block_on(worker.scheduled(event, RunOptions::default())).expect("it ends");
    assert_eq!(
        *lines.lock().expect("not poisoned"),
        ["* * * * * 7", "done"]
    );
}

#[test]
fn bodies_stream_both_ways() {
    let script = handler(
        "const upper = new TransformStream({ transform(chunk, c) { c.enqueue(chunk.map((b) => b - 32)) } }); return new Response(request.body.pipeThrough(upper), { status: 201 })",
    );
    let worker = Worker::new(script, WorkerOptions::default()).expect("a worker");
    let (writer, reader) = isolane::BodyReader::channel(2);
    let request = Request {
        method: "POST".to_owned(),
        url: "http://x/".to_owned(),
        headers: vec![],
        body: Body::Stream(reader),
    };
    let sending = std::thread::spawn(move || {
        for chunk in ["abc", "def", "ghi", "jkl"] {
            block_on(writer.send(Bytes::from_static(chunk.as_bytes()))).expect("it is read");
        }
    });
    let response = block_on(worker.fetch(request, RunOptions::default())).expect("an answer");
    assert_eq!(response.status, 201);
    assert!(matches!(response.body, Body::Stream(_)));
    assert_eq!(text(response), "ABCDEFGHIJKL");
    sending.join().expect("no panic");
}

#[test]
fn code_generation_is_off_unless_asked_for() {
    let body = "try { return new Response(String(eval('1+1'))) } catch (e) { return new Response(e.name) }";
    assert_eq!(answer(handler(body)), "EvalError");
    let mut worker: WorkerDefinition = handler(body).into();
    worker.codegen = true;
    assert_eq!(answer(worker), "2");
}

#[test]
fn every_web_api_is_there() {
    let names = "console setTimeout setInterval clearTimeout clearInterval queueMicrotask structuredClone atob btoa TextEncoder TextDecoder URL URLSearchParams Event EventTarget AbortController AbortSignal Headers Request Response fetch ReadableStream Blob performance crypto WebAssembly Intl Temporal DOMException FormData File self";
    let body = format!(
        "return new Response('{names}'.split(' ').filter((n) => typeof globalThis[n] === 'undefined').join())"
    );
    assert_eq!(answer(handler(&body)), "");
}

#[test]
fn arguments_that_cannot_be_used_are_named() {
    let empty = Worker::new(WorkerDefinition::modules([]), WorkerOptions::default());
    assert_eq!(empty.err().expect("no module").code(), "ERR_INVALID_ARG");
    let named = Worker::new(modules(&[("style.css", "")]), WorkerOptions::default());
    assert!(
        named
            .err()
            .expect("an extension")
            .to_string()
            .contains("worker.modules")
    );
    let worker = Worker::new(handler(""), WorkerOptions::default()).expect("a worker");
    let error = block_on(worker.fetch(Request::get("nonsense"), RunOptions::default()));
    assert!(
        error
            .expect_err("no URL")
            .to_string()
            .contains("request.url")
    );
}
