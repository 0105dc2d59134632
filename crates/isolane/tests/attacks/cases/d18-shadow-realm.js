// There is no other realm to be had.
// modes: worker context pool
// expect: response 200 undefined
return new Response(typeof ShadowRealm);
