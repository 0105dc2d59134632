// A million parts end by a limit or are an error.
// modes: worker context pool process
// limits: cpu=4000 wall=20000 buffer=100
// memory: 1000
// expect: response 200 * | error * | limit cpu | memory
const part = new TextEncoder().encode('--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n');
const body = new Uint8Array(part.length * 5e5 + 7);
for (let i = 0; i < 5e5; i++) body.set(part, i * part.length);
body.set(new TextEncoder().encode('--x--\r\n'), part.length * 5e5);
const form = await new Response(body, { headers: { 'content-type': 'multipart/form-data; boundary=x' } }).formData();
return new Response(String(form.getAll('a').length));
