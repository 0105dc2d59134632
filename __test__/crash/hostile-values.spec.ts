// What guests hand to the host: arguments of host functions, responses, errors and console lines made to
// break who reads them. The guest's request may fail; the host's process and its loop may not.

import test from 'ava';
import { runForAnswer } from '../support/child.js';

const PRELUDE = `
  import { IsolatePool, Runtime, Worker } from 'isolane';
  process.on('uncaughtException', (error) => { console.log(JSON.stringify({ uncaught: String(error) })); process.exit(3) });
  process.on('unhandledRejection', (error) => { console.log(JSON.stringify({ unhandled: String(error) })); process.exit(4) });
  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const pool = new IsolatePool({ limits: { cpuMs: 1000, wallMs: 60000, heapMb: 64 } });
  const calls = [];
  const env = { call: (...args) => { calls.push(args.length); return args[0] }, later: async (value) => value };
  let last = 0;
  const run = async (body, more = {}, options = {}) => {
    const id = 'w' + ++last;
    const outcome = await (async () => {
      try {
        await pool.deploy(id, { script: 'export default { async fetch(request, env, ctx) { ' + body + ' } }', env, ...more });
        const response = await pool.fetch(id, 'http://x', options);
        return { status: response.status, headers: [...response.headers].length, text: (await response.text()).slice(0, 200) };
      } catch (error) {
        const { code, guest } = error;
        return guest === undefined ? { code } : { code, name: guest.name, message: guest.message.slice(0, 100) };
      }
    })();
    await pool.evict(id);
    return outcome;
  };
  const finish = async (value) => {
    if ((await run('return new Response("alive")')).text !== 'alive') throw new Error('another worker failed');
    await pool.close();
    console.log(JSON.stringify(value));
  };
`;

/** Runs fetch handlers by these bodies, and gives their outcomes by name. */
function script(bodies: Record<string, string>, more = '{}'): string {
  return `${PRELUDE}
    const outcomes = {};
    for (const [name, body] of Object.entries(${JSON.stringify(bodies)})) outcomes[name] = await run(body, ${more});
    await finish(outcomes);`;
}

test.serial('arguments of host functions', async (t) => {
  const told = (call: string) =>
    `return Response.json(await ${call}.then((value) => ['given', typeof value], (error) => ['refused', error.name]))`;
  const bodies = {
    'a proxy': told(
      `env.call(new Proxy({}, { get() { throw new Error('mine') }, ownKeys() { throw new Error('mine') } }))`,
    ),
    'a proxy of an array': told(`env.call(new Proxy([1], {}))`),
    'a getter that throws': told(`env.call({ get a() { throw new RangeError('mine') } })`),
    'a getter that spins': `await env.call({ get a() { for (;;); } })`,
    'a thenable': told(`env.call({ then(resolve) { resolve('tricked') } })`),
    'a thenable inside': told(`env.later({ a: { then: 1 }, then: 2 })`),
    'a function': told(`env.call(() => {})`),
    'a symbol': told(`env.call(Symbol('x'))`),
    'a cyclic object': told(`env.call((() => { const o = {}; o.o = o; return o })())`),
    'a deep object': told(
      `env.call((() => { let o = {}; for (let n = 0; n < 1e5; n++) o = { o }; return o })())`,
    ),
    'a deep array': told(
      `env.call((() => { let o = []; for (let n = 0; n < 1e5; n++) o = [o]; return o })())`,
    ),
    'an object with __proto__': told(
      `env.call(JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}'))`,
    ),
    'a string of 200 MB': told(`env.call('x'.repeat(200 << 20))`),
    'a long string many times': told(`env.call(Array(1000).fill('x'.repeat(1 << 20)))`),
    'a buffer of 16 MB': told(`env.call(new Uint8Array(16 << 20))`),
    'a sparse array': told(`env.call((() => { const a = []; a[4294967294] = 1; return a })())`),
    'a detached buffer': told(
      `env.call((() => { const b = new ArrayBuffer(8); structuredClone(b, { transfer: [b] }); return b })())`,
    ),
    'an error with a poisoned stack': told(
      `env.call(Object.defineProperty(new Error('m'), 'stack', { get() { throw 1 } }))`,
    ),
    'an error with a huge message': told(`env.call(new Error('x'.repeat(10 << 20)))`),
    'a million arguments': told(`env.call.apply(null, Array(1e5).fill(0))`),
    'a bigint of a megabit': told(`env.call(2n ** 1000000n)`),
    'a regular expression that backtracks': told(`env.call(/^(a+)+$/)`),
  };
  const answer = (await runForAnswer(t, script(bodies))) as Record<string, { text?: string; code?: string }>;
  const outcomes = Object.fromEntries(
    Object.entries(answer).map(([name, { text, code }]) => [
      name,
      text === undefined ? code : JSON.parse(text),
    ]),
  );
  t.deepEqual(outcomes, {
    'a proxy': ['refused', 'DataCloneError'],
    'a proxy of an array': ['refused', 'DataCloneError'],
    'a getter that throws': ['refused', 'RangeError'],
    'a getter that spins': 'ERR_CPU_LIMIT',
    'a thenable': ['refused', 'DataCloneError'],
    'a thenable inside': ['given', 'object'],
    'a function': ['refused', 'DataCloneError'],
    'a symbol': ['refused', 'DataCloneError'],
    'a cyclic object': ['given', 'object'],
    'a deep object': ['refused', 'RangeError'],
    'a deep array': ['refused', 'RangeError'],
    'an object with __proto__': ['given', 'object'],
    'a string of 200 MB': ['refused', 'DataCloneError'],
    'a long string many times': ['refused', 'DataCloneError'],
    'a buffer of 16 MB': ['given', 'object'],
    'a sparse array': ['given', 'object'],
    'a detached buffer': ['refused', 'DataCloneError'],
    'an error with a poisoned stack': ['refused', null],
    'an error with a huge message': ['given', 'object'],
    'a million arguments': ['given', 'number'],
    'a bigint of a megabit': ['given', 'bigint'],
    'a regular expression that backtracks': ['given', 'object'],
  });
});

