// Only http and https are fetched from the network; data: and blob: hold what they give.
// modes: worker context pool process
// limits: subrequests=200
// outbound: any
// expect: response 200 ok
for (const url of ['file:///etc/passwd', 'ftp://127.0.0.1/', 'gopher://127.0.0.1/', 'javascript:1', 'blob:http://a/b', 'about:blank', 'ws://127.0.0.1/', 'unix:/x', 'view-source:http://a/', 'FILE:///etc/passwd', 'worker:///worker.js']) {
  try { await fetch(url); return new Response(`reached ${url}`); } catch (error) { if (!(error instanceof TypeError)) return new Response(`${url} ${error}`); }
}
return fetch('data:text/plain,ok');
