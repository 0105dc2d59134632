// Revivers are charged.
// modes: worker context pool process
// expect: limit cpu
JSON.parse('{"a":[1,2,3]}', function () { for (;;); });