test.serial('calls of host functions that pile up are refused', async (t) => {
  const bodies = {
    'a million calls': `let refused = 0; for (let n = 0; n < 1e6; n++) { const call = env.later(n).catch(() => refused++); if (refused) break; if (n % 20000 === 0) await null; }
      return new Response(refused > 0 ? 'refused' : 'all taken')`,
    'after others were answered': `await Promise.allSettled(Array.from({ length: 12000 }, () => env.later(1))); return new Response(String(await env.later(5)))`,
  };
  const answer = (await runForAnswer(
    t,
    script(bodies, '{ limits: { cpuMs: 20000, wallMs: 60000, heapMb: 512, bufferMb: 128 } }'),
  )) as Record<string, { text?: string }>;
  t.is(answer['a million calls']?.text, 'refused');
  t.is(answer['after others were answered']?.text, '5');
});

test.serial('arguments that wait for the host count against the limits of the guest', async (t) => {
  const answer = await runForAnswer(
    t,
    `${PRELUDE}
    const body = 'const big = "x".repeat(30 << 20); const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => env.later(big))); return Response.json(outcomes.map((it) => it.status[0]).join(""))';
    await pool.deploy('big', { script: 'export default { async fetch(request, env) { ' + body + ' } }', env, limits: { cpuMs: 30000, wallMs: 60000, heapMb: 512, bufferMb: 128 } });
    const call = pool.fetch('big', 'http://x');
    // This thread takes nothing while it is busy itself.
    const end = Date.now() + 4000;
    while (Date.now() < end);
    await finish(await (await call).json());`,
  );
  t.is(answer, 'ffffrrrrrr');
});

