// No import leads out of the worker.
// modes: worker context pool process
// expect: response 200 TypeError TypeError TypeError TypeError TypeError
const names = [];
for (const specifier of ['../../../etc/passwd', '/etc/passwd', 'file:///etc/passwd', 'node:fs', 'worker:///../../x']) await import(specifier).then(() => names.push('none'), (error) => names.push(error.name));
return new Response(names.join(' '));
