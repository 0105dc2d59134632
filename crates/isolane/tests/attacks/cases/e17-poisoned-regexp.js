// A RegExp that a guest has changed harms that guest only.
// modes: worker context pool process
// later: any
// limits: cpu=2000
// expect: response 200 ok | throws Error
RegExp.prototype.exec = () => { throw new Error('exec'); };
RegExp.prototype.test = () => { throw new Error('test'); };
RegExp.prototype[Symbol.replace] = () => { throw new Error('replace'); };
RegExp.prototype[Symbol.split] = () => { throw new Error('split'); };
RegExp.prototype[Symbol.matchAll] = RegExp.prototype[Symbol.match] = () => { throw new Error('match'); };
const answer = new Response('ok', { headers: { 'Content-Type': ' text/html;charset=utf-8 ' } });
new Headers({ a: ' b ' });
new URL('http://a/?a=b&c=%20').searchParams.toString();
await new Response('a=b', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }).formData();
return answer;
