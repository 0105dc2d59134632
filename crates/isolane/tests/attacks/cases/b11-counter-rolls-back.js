// And what was refused is not counted.
// modes: worker context pool process
// expect: response 200 RangeError 1048576
let name;
try { new ArrayBuffer(1 << 30); } catch (error) { name = error.name; }
return new Response(`${name} ${new ArrayBuffer(1 << 20).byteLength}`);
