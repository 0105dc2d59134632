// Iterables without end that become streams or bodies are charged.
// modes: worker context pool process
// limits: cpu=400
// expect: limit cpu | memory | body cpu | heap | buffer | body response
return new Response(ReadableStream.from((async function* () { for (;;) yield new Uint8Array(10); })()));
