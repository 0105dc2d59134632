// FileReader, blob: and data: URLs, and MIME types of bodies. What the tests assert runs in the guest.

import test from 'ava';
import { passes } from '../support/guest.js';

test('file readers read in tasks and can be aborted', async (t) => {
  await passes(
    t,
    String.raw`
    function read(blob, method, ...args) {
      const reader = new FileReader();
      const events = [];
      for (const type of ['loadstart', 'progress', 'load', 'error', 'loadend']) {
        reader.addEventListener(type, (event) => events.push(event.type + ' ' + event.loaded));
      }
      return new Promise((resolve) => {
        reader.onloadend = () => resolve([reader.result, events]);
        reader[method](blob, ...args);
        throws('InvalidStateError', () => reader[method](blob));
      });
    }
    const blob = new Blob(['h\u00e9'], { type: 'text/x' });
    const [text, events] = await read(blob, 'readAsText');
    same(text, 'h\u00e9');
    same(events, ['loadstart 0', 'progress 3', 'load 3', 'loadend 3']);
    same((await read(blob, 'readAsDataURL'))[0], 'data:text/x;base64,aMOp');
    same((await read(blob, 'readAsBinaryString'))[0], 'h\u00c3\u00a9');
    same((await read(blob, 'readAsArrayBuffer'))[0].byteLength, 3);
    same((await read(new Blob([new Uint8Array([0xfe, 0xff, 0, 0x61])]), 'readAsText', 'utf-8'))[0], 'a');
    same((await read(new Blob([new Uint8Array([0xe9])], { type: 'text/x;charset=latin1' }), 'readAsText'))[0], '\u00e9');
    const aborted = new FileReader();
    const seen = [];
    for (const type of ['loadstart', 'abort', 'load', 'loadend']) aborted['on' + type] = () => seen.push(type);
    aborted.readAsText(blob);
    aborted.abort();
    await task();
    await task();
    same([seen, aborted.readyState, aborted.result], [['abort', 'loadend'], FileReader.DONE, null]);
    throws('TypeError', () => new FileReader().readAsText('text'));`,
  );
});

test('blob urls are fetched until they are revoked', async (t) => {
  await passes(
    t,
    `
    const url = URL.createObjectURL(new Blob(['0123456789'], { type: 'text/x' }));
    same(url.startsWith('blob:null/'), true);
    const response = await fetch(url + '#part');
    same([response.status, response.headers.get('content-type'), response.url], [200, 'text/x', url]);
    same(await response.text(), '0123456789');
    const range = await fetch(url, { headers: { range: 'bytes=-3' } });
    same([range.status, range.headers.get('content-range'), await range.text()], [206, 'bytes 7-9/10', '789']);
    await rejects('TypeError', fetch(url, { headers: { range: 'bytes=10-' } }));
    await rejects('TypeError', fetch(url, { method: 'POST' }));
    await rejects('TypeError', fetch(url + '?query'));
    const request = new Request(url);
    URL.revokeObjectURL(url);
    await rejects('TypeError', fetch(url));
    same(await (await fetch(request.clone())).text(), '0123456789');
    throws('TypeError', () => URL.createObjectURL({}));`,
  );
});

test('data urls are fetched', async (t) => {
  await passes(
    t,
    `
    async function get(url, init) {
      const response = await fetch(url, init);
      return [response.headers.get('content-type'), await response.text()];
    }
    same(await get('data:,a%20b#c'), ['text/plain;charset=US-ASCII', 'a b']);
    same(await get('data:text/html ; charset=x;base64,YWI='), ['text/html;charset=x', 'ab']);
    same(await get('data:;charset=x,c', { method: 'HEAD' }), ['text/plain;charset=x', '']);
    same(await get('data:image/png;base64;x,YQ'), ['image/png', 'YQ']);
    await rejects('TypeError', fetch('data:text/plain'));
    await rejects('TypeError', fetch('data:;base64,a'));
    await rejects('TypeError', fetch('about:blank'));`,
  );
});

test('content types are read as mime types', async (t) => {
  await passes(
    t,
    String.raw`
    const typeOf = async (header) => {
      const { type } = await new Response('', { headers: { 'content-type': header } }).blob();
      return type;
    };
    same(await typeOf('TEXT/Html ; A="b\\\"c" ;a=2'), 'text/html;a="b\\"c"');
    same(await typeOf('text/plain;charset=x, text/plain'), 'text/plain;charset=x');
    same(await typeOf('text/plain;charset=x, text/css, */*'), 'text/css');
    same(await typeOf('nonsense'), '');
    const form = new FormData();
    form.append('a', '\uFEFFb');
    const copy = await new Response(form).formData();
    same(copy.get('a'), '\uFEFFb');`,
  );
});