test.serial('results of host functions', async (t) => {
  const answer = await runForAnswer(
    t,
    `${PRELUDE}
    const told = 'return Response.json(await env.f().then((value) => ["given", typeof value], (error) => ["refused", error.name, error.message.length]))';
    const results = {
      'a thenable': () => ({ then: (resolve) => resolve(5) }),
      'a thenable that rejects': () => ({ then: (_, reject) => reject(new TypeError('mine')) }),
      'a thenable that throws': () => ({ then() { throw new RangeError('mine') } }),
      'a getter that throws': () => ({ get a() { throw new SyntaxError('mine') } }),
      'a proxy': () => new Proxy({}, {}),
      'nothing': () => {},
      'a function': () => () => {},
      'a buffer of Node': () => Buffer.from('abc'),
      'an error': () => new Error('value'),
      'thrown: a string': () => { throw 'text' },
      'thrown: nothing': () => { throw undefined },
      'thrown: a poisoned error': () => { throw Object.defineProperty(new Error(), 'message', { get() { throw 1 } }) },
      'thrown: an error named by a symbol': () => { throw Object.assign(new Error('m'), { name: Symbol('n') }) },
      'thrown: a proxy': () => { throw new Proxy({}, { get() { throw 1 } }) },
      'thrown: null prototype': () => { throw Object.create(null) },
      'a string of 200 MB': () => 'x'.repeat(200 << 20),
      'bytes of 200 MB': () => new Uint8Array(200 << 20),
      'two million arrays': () => Array.from({ length: 2e6 }, (_, n) => [n]),
    };
    const outcomes = {};
    for (const [name, f] of Object.entries(results)) {
      const { text, code } = await run(told, { env: { f } });
      outcomes[name] = text === undefined ? code : JSON.parse(text);
    }
    await finish(outcomes);`,
  );
  t.deepEqual(answer, {
    'a thenable': ['given', 'number'],
    'a thenable that rejects': ['refused', 'TypeError', 4],
    'a thenable that throws': ['refused', 'RangeError', 4],
    'a getter that throws': ['refused', 'SyntaxError', 4],
    'a proxy': ['refused', 'Error', 30],
    nothing: ['given', 'undefined'],
    'a function': ['refused', 'Error', 29],
    'a buffer of Node': ['given', 'object'],
    'an error': ['given', 'object'],
    'thrown: a string': ['refused', 'Error', 4],
    'thrown: nothing': ['refused', 'Error', 9],
    'thrown: a poisoned error': ['refused', 'Error', 24],
    'thrown: an error named by a symbol': ['refused', 'Symbol(n)', 1],
    'thrown: a proxy': ['refused', 'Error', 24],
    'thrown: null prototype': ['refused', 'Error', 24],
    'a string of 200 MB': ['refused', 'RangeError', 39],
    'bytes of 200 MB': ['refused', 'RangeError', 39],
    'two million arrays': 'ERR_HEAP_LIMIT',
  });
});

test.serial('responses', async (t) => {
  const bodies = {
    'a hundred thousand headers': `const h = new Headers(); for (let n = 0; n < 1e5; n++) h.append('x-' + n, 'v'); return new Response('b', { headers: h })`,
    'a hundred thousand cookies': `const h = new Headers(); for (let n = 0; n < 1e5; n++) h.append('set-cookie', 'a=' + n); return new Response('b', { headers: h })`,
    'a header of 10 MB': `return new Response('b', { headers: { x: 'v'.repeat(10 << 20) } })`,
    'a header name with a line feed': `return new Response('b', { headers: { 'x\\ny': 'v' } })`,
    'a header value with a line feed': `return new Response('b', { headers: { x: 'v\\nset-cookie: a' } })`,
    'an empty header name': `return new Response('b', { headers: { '': 'v' } })`,
    'a status text of 10 MB': `return new Response('b', { statusText: 'x'.repeat(10 << 20) })`,
    'a status text with a line feed': `return new Response('b', { statusText: 'a\\nb' })`,
    'status 99999': `return new Response('b', { status: 99999 })`,
    'status 101': `return new Response(null, { status: 101 })`,
    'headers changed behind its back': `Headers.prototype.entries = Headers.prototype[Symbol.iterator] = Headers.prototype.forEach = function* () { yield ['bad\\nname', 'v'] }; return new Response('b', { headers: { a: 'b' } })`,
    'getters on Object.prototype': `for (const key of ['status', 'headers', 'statusText', 'body']) Object.defineProperty(Object.prototype, key, { get() { throw new Error('mine') }, configurable: true }); return new Response('b')`,
    'a subclass with getters': `class R extends Response { get status() { throw 1 } get headers() { for (;;); } get body() { throw 2 } } return new R('b')`,
    'a proxy of a Response': `return new Proxy(new Response('b'), { get() { throw new Error('mine') } })`,
    'a thenable': `return { then(resolve) { resolve(new Response('b')) } }`,
    'a thenable that spins': `return { then() { for (;;); } }`,
    undefined: `return undefined`,
    'a number': `return 1`,
    'an object': `return {}`,
    'one object twice': `globalThis.r ??= new Response('b'); await globalThis.r.text(); return globalThis.r`,
  };
  const answer = (await runForAnswer(t, script(bodies))) as Record<string, { message?: string }>;
  for (const outcome of Object.values(answer)) delete outcome.message;
  t.deepEqual(answer, {
    'a hundred thousand headers': { status: 200, headers: 100_001, text: 'b' },
    'a hundred thousand cookies': { code: 'ERR_RESPONSE_LIMIT' },
    'a header of 10 MB': { code: 'ERR_RESPONSE_LIMIT' },
    'a header name with a line feed': guestError('TypeError'),
    'a header value with a line feed': guestError('TypeError'),
    'an empty header name': guestError('TypeError'),
    'a status text of 10 MB': { code: 'ERR_RESPONSE_LIMIT' },
    'a status text with a line feed': guestError('TypeError'),
    'status 99999': guestError('RangeError'),
    'status 101': guestError('RangeError'),
    'headers changed behind its back': { status: 200, headers: 2, text: 'b' },
    'getters on Object.prototype': { status: 200, headers: 1, text: 'b' },
    'a subclass with getters': { status: 200, headers: 1, text: 'b' },
    'a proxy of a Response': { code: 'ERR_WORKER_EXCEPTION', name: 'Error' },
    'a thenable': { status: 200, headers: 1, text: 'b' },
    'a thenable that spins': { code: 'ERR_CPU_LIMIT' },
    undefined: { code: 'ERR_NO_RESPONSE' },
    'a number': { code: 'ERR_NO_RESPONSE' },
    'an object': { code: 'ERR_NO_RESPONSE' },
    'one object twice': guestError('TypeError'),
  });

  function guestError(name: string): object {
    return { code: 'ERR_WORKER_EXCEPTION', name };
  }
});

