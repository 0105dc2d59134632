// Line breaks do not get into a head.
// modes: worker context pool process
// expect: response 200 ok
for (const value of ['a\r\nb: c', 'a\nb', 'a\0b']) {
  for (const make of [() => new Headers([['a', value]]), () => new Headers([[value, 'a']]), () => new Response('', { headers: { a: value } }), () => new Response('', { statusText: value }), () => new Request('http://a/', { method: value }), () => new Headers().append('a', value)]) {
    try { make(); return new Response(`${JSON.stringify(value)} ${make}`); } catch (error) { if (!(error instanceof TypeError || error instanceof RangeError)) throw error; }
  }
}
return new Response('ok');
