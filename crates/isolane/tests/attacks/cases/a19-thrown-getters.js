// Reading what was thrown is charged.
// modes: worker context pool process
// expect: limit cpu
throw { get message() { for (;;); }, toString() { for (;;); } };
