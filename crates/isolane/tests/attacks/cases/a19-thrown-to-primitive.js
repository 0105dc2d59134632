// Also where it converts itself.
// modes: worker context pool process
// expect: limit cpu | throws *
throw { [Symbol.toPrimitive]() { for (;;); }, name: 1, message: 2, stack: 3 };
