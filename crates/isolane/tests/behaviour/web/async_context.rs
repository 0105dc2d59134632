//! Values that follow the flow of a program, and stay in their request.

use futures_executor::block_on;
use isolane::{Request, RunOptions, WorkerDefinition};

use super::{passes, passes_in};
use crate::support::{pool, text};

#[test]
fn async_local_storage_is_importable_from_node() {
    passes_in(
        |source| {
            WorkerDefinition::script(format!(
                "import {{ AsyncLocalStorage, AsyncResource }} from 'node:async_hooks';
                 import hooks from 'async_hooks';
                 const storage = new AsyncLocalStorage();{source}"
            ))
        },
        "same(hooks.AsyncLocalStorage === AsyncLocalStorage, true); same(globalThis.AsyncLocalStorage === AsyncLocalStorage, true);
         same((await import('node:async_hooks')).AsyncResource === AsyncResource, true);
         same(storage.getStore(), undefined);
         const seen = [];
         const result = storage.run({ id: 1 }, (a, b) => {
           seen.push(storage.getStore().id);
           setTimeout(() => seen.push('timer', storage.getStore()?.id), 0);
           queueMicrotask(() => seen.push('microtask', storage.getStore()?.id));
           Promise.resolve().then(() => seen.push('then', storage.getStore()?.id));
           storage.run({ id: 2 }, () => seen.push(storage.getStore().id));
           storage.exit(() => seen.push(storage.getStore()));
           return a + b;
         }, 1, 2);
         same(result, 3); same(storage.getStore(), undefined);
         await task(); await task();
         same(seen, [1, 2, undefined, 'microtask', 1, 'then', 1, 'timer', 1]);",
    );
}

#[test]
fn the_store_goes_through_await_and_streams() {
    passes(
        "const storage = new AsyncLocalStorage();
         await storage.run('kept', async () => {
           await task(); same(storage.getStore(), 'kept');
           await new Promise((resolve) => { const { port1, port2 } = new MessageChannel(); port2.onmessage = resolve; port1.postMessage(1) });
           same(storage.getStore(), 'kept');
           const seen = [];
           const stream = new ReadableStream({ async pull(c) { await task(); seen.push(storage.getStore()); c.enqueue('x'); c.close() } });
           for await (const chunk of stream) seen.push(storage.getStore());
           same(seen, ['kept', 'kept']);
           same(await new Response(new Blob(['a'])).text(), 'a'); same(storage.getStore(), 'kept');
         });
         same(storage.getStore(), undefined);",
    );
}

#[test]
fn entering_binding_and_disabling() {
    passes(
        "const storage = new AsyncLocalStorage({ name: 'n', defaultValue: 'none' });
         same([storage.name, storage.getStore()], ['n', 'none']);
         storage.enterWith('entered'); same(storage.getStore(), 'entered');
         await task(); same(storage.getStore(), 'entered');
         const bound = AsyncLocalStorage.bind(function () { return [this.a, storage.getStore()] });
         const snapshot = AsyncLocalStorage.snapshot();
         storage.disable(); same(storage.getStore(), 'none');
         same(bound.call({ a: 1 }), [1, 'entered']);
         same(snapshot((x) => [x, storage.getStore()], 2), [2, 'entered']);
         same(storage.run(1, () => storage.getStore()), 1);
         try { storage.run(2, () => { throw new Error('out') }) } catch {}
         same(storage.getStore(), 'none');
         throws('TypeError', () => AsyncLocalStorage.bind(1));
         throws('TypeError', () => AsyncLocalStorage.prototype.getStore.call({}));",
    );
}

#[test]
fn variables_and_snapshots_of_the_language() {
    passes(
        "const variable = new AsyncContext.Variable({ name: 'v', defaultValue: 0 });
         same([variable.name, variable.get()], ['v', 0]);
         const snapshot = variable.run(1, () => new AsyncContext.Snapshot());
         same(snapshot.run((x) => [x, variable.get()], 'arg'), ['arg', 1]);
         const wrapped = variable.run(2, () => AsyncContext.Snapshot.wrap(() => variable.get()));
         same(wrapped(), 2); same(variable.get(), 0);
         await variable.run(3, async () => { await task(); same(variable.get(), 3) });
         same(Object.prototype.toString.call(AsyncContext), '[object AsyncContext]');",
    );
}

#[test]
fn no_store_gets_into_another_request() {
    let pool = pool();
    let worker = WorkerDefinition::script(
        "const storage = new AsyncLocalStorage(); storage.enterWith('of the module');
         export default { async fetch(request) {
           const before = storage.getStore();
           storage.enterWith(new URL(request.url).pathname);
           await new Promise((resolve) => setTimeout(resolve, 1));
           return new Response(`${before} ${storage.getStore()}`) } }",
    )
    .into();
    let asked = ["/a", "/b", "/c"].map(|path| {
        let request = Request::get(format!("http://x{path}"));
        pool.execute("contexts", &worker, request, RunOptions::default())
    });
    let answers = asked.map(|answer| text(block_on(answer).unwrap()));
    assert_eq!(answers, ["undefined /a", "undefined /b", "undefined /c"]);
}
