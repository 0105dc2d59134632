// Species that lie, spin or give another's array do no harm.
// modes: worker context pool process
// limits: cpu=300
// expect: limit cpu
class Spin extends Array { static get [Symbol.species]() { return class { constructor() { for (;;); } }; } }
Spin.from([1, 2]).map((n) => n);
