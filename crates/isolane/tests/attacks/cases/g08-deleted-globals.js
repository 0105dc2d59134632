// So is one that deletes them, or it throws.
// modes: worker context pool process
// later: any
// expect: response 200 ok | throws *
const { Response } = globalThis;
for (const key of Reflect.ownKeys(globalThis)) try { delete globalThis[key]; } catch {}
await null;
return new Response('ok');
