// What is of ordinary length behaves as the language says, guarded or not.
// modes: worker context pool process
// expect: response 200 ok
const check = (is, wanted) => { if (JSON.stringify(is) !== JSON.stringify(wanted)) throw new Error(`${JSON.stringify(is)} is not ${JSON.stringify(wanted)}`); };
const a = [3, 1, 2];
check(a.concat(4, [5], [[6]]), [3, 1, 2, 4, 5, [6]]);
check([].concat(), []);
check([1, 2, 3, 4, 5].copyWithin(0, 3), [4, 5, 3, 4, 5]);
check([a.every((n) => n > 0), a.some((n) => n > 2), a.includes(2), a.includes(NaN), a.indexOf(2), a.indexOf(3, 1), a.lastIndexOf(3), a.lastIndexOf(2, -2), a.lastIndexOf(2, undefined)], [true, true, true, false, 2, -1, 0, -1, -1]);
check([a.find((n) => n < 3), a.findIndex((n) => n < 3), a.findLast((n) => n < 3), a.findLastIndex((n) => n > 5)], [1, 1, 2, -1]);
check([a.reduce((x, y) => x + y), a.reduce((x, y) => x + y, 'x'), a.reduceRight((x, y) => `${x}${y}`), a.reduce(() => 1, undefined)], [6, 'x312', '213', 1]);
check([a.join(), a.join(''), a.join(undefined), String([1, [2, 3]]), a.toLocaleString()], ['3,1,2', '312', '3,1,2', '1,2,3', '3,1,2']);
check([a.slice(), a.slice(1), a.slice(-1), a.slice(0, undefined), a.map((n) => n * 2), a.filter((n) => n > 1)], [[3, 1, 2], [1, 2], [2], [3, 1, 2], [6, 2, 4], [3, 2]]);
check([[1, [2, [3, [4]]]].flat(), [1, [2, [3, [4]]]].flat(Infinity), [1, [2, [3]]].flat(0), [1, 2].flatMap((n) => [n, [n]])], [[1, 2, [3, [4]]], [1, 2, 3, 4], [1, [2, [3]]], [1, [1], 2, [2]]]);
check([a.toSorted(), a.toSorted((x, y) => y - x), a.toReversed(), a.with(1, 9), a.toSpliced(1, 1, 7, 8), a.toSpliced(1), a.toSpliced()], [[1, 2, 3], [3, 2, 1], [2, 1, 3], [3, 9, 2], [3, 7, 8, 2], [3], [3, 1, 2]]);
const b = [1, 2, 3, 4];
check([b.splice(1, 2, 'x'), b, b.splice(1), b, b.splice(), b, b.unshift(), b.unshift(8, 9), b, b.shift(), b.reverse(), b.sort(), b.fill(0, 1)], [[2, 3], [0, 0], ['x', 4], [0, 0], [], [0, 0], 1, 3, [0, 0], 8, [0, 0], [0, 0], [0, 0]].map((x, i) => ([1, 3, 5, 8, 10, 11, 12].includes(i) ? [1, 0] : x)));
check(Array.prototype.slice.call('abc', 1), ['b', 'c']);
check((function () { return Array.prototype.map.call(arguments, (n) => n + 1); })(1, 2), [2, 3]);
check([Array.from('ab'), Array.from({ length: 2 }, (_, i) => i), Array.from(new Set([1]), function (n) { return n + this.a; }, { a: 1 })], [['a', 'b'], [0, 1], [2]]);
check(['a,b'.split(','), 'a,b'.split(',', 1), 'ab'.split(''), 'ab'.split(), 'abc'.match(/b(c)/)?.slice(), 'aXbX'.match(/X/g), 'a'.match(/x/)], [['a', 'b'], ['a'], ['a', 'b'], ['ab'], ['bc', 'c'], ['X', 'X'], null]);
check([JSON.parse('{"a":[1]}', (key, value) => (Array.isArray(value) ? 'list' : value)), String.raw`a\n${1}`, JSON.parse({ toString: () => '5' })], [{ a: 'list' }, 'a\\n1', 5]);
const lengths = { concat: 1, copyWithin: 2, every: 1, fill: 1, flat: 0, flatMap: 1, forEach: 1, indexOf: 1, join: 1, lastIndexOf: 1, reduce: 1, reverse: 0, shift: 0, slice: 2, sort: 1, splice: 2, toLocaleString: 0, toSpliced: 2, unshift: 1, with: 2 };
for (const name of Object.keys(lengths)) {
  const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(Array.prototype, name);
  check([name, value.name, value.length, writable, enumerable, configurable, 'prototype' in value], [name, name, lengths[name], true, false, true, false]);
  try { new value(); throw 1; } catch (error) { if (!(error instanceof TypeError)) throw error; }
  for (const none of [null, undefined]) try { value.call(none); throw 1; } catch (error) { if (!(error instanceof TypeError)) throw new Error(name); }
}
class More extends Array {}
for (const name of ['concat', 'filter', 'flat', 'map', 'slice', 'splice']) if (!(More.from([1, 2])[name](Boolean) instanceof More)) throw new Error(name);
if (!(More.from([1]) instanceof More) || More.from.name !== 'from' || Array.from.length !== 1 || JSON.parse.length !== 2) throw new Error('statics');
return new Response('ok');
