// toJSON and replacers are charged.
// modes: worker context pool
// expect: limit cpu
JSON.stringify({ toJSON() { for (;;); } }, () => { for (;;); });
