// toJSON and replacers are charged.
// modes: worker context pool process
// expect: limit cpu
JSON.stringify({ toJSON() { for (;;); } }, () => { for (;;); });
