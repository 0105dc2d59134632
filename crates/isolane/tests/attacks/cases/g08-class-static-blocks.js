// Static blocks and fields without end are charged.
// modes: worker context pool process
// expect: limit cpu
class Endless { static field = (() => 1)(); static { for (;;); } }
