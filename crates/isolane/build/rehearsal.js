// What the build script runs on the guest side before it is in a snapshot.
({
  /** A host whose operations do nothing. */
  idleHost: new Proxy(
    {
      nativeWebAssembly: () => WebAssembly,
      urlParse: () => ['http://x/?a=b', 5, 7, 7, 8, 8, 9, 13],
      timerStart: () => 1,
    },
    { get: (host, name) => host[name] ?? (() => 0) },
  ),

  /** What was defined, with its globals, and what of it was made. */
  notes() {
    return { defined: [], globals: [], made: [] };
  },

  /** Defines families as `define` does, and notes them. */
  recorder(define, notes) {
    return (name, options, factory) => {
      notes.defined.push(name);
      for (const global in options.globals) notes.globals.push([global, options.globals[global], name]);
      define(name, options, (use, host) => {
        notes.made.push(name);
        return factory(use, host);
      });
    };
  },

  /** Makes every family, and looks whether each makes its globals. */
  checkAll(booted, notes) {
    for (const name of notes.defined) booted.resolve(name, '');
    for (const [global, , family] of notes.globals) {
      if (booted.resolve(family, global) === undefined) throw new Error(`${family} does not make ${global}`);
    }
  },

  /** Makes the families that most workers use and runs typical events, so that V8 compiles them. */
  rehearse(booted) {
    for (const name of ['native_guards', 'array_buffer', 'global_scope']) booted.resolve(name, '');
    for (const name of ['url', 'encoding', 'console', 'timers', 'fetch']) booted.resolve(name, '');
    const { entry } = booted;
    const handlers = [
      (request) => new Response(`hello ${request.url}`),
      async (request, _env, ctx) => {
        ctx.waitUntil(Promise.resolve());
        request.headers.get('a');
        return new Response(JSON.stringify({ method: request.method }), { status: 201, headers: { a: 'b' } });
      },
      async () => Response.json({ a: 1 }),
      async (request) => new Response(await request.text()),
      () => {
        throw new Error('rehearsed');
      },
    ];
    globalThis.Response = booted.resolve('response', 'Response');
    let id = 1;
    for (const fetch of handlers) {
      entry(0, 0, { fetch }, '{"a":1}', [null, 'f', 'g', 'h']);
      entry(1, id++, 'GET', 'http://x/', null, null);
      entry(1, id++, 'POST', 'http://x/', ['a', 'b'], 'body');
      entry(1, id++, 'POST', 'http://x/', ['a', 'b'], new Uint8Array(2));
    }
    entry(2, id++, '* * * * *', 0);
    const { addEventListener } = booted.resolve('event_target', 'EventTarget').prototype;
    addEventListener('fetch', (event) => event.respondWith(new Response('hello')));
    entry(0, 0, undefined, '{}', []);
    entry(1, id++, 'GET', 'http://x/', null, null);
    entry(4, 1);
    entry(5, 1, 0);
    entry(6, 1, 'TypeError', 'rehearsed');
    entry(7, 1);
    entry(8, 0, [1]);
    this.callGuards();
    this.useFamilies(booted);
  },

  /** Calls the natives that have guards, as bundles do while they load. */
  callGuards() {
    const same = (value) => value;
    for (const name of Object.getOwnPropertyNames(Array.prototype)) {
      if (name !== 'constructor' && typeof [][name] === 'function') [1, [2]][name](same, 0);
    }
    Array.from([1], same);
    'a b'.split(' ');
    'a b'.match(/b/);
    String.raw`a${1}`;
    JSON.parse('{}');
  },

  /** Calls what many workers call, of families that are made anyway. */
  useFamilies(booted) {
    const get = (family, name) => booted.resolve(family, name);
    const [Headers, Response] = [get('headers', 'Headers'), get('response', 'Response')];
    const headers = new Headers({ a: 'b' });
    headers.set('c', 'd');
    headers.append('c', 'e');
    headers.delete('c');
    headers.has('a');
    headers.forEach(() => {});
    new Headers([...headers]);
    new Response('', { headers }).headers.set('f', 'g');
    new (get('encoding', 'TextEncoder'))();
    new (get('encoding', 'TextDecoder'))();
    new Response(new Uint8Array(2));
    const idl = (name, ...args) => get('webidl', name)(...args);
    idl('makeCloneable', class {}, null);
    idl('makeTransferable', {});
    idl('isPlatformPrototype', {});
    idl('pairReaderOf', {});
    idl('typedArrayName', new Uint8Array(1));
    const url = new (get('url', 'URL'))('http://x/?a=b');
    void (url.href + url.origin + url.host + url.hostname + url.pathname + url.search + url.hash);
    url.searchParams.get('a');
    url.searchParams.has('a');
    get('timers', 'clearTimeout')(get('timers', 'setTimeout')(() => {}, 1));
    get('timers', 'setTimeout')(() => {});
    booted.entry(7, 1);
    get('fetch', 'fetch')('http://x/');
    booted.entry(5, 0, {
      status: 200,
      statusText: '',
      headers: ['a', 'b'],
      url: 'http://x/',
      redirected: false,
      body: 0,
    });
    get('console', 'console').log('a', 'b');
    const target = new (get('event_target', 'EventTarget'))();
    target.addEventListener('a', () => {});
    target.dispatchEvent(new (get('events', 'Event'))('a'));
  },
});
