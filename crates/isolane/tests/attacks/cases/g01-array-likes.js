// Generic methods on lengths that nothing has are refused at once, and do not hold a thread.
// modes: worker context pool process
// limits: cpu=2000
// expect: response 200 ok
const huge = () => ({ length: 2 ** 53 - 1 });
const long = () => ({ length: 2 ** 32 - 2 });
const sparse = () => { const array = []; array.length = 2 ** 32 - 2; return array; };
const methods = {
  concat: [], copyWithin: [0, 1], every: [Boolean], fill: [1], filter: [Boolean], find: [Boolean], findIndex: [Boolean], findLast: [Boolean],
  findLastIndex: [Boolean], flat: [], flatMap: [Boolean], forEach: [Boolean], includes: [1], indexOf: [1], join: [''], lastIndexOf: [1], map: [Boolean],
  reduce: [Math.max, 0], reduceRight: [Math.max, 0], reverse: [], shift: [], slice: [0], some: [Boolean], sort: [], splice: [0, 1], toLocaleString: [],
  toReversed: [], toSorted: [], toSpliced: [0, 1], unshift: [1], with: [0, 1],
};
for (const [name, args] of Object.entries(methods)) {
  for (const make of [huge, long, sparse]) {
    try { Array.prototype[name].apply(make(), args); return new Response(`${name} ${make}`); } catch (error) { if (!(error instanceof RangeError)) throw error; }
  }
}
for (const call of [() => Array.from(huge()), () => String.raw({ raw: huge() }), () => [sparse()].flat(), () => [1].flatMap(sparse), () => new Array(1e4).fill(new Array(1e5).fill(0)).flat()]) {
  try { call(); return new Response(String(call)); } catch (error) { if (!(error instanceof RangeError)) throw error; }
}
return new Response('ok');
