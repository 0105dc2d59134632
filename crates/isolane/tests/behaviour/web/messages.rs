//! Message channels, and what is transferred through them.

use std::time::Duration;

use futures_executor::block_on;
use isolane::{Request, RunOptions, WorkerDefinition};

use super::passes;
use crate::support::{pool, text};

#[test]
fn messages_arrive_as_tasks_in_order() {
    passes(
        "const { port1, port2 } = new MessageChannel();
         const seen = [];
         port2.onmessage = (event) => {
           seen.push(event.data, event.isTrusted, event.ports.length, event.target === port2);
           queueMicrotask(() => seen.push('microtask'));
         };
         port1.postMessage({ a: 1 }); port1.postMessage(undefined);
         same(seen, []);
         await task(); await task();
         same(seen, [{ a: 1 }, true, 0, true, 'microtask', undefined, true, 0, true, 'microtask']);
         same(seen[5], undefined);
         throws('DataCloneError', () => port1.postMessage(() => {}));
         throws('TypeError', () => port1.postMessage());
         throws('TypeError', () => new MessagePort());",
    );
}

#[test]
fn a_port_that_was_not_started_keeps_its_messages() {
    passes(
        "const { port1, port2 } = new MessageChannel();
         const seen = [];
         port2.addEventListener('message', (event) => seen.push(event.data));
         port1.postMessage(1); port1.postMessage(2);
         await task(); await task();
         same(seen, []);
         port2.start(); port2.start();
         await task(); await task();
         same(seen, [1, 2]);",
    );
}

#[test]
fn closing_ends_both_sides() {
    passes(
        "const { port1, port2 } = new MessageChannel();
         const seen = [];
         port2.onmessage = (event) => seen.push(event.data);
         port2.onclose = () => seen.push('closed');
         port1.postMessage('lost');
         port1.close(); port1.postMessage('ignored'); port2.postMessage('ignored');
         await task(); await task();
         same(seen, ['lost', 'closed']);
         throws('DataCloneError', () => structuredClone(port1, { transfer: [port1] }));",
    );
}

#[test]
fn ports_and_buffers_are_transferred() {
    passes(
        "const outer = new MessageChannel(), inner = new MessageChannel();
         const buffer = new ArrayBuffer(8);
         inner.port2.postMessage('before');
         const got = new Promise((resolve) => { outer.port2.onmessage = resolve });
         outer.port1.postMessage({ port: inner.port1, buffer }, [inner.port1, buffer]);
         same(buffer.byteLength, 0);
         const event = await got;
         same(event.ports.length, 1); same(event.ports[0] === event.data.port, true);
         same(Object.isFrozen(event.ports), true);
         same(event.data.port instanceof MessagePort, true); same(event.data.port === inner.port1, false);
         same(event.data.buffer.byteLength, 8);
         const seen = [];
         event.data.port.onmessage = ({ data }) => seen.push(data);
         inner.port2.postMessage('after');
         await task(); await task(); await task();
         same(seen, ['before', 'after']);
         throws('DataCloneError', () => outer.port1.postMessage(1, [outer.port1]));
         throws('DataCloneError', () => outer.port1.postMessage(inner.port2));
         throws('DataCloneError', () => outer.port1.postMessage(1, [inner.port2, inner.port2]));
         throws('DataCloneError', () => outer.port1.postMessage(1, { transfer: [{}] }));
         throws('TypeError', () => outer.port1.postMessage(1, [1]));
         const { port1 } = new MessageChannel();
         const copy = structuredClone({ port1, same: port1 }, { transfer: [port1] });
         same(copy.port1 instanceof MessagePort, true); same(copy.same === copy.port1, true);",
    );
}

#[test]
fn a_message_is_dropped_with_the_request_that_posted_it() {
    let pool = pool();
    let worker = WorkerDefinition::script(
        "const { port1, port2 } = new MessageChannel(); let seen = [];
         port2.onmessage = ({ data }) => seen.push(data);
         export default { async fetch(request) {
           const { pathname } = new URL(request.url);
           if (pathname === '/post') { port1.postMessage('of the first'); return new Response('posted') }
           await new Promise((resolve) => setTimeout(resolve, 20));
           return new Response(JSON.stringify(seen)) } }",
    )
    .into();
    let get = |url: &str| {
        let request = Request::get(url);
        text(block_on(pool.execute("messages", &worker, request, RunOptions::default())).unwrap())
    };
    assert_eq!(get("http://x/post"), "posted");
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(get("http://x/read"), "[]");
}

#[test]
fn message_events_carry_what_they_were_given() {
    passes(
        "const { port1 } = new MessageChannel();
         const event = new MessageEvent('message', { data: 1, origin: 'o', lastEventId: 'l', source: port1, ports: [port1] });
         same([event.data, event.origin, event.lastEventId, event.source === port1, event.ports[0] === port1], [1, 'o', 'l', true, true]);
         throws('TypeError', () => new MessageEvent('message', { ports: [{}] }));
         throws('TypeError', () => new MessageEvent('message', { source: {} }));
         event.initMessageEvent('other', true, false, 2);
         same([event.type, event.bubbles, event.data, event.origin, event.source, event.ports.length], ['other', true, 2, '', null, 0]);",
    );
}
