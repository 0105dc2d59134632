// Native arithmetic on huge numbers is late by a bounded time.
// modes: worker context pool
// expect: limit cpu | wall | memory
(2n ** (1n << 28n)).toString();
