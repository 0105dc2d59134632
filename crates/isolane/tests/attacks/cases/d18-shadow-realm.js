// There is no other realm to be had.
// modes: worker context pool process
// expect: response 200 undefined
return new Response(typeof ShadowRealm);
