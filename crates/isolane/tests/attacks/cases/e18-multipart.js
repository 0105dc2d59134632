// Forms of many parts, or badly made, are errors or end by a limit.
// modes: worker context pool process
// limits: cpu=4000 wall=20000
// memory: 600
// expect: response 200 ok | limit cpu | memory
const parse = (body, boundary = 'x') => new Response(body, { headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }).formData();
const part = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n';
const refused = [part, '--x', '--x--', '', part + '--x\r\n', '\r\n'.repeat(1e5), part.repeat(10), '--x\r\n' + 'a: b\r\n'.repeat(1e5) + '\r\n\r\n--x--', '--x\r\n' + 'a'.repeat(1e6), '--x\r\ncontent-disposition: form-data; name="' + '\\"'.repeat(1e5)];
for (const body of refused) { try { await parse(body); } catch (error) { if (!(error instanceof TypeError)) throw error; } }
for (const boundary of ['y'.repeat(71), 'y'.repeat(1e5), '"x', '', '"\\"', ' ']) { try { await parse(part + '--x--', boundary); } catch (error) { if (!(error instanceof TypeError)) throw error; } }
try { await parse(part.repeat(1e5) + '--x--\r\n'); } catch (error) { if (!(error instanceof TypeError)) throw error; }
return new Response('ok');
