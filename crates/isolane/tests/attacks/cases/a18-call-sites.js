// What prepareStackTrace is given holds nothing of the host.
// modes: worker context pool process
// expect: response 200 ok
Error.prepareStackTrace = (error, sites) => sites;
const sites = [];
new Headers([[{ toString() { sites.push(...new Error().stack); return 'a'; } }, 'b']]);
Error.prepareStackTrace = undefined;
const foreign = sites.filter((site) => {
  const values = [site.getThis(), site.getFunction(), site.getEvalOrigin()];
  return values.some((value) => value !== undefined && value !== null && value !== globalThis);
});
return new Response(foreign.length === 0 ? 'ok' : foreign.join());
