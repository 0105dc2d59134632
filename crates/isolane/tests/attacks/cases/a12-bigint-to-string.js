// Native arithmetic on huge numbers is late by a bounded time.
// modes: worker context pool process
// expect: limit cpu | wall | memory
(2n ** (1n << 28n)).toString();
