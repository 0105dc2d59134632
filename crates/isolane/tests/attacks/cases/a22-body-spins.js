// A body that spins is ended by the CPU limit.
// modes: worker context pool process
// expect: body cpu | limit cpu
return new Response(new ReadableStream({ pull() { for (;;); } }));