test.serial('errors', async (t) => {
  const bodies = {
    'a message that throws': `throw Object.defineProperty(new Error(), 'message', { get() { throw 1 } })`,
    'a message that spins': `throw Object.defineProperty(new Error(), 'message', { get() { for (;;); } })`,
    'a stack that throws': `throw Object.defineProperty(new Error('m'), 'stack', { get() { throw 1 } })`,
    'a name that is a symbol': `throw Object.assign(new Error('m'), { name: Symbol('s') })`,
    'a toString that throws': `throw { toString() { throw 1 } }`,
    'a toString that spins': `throw { toString() { for (;;); }, get message() { for (;;); } }`,
    'a proxy': `throw new Proxy(new Error('m'), { get() { throw 1 } })`,
    'a chain of causes': `let error = new Error('0'); for (let n = 0; n < 1e4; n++) error = new Error('m', { cause: error }); throw error`,
    'a cause that is itself': `const error = new Error('m'); error.cause = error; throw error`,
    'a message of 50 MB': `throw new Error('x'.repeat(50 << 20))`,
    'a name of 50 MB': `throw Object.assign(new Error('m'), { name: 'n'.repeat(50 << 20) })`,
    null: `throw null`,
    undefined: `throw undefined`,
    'a symbol': `throw Symbol('s')`,
    'a prepareStackTrace that spins': `Error.prepareStackTrace = () => { for (;;); }; throw new Error('m')`,
    'a prepareStackTrace that throws': `Error.prepareStackTrace = () => { throw new TypeError('t') }; throw new Error('m')`,
    'a prepareStackTrace that gives an object': `Error.prepareStackTrace = (_, frames) => frames; throw new Error('m')`,
    'a stack trace without end': `Error.stackTraceLimit = Infinity; const f = (n) => { if (n === 0) throw new Error('m'); f(n - 1) }; f(5000)`,
    'lone surrogates': `throw new Error('\\ud800')`,
  };
  const answer = (await runForAnswer(t, script(bodies))) as Record<
    string,
    { code: string; name?: string; message?: string }
  >;
  for (const [name, outcome] of Object.entries(answer)) {
    t.is(outcome.code, name.endsWith('spins') ? 'ERR_CPU_LIMIT' : 'ERR_WORKER_EXCEPTION', name);
  }
  t.is(Object.keys(answer).length, Object.keys(bodies).length);
  t.deepEqual(answer.null, { code: 'ERR_WORKER_EXCEPTION', name: 'Error', message: 'null' });
  t.is(answer['a name that is a symbol']?.message, 'm');
  t.is(answer['a message of 50 MB']?.message, 'x'.repeat(100));
});

