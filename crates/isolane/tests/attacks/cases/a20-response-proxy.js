// A proxy of a Response is no Response.
// modes: worker context pool process
// expect: code ERR_NO_RESPONSE | limit cpu
return new Proxy(new Response('ok'), { getPrototypeOf() { for (;;); } });
