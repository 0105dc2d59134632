//! Caches: what is kept, what matches, and for whom.

use std::sync::Arc;

use futures_executor::block_on;
use isolane::{Caches, MemoryCacheStore, Request, RunOptions, WorkerDefinition};

use super::{passes, passes_in};
use crate::support::{pool, text};

#[test]
fn responses_are_kept_and_found() {
    passes(
        "const cache = await caches.open('v1');
         same([cache instanceof Cache, caches instanceof CacheStorage], [true, true]);
         same(await cache.match('https://x/a'), undefined);
         await cache.put('https://x/a?q=1#h', new Response('kept', { status: 201, statusText: 'Made', headers: { 'x-a': '1' } }));
         const found = await cache.match('https://x/a?q=1');
         same([found.status, found.statusText, found.headers.get('x-a'), found.headers.get('content-type'), await found.text()], [201, 'Made', '1', 'text/plain;charset=UTF-8', 'kept']);
         throws('TypeError', () => found.headers.set('x', 'y'));
         same(await (await cache.match('https://x/a?q=1')).text(), 'kept');
         same(await cache.match('https://x/a'), undefined);
         same(await (await cache.match('https://x/a', { ignoreSearch: true })).text(), 'kept');
         same(await cache.match(new Request('https://x/a?q=1', { method: 'POST' })), undefined);
         same(await (await cache.match(new Request('https://x/a?q=1', { method: 'POST' }), { ignoreMethod: true })).text(), 'kept');
         await cache.put('https://x/a?q=1', new Response('newer'));
         same((await cache.matchAll()).length, 1);
         await cache.put('https://x/none', new Response(null, { status: 204 }));
         same((await cache.match('https://x/none')).body, null);
         same((await cache.keys()).map((request) => request.url), ['https://x/a?q=1', 'https://x/none']);
         same(await cache.delete('https://x/a?q=1'), true); same(await cache.delete('https://x/a?q=1'), false);
         same((await cache.keys()).length, 1);",
    );
}

#[test]
fn responses_that_vary_match_the_same_requests() {
    passes(
        "const cache = caches.default;
         const ask = (language) => new Request('https://x/', { headers: { 'accept-language': language } });
         await cache.put(ask('de'), new Response('hallo', { headers: { vary: 'Accept-Language' } }));
         await cache.put(ask('en'), new Response('hello', { headers: { vary: 'Accept-Language' } }));
         same(await (await cache.match(ask('de'))).text(), 'hallo'); same(await (await cache.match(ask('en'))).text(), 'hello');
         same(await cache.match(ask('fr')), undefined); same(await cache.match('https://x/'), undefined);
         same((await cache.matchAll('https://x/', { ignoreVary: true })).length, 2);
         same((await cache.keys(ask('de')))[0].headers.get('accept-language'), 'de');",
    );
}

#[test]
fn caches_have_names() {
    passes(
        "same(await caches.keys(), []); same(await caches.has('a'), false);
         const [a, b] = [await caches.open('a'), await caches.open('b')];
         same(await caches.keys(), ['a', 'b']); same(await caches.has('a'), true);
         await b.put('https://x/', new Response('b'));
         same(await (await caches.match('https://x/')).text(), 'b');
         same(await caches.match('https://x/', { cacheName: 'a' }), undefined);
         same(await caches.delete('b'), true); same(await caches.delete('b'), false);
         same(await caches.match('https://x/'), undefined);
         same(caches.default === caches.default, true);",
    );
}

#[test]
fn what_cannot_be_kept_is_refused() {
    passes(
        "const cache = await caches.open('v1');
         const put = (request, response) => cache.put(request, response);
         await rejects('TypeError', put('ftp://x/', new Response()));
         await rejects('TypeError', put(new Request('https://x/', { method: 'POST' }), new Response()));
         await rejects('TypeError', put('https://x/', new Response('', { status: 206 })));
         await rejects('TypeError', put('https://x/', new Response('', { headers: { vary: 'a, *' } })));
         await rejects('TypeError', put('https://x/', {}));
         const used = new Response('x'); await used.text();
         await rejects('TypeError', put('https://x/', used));
         await rejects('TypeError', cache.match());
         await rejects('TypeError', cache.match('https://x/' + 'a'.repeat(70_000)));
         await rejects('TypeError', Cache.prototype.match.call({}, 'https://x/'));
         await rejects('QuotaExceededError', caches.open('x'.repeat(2000)));
         throws('TypeError', () => new Cache()); throws('TypeError', () => new CacheStorage());",
    );
}

#[test]
fn a_response_larger_than_the_store_is_refused_and_replaces_nothing() {
    passes_in(
        |source| {
            let mut worker = WorkerDefinition::script(source);
            worker.caches = Caches::new(Arc::new(MemoryCacheStore::new(4096, 16)));
            worker
        },
        "const cache = await caches.open('v1');
         await cache.put('https://x/', new Response('kept'));
         await rejects('QuotaExceededError', cache.put('https://x/', new Response(new Uint8Array(4096))));
         same(await (await cache.match('https://x/')).text(), 'kept');",
    );
}

#[test]
fn a_cache_outlives_requests_and_is_its_workers_own() {
    let pool = pool();
    let worker = Arc::new(WorkerDefinition::script(
        "export default { async fetch() {
           const cache = await caches.open('v1');
           const found = await cache.match('https://x/');
           if (found) return found;
           await cache.put('https://x/', new Response('kept'));
           return new Response('put') } }",
    ));
    let ask = |id: &str| {
        let request = Request::get("http://x/");
        text(block_on(pool.execute(id, &worker, request, RunOptions::default())).unwrap())
    };
    assert_eq!([ask("one"), ask("one"), ask("two")], ["put", "kept", "put"]);
}
