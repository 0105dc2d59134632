// Arrays that have become too long for V8 are an error, or end by a limit, and not the process.
// modes: worker context pool process
// limits: cpu=1500
// late: 8000
// expect: response 200 ok | limit cpu | memory
const text = 'x'.repeat(2 ** 28) + 'y';
const attempts = [() => text.split(''), () => text.split('x'), () => text.split(/x/), () => text.match(/x/g), () => JSON.parse('[' + '0,'.repeat(2 ** 27) + '0]'), () => Array.prototype.toSorted.call(text), () => Array.prototype.slice.call(text), () => { const a = []; a.length = 2 ** 28; a.sort(); }, () => String.prototype.split.call({ toString: () => text }, ''), () => JSON.parse({ toString: () => '[' + '0,'.repeat(2 ** 27) + '0]' })];
for (const attempt of attempts) { try { attempt(); return new Response(String(attempt)); } catch (error) { if (!(error instanceof RangeError)) throw error; } }
return new Response('ok');
