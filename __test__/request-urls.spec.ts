// Request URLs: whatever is valid arrives as `URL` writes it, whatever is not is refused.

import test from 'ava';
import { executePooled } from '../index.js';
import { newId } from './support/workers.js';

const id = newId();
const script = `export default { fetch: (request) => new Response(request.url) }`;

const VALID = [
  'http://x',
  'http://x/',
  'https://worker.test/path?x=1#fragment',
  'HTTP://WORKER.test/Path',
  'http://x:80/a',
  'http://x:8080',
  'https://x:443/',
  'http://a-b.c--d.test/',
  'http://x/a/../b/./c',
  'http://x/%2e%2e/d',
  'http://x/a b',
  'http://x/?q=\'"<>`{}|^',
  'http://x/é?é#é',
  'http://bücher.example/',
  'http://xn--bcher-kva.example/',
  'http://127.0.0.1/',
  'http://0x7f.1/',
  'http://[::1]:81/',
  'http://x.',
  'http:x',
  'http:///x/y',
  'http://x\\y',
  ' http://x/ ',
  'http://x/a\nb\tc',
  'http://x?',
  'http://x#',
  `http://x/${'a'.repeat(5000)}`,
];
for (const url of VALID) {
  test(`${JSON.stringify(url).slice(0, 60)} arrives normalised`, async (t) => {
    t.is(await (await executePooled(id, script, url)).text(), new URL(url).href);
  });
}

const INVALID = [
  '',
  'x',
  '/a',
  '//x/a',
  'http://',
  'http:// x/',
  'http://x:99999/',
  'http://x:80a/',
  'http://1.2.3.4.5/',
  'http://256.1.1.1/',
  'http://xn--a/',
  'http://a.xn--/',
  'http://[::1/',
  'http://a<b/',
  'http://a%00b/',
  'ftp://x/',
  'javascript:1',
  'http://user@x/',
  'http://user:pass@x/',
];
for (const url of INVALID) {
  test(`${JSON.stringify(url)} is refused`, async (t) => {
    await t.throwsAsync(executePooled(id, script, url), {
      code: 'ERR_INVALID_ARG',
      message: /^request: expected an absolute/,
    });
  });
}