test.serial('errors that nobody caught stay with the request that they belong to', async (t) => {
  const answer = await runForAnswer(
    t,
    `${PRELUDE}
    const bodies = {
      rejection: 'Promise.reject(new Error("mine")); return new Response("fine")',
      'rejection with nothing': 'Promise.reject(); return new Response("fine")',
      'rejection with a symbol': 'Promise.reject(Symbol("mine")); return new Response("fine")',
      'rejection with a proxy': 'Promise.reject(new Proxy({}, { get() { throw 1 } })); return new Response("fine")',
      timer: 'setTimeout(() => { throw new Error("mine") }, 1); await new Promise((r) => setTimeout(r, 5)); return new Response("fine")',
      listener: 'const t = new EventTarget(); t.addEventListener("x", () => { throw new Error("mine") }); t.dispatchEvent(new Event("x")); return new Response("fine")',
      waitUntil: 'ctx.waitUntil(Promise.reject(new Error("mine"))); return new Response("fine")',
    };
    const outcomes = {};
    for (const [name, body] of Object.entries(bodies)) {
      const lines = [];
      const { text } = await run(body, {}, { onLog: ({ level, message }) => lines.push(level + ' ' + message.split('\\n')[0].slice(0, 60)) });
      await later(5);
      outcomes[name] = [text, ...lines];
    }
    await finish(outcomes);`,
  );
  t.deepEqual(answer, {
    rejection: ['fine', 'error Uncaught (in promise) Error: mine'],
    'rejection with nothing': ['fine', 'error Uncaught (in promise) Error: undefined'],
    'rejection with a symbol': ['fine', 'error Uncaught (in promise) Error: Symbol(mine)'],
    'rejection with a proxy': ['fine', 'error Uncaught (in promise) Error: #<Object>'],
    timer: ['fine', 'error Uncaught Error: mine'],
    listener: ['fine', 'error Uncaught Error: mine'],
    waitUntil: ['fine', 'error Uncaught Error: mine'],
  });
});

test.serial('answers of event listeners', async (t) => {
  const answer = await runForAnswer(
    t,
    `${PRELUDE}
    const scripts = {
      'no handler': 'export default {}',
      'no export': 'globalThis.x = 1',
      'a handler that is no function': 'export default { fetch: 5 }',
      'a handler that is a getter that throws': 'export default { get fetch() { throw new RangeError("mine") } }',
      'an export that is a proxy': 'export default new Proxy({}, { get() { throw new RangeError("mine") } })',
      'respondWith twice': 'addEventListener("fetch", (event) => { event.respondWith(new Response("first")); event.respondWith(new Response("second")) })',
      'respondWith after await': 'addEventListener("fetch", async (event) => { await null; event.respondWith(new Response("late")) })',
      'a listener that throws': 'addEventListener("fetch", () => { throw new RangeError("mine") })',
      'respondWith and then a throw': 'addEventListener("fetch", (event) => { event.respondWith(new Response("fine")); throw new RangeError("mine") })',
    };
    const outcomes = {};
    for (const [name, script] of Object.entries(scripts)) {
      outcomes[name] = await new Worker(script).fetch('http://x').then((response) => response.text(), (error) => error.code);
    }
    await finish(outcomes);`,
  );
  t.deepEqual(answer, {
    'no handler': 'ERR_NO_HANDLER',
    'no export': 'ERR_NO_HANDLER',
    'a handler that is no function': 'ERR_NO_HANDLER',
    'a handler that is a getter that throws': 'ERR_WORKER_EXCEPTION',
    'an export that is a proxy': 'ERR_WORKER_EXCEPTION',
    'respondWith twice': 'first',
    'respondWith after await': 'ERR_NO_RESPONSE',
    'a listener that throws': 'ERR_NO_RESPONSE',
    'respondWith and then a throw': 'fine',
  });
});

