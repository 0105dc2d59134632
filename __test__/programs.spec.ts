// Programs of npm's, bundled as their users do and otherwise unchanged, each used as its own README does.

import path from 'node:path';
import test from 'ava';
import { build } from 'esbuild';
import { IsolatePool, type WorkerDefinition, type WorkerResponse } from '../index.js';

const pool = new IsolatePool({ limits: { cpuMs: 5000 } });
test.after.always(() => pool.close());

type Fetch = (target: string, init?: RequestInit) => Promise<WorkerResponse>;

/** The worker of `programs/<file>`, bundled with what it imports. */
async function program(file: string, env: NonNullable<WorkerDefinition['env']> = {}): Promise<Fetch> {
  const { outputFiles } = await build({
    entryPoints: [path.join(__dirname, 'programs', file)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['worker'],
    jsx: 'automatic',
    logLevel: 'silent',
  });
  const script = outputFiles[0]?.text ?? '';
  await pool.deploy(file, { script, env });
  return (target, init) => pool.fetch(file, new Request(`http://program.test${target}`, init));
}

function post(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

test('hono routes, reads bodies and cookies, streams, and answers errors', async (t) => {
  const fetch = await program('hono.ts', { GREETING: 'hi' });
  t.is(await (await fetch('/')).text(), 'Hello Hono!');
  const user = await fetch('/users/42?page=3', { headers: { origin: 'http://other.test' } });
  t.deepEqual(await user.json(), { id: '42', page: '3', said: 'hi' });
  t.is(user.headers.get('access-control-allow-origin'), '*');
  const echoed = await fetch('/echo', post({ a: [1, null] }));
  t.deepEqual([echoed.status, await echoed.json()], [201, { a: [1, null] }]);
  const form = new FormData();
  form.set('name', 'Ada');
  form.set('file', new File(['content'], 'a.txt'));
  t.is(await (await fetch('/form', { method: 'POST', body: form })).text(), 'Ada a.txt content');
  const cookie = await fetch('/cookie', { headers: { cookie: 'name=me' } });
  t.is(await cookie.text(), 'me');
  t.is(cookie.headers.get('set-cookie'), 'seen=yes; Path=/; HttpOnly');
  t.is(await (await fetch('/stream')).text(), 'abc');
  const teapot = await fetch('/fails');
  t.deepEqual([teapot.status, await teapot.text()], [418, 'a teapot']);
  t.is((await fetch('/nowhere')).status, 404);
});

test('itty-router routes, and stops in middleware', async (t) => {
  const fetch = await program('itty-router.ts');
  t.is(await (await fetch('/hello')).json(), 'Hello, world!');
  t.is((await fetch('/me')).status, 401);
  t.deepEqual(await (await fetch('/me', { headers: { 'x-user': 'ada' } })).json(), { user: 'ada' });
  t.deepEqual(await (await fetch('/sum', post([1, 2, 39]))).json(), { sum: 42 });
  t.is((await fetch('/nowhere')).status, 404);
});

test('zod accepts what fits, and says what does not', async (t) => {
  const fetch = await program('zod.ts');
  const good = await fetch('/', post({ name: 'Ada', age: '36' }));
  t.deepEqual(await good.json(), { name: 'Ada', age: 36, tags: [] });
  const bad = await fetch('/', post({ name: 'A', age: -1, email: 'nothing', tags: ['c'] }));
  t.is(bad.status, 422);
  t.deepEqual(Object.keys((await bad.json()) as object).sort(), ['age', 'email', 'name', 'tags']);
});

test('jose signs, verifies, encrypts, and refuses a forged token', async (t) => {
  const fetch = await program('jose.ts');
  t.deepEqual(await (await fetch('/')).json(), {
    subjects: ['hmac', 'ES256', 'EdDSA', 'PS256', 'RS256'],
    opened: 'sealed',
    refused: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  });
});

test('graphql-js resolves nested queries, and names errors', async (t) => {
  const fetch = await program('graphql.ts');
  const query = 'query ($id: ID!) { hello user(id: $id) { name friends(first: 1) { name } } }';
  t.deepEqual(await (await fetch('/', post({ query, variables: { id: 1 } }))).json(), {
    data: { hello: 'Hello world!', user: { name: 'Brendan', friends: [{ name: 'Ada' }] } },
  });
  const { errors } = (await (await fetch('/', post({ query: '{ nothing }' }))).json()) as {
    errors: Array<{ message: string }>;
  };
  t.is(errors[0]?.message, 'Cannot query field "nothing" on type "Query".');
});

test('marked renders Markdown', async (t) => {
  const fetch = await program('marked.ts');
  const body = '# The Title\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n- [x] done <b>\n\n```js\n1 < 2\n```\n';
  const html = await (await fetch('/', { method: 'POST', body })).text();
  t.true(html.startsWith('<h1 id="the-title">The Title</h1>\n'));
  t.true(html.includes('<td><strong>2</strong></td>'));
  t.true(html.includes('<input checked="" disabled="" type="checkbox">'));
  t.true(html.includes('<pre><code class="language-js">1 &lt; 2\n</code></pre>'));
});

test("drizzle builds queries and reads the host's rows", async (t) => {
  const asked: Array<{ sql: string; params: unknown[] }> = [];
  const query = (sql: string, params: unknown[]) => {
    asked.push({ sql, params });
    return { rows: [['Ada', 3]] };
  };
  const fetch = await program('drizzle.ts', { query });
  t.deepEqual(await (await fetch('/')).json(), {
    found: [{ name: 'Ada', posts: 3 }],
    insert: {
      sql: 'insert into "users" ("id", "name", "age") values (null, ?, ?)',
      params: ['Ada', 36],
    },
  });
  t.deepEqual(asked, [
    {
      sql: 'select "users"."name", count("posts"."id") from "users" left join "posts" on "posts"."author" = "users"."id" where ("users"."age" > ? and ("users"."name" like ? or "users"."id" = ?)) group by "users"."id" order by "users"."age" desc limit ?',
      params: [30, 'A%', 7, 2],
    },
  ]);
});

test('preact renders components with hooks and context', async (t) => {
  const fetch = await program('preact.tsx');
  t.is(
    await (await fetch('/?name=Ada&name=%3CBob%3E')).text(),
    '<!DOCTYPE html><h1 style="color:red;">Names</h1><ul><li class="dark" data-length="3">Ada</li><li class="dark" data-length="5">&lt;Bob></li></ul>',
  );
});

test('nanoid makes ids that differ', async (t) => {
  const fetch = await program('nanoid.ts');
  const { ids, digits } = (await (await fetch('/')).json()) as { ids: string[]; digits: string };
  t.is(new Set(ids).size, 1000);
  t.true(ids.every((id) => /^[\w-]{21}$/.test(id)));
  t.regex(digits, /^\d{12}$/);
});

test('date-fns calculates, and formats by locale', async (t) => {
  const fetch = await program('date-fns.ts');
  t.deepEqual(await (await fetch('/?from=2024-01-31')).json(), {
    to: '2024-02-29',
    days: 29,
    each: 30,
    german: 'Mittwoch, 31. Januar 2024',
    distance: '29 days',
  });
});
