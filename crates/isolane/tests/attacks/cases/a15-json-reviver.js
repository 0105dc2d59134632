// Revivers are charged.
// modes: worker context pool
// expect: limit cpu
JSON.parse('{"a":[1,2,3]}', function () { for (;;); });