test.serial('large values from the host meet the limits of the isolate', async (t) => {
  const answer = await runForAnswer(
    t,
    `${PRELUDE}
    const ended = (promise) => promise.then(async (response) => [response.status, await response.text()], (error) => error.code);
    const size = 'export default { async fetch(request) { return new Response(String((await request.text()).length)) } }';
    const streamed = 'export default { async fetch(request) { let n = 0; for await (const chunk of request.body) n += chunk.length; return new Response(String(n)) } }';
    const big = 'x'.repeat(200 << 20), bytes = new Uint8Array(200 << 20), wide = 'é'.repeat(100 << 20);
    const chunks = () => new ReadableStream({ n: 0, pull(c) { if (this.n++ === 100) c.close(); else c.enqueue(new Uint8Array(2 << 20)) } });
    const post = (body) => ({ url: 'http://x', method: 'POST', body });
    await pool.deploy('size', size);
    await pool.deploy('streamed', streamed);
    const outcomes = {
      string: await ended(pool.fetch('size', post(big))),
      'wide string': await ended(pool.fetch('size', post(wide))),
      bytes: await ended(pool.fetch('size', post(bytes))),
      'stream, collected': await ended(pool.fetch('size', post(chunks()))),
      'stream, read': await ended(pool.fetch('streamed', post(chunks()))),
      url: await ended(pool.fetch('size', 'http://x/' + 'y'.repeat(50 << 20))),
      header: await ended(pool.fetch('size', { url: 'http://x', headers: { a: 'y'.repeat(100 << 20) } })),
      env: await ended(pool.deploy('env', { script: size, env: { big } }).then(() => ({ status: 0, text: () => '' }))),
      evaluate: await ended(new Runtime({ limits: { heapMb: 64, cpuMs: 5000 } }).evaluate('"' + big + '".length').then((n) => ({ status: n, text: () => '' }))),
      after: await ended(pool.fetch('size', post('four'))),
    };
    await finish(outcomes);`,
  );
  t.deepEqual(answer, {
    string: 'ERR_HEAP_LIMIT',
    'wide string': 'ERR_HEAP_LIMIT',
    bytes: 'ERR_BUFFER_LIMIT',
    'stream, collected': 'ERR_BUFFER_LIMIT',
    'stream, read': [200, String(200 << 20)],
    url: [200, '0'],
    header: 'ERR_HEAP_LIMIT',
    env: 'ERR_HEAP_LIMIT',
    evaluate: 'ERR_HEAP_LIMIT',
    after: [200, '4'],
  });
});

test.serial('buffers of one worker never hold what another has left', async (t) => {
  const answer = await runForAnswer(
    t,
    `${PRELUDE}
    const secret = 'SECRET-OF-A-';
    const guest = (body) => ({ script: 'export default { async fetch(_, env) { ' + body + ' } }', env: { secret: secret.repeat(5000) } });
    const a = new Worker(guest('const kept = []; for (let n = 0; n < 50; n++) kept.push(new TextEncoder().encode(env.secret)); return new Response(kept[0])'));
    const b = new Worker({ ...guest('let dirty = 0; for (const size of [8, 64, 65, 100, 4096, 60000, 1 << 20]) for (let n = 0; n < 8; n++) { const u = new Uint8Array(size); for (let k = 0; k < size; k++) if (u[k] !== 0) dirty++; } return new Response(String(dirty))'), env: {}, limits: { cpuMs: 5000 } });
    let dirty = 0;
    for (let n = 0; n < 40; n += 1) {
      await a.fetch('http://x');
      dirty += Number(await (await b.fetch('http://x')).text());
    }
    await finish(dirty);`,
  );
  t.is(answer, 0);
});

test.serial('code caches and snapshots of others are not taken', async (t) => {
  const answer = await runForAnswer(
    t,
    `${PRELUDE}
    const outcomes = {};
    for (const key of ['codeCache', 'cachedData', 'snapshot', 'snapshotBlob']) {
      outcomes[key] = await pool.deploy('a', { script: 'export default {}', [key]: new Uint8Array(100) }).then(() => 'taken', (error) => error.code);
    }
    // Equal names, other sources: what is cached is found by the source alone.
    for (const n of [1, 2]) outcomes[n] = await (await new Worker('export default { fetch: () => new Response("' + n + '") }').fetch('http://x')).text();
    await finish(outcomes);`,
  );
  const refused = 'ERR_INVALID_ARG';
  t.deepEqual(answer, {
    codeCache: refused,
    cachedData: refused,
    snapshot: refused,
    snapshotBlob: refused,
    1: '1',
    2: '2',
  });
});
