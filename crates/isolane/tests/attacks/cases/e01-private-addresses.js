// Private, loopback, link-local and mapped addresses are refused, however they are written.
// modes: worker context pool process
// limits: subrequests=200 cpu=2000 wall=20000
// expect: response 200 ok
const hosts = ['127.0.0.1', '[::1]', '0.0.0.0', '169.254.169.254', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255', '100.64.0.1', '[fc00::1]', '[fd12::1]', '[fe80::1]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]', '2130706433', '0x7f.1', '127.1', 'localhost', 'localhost.', 'a.localhost', '[::ffff:7f00:1]', '017700000001', '0x7f000001', '127.0.0.1.', '[::]', '[::127.0.0.1]', '[2002:7f00:1::]', '192.0.0.1', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', '[ff02::1]', '[fec0::1]', '[2001::1]', '[64:ff9b:1::1]', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]', '%31%32%37.0.0.1', '１２７.0.0.1', '127。0。0。1'];
for (const host of hosts) {
  for (const url of [`http://${host}/`, `https://${host}:8443/`, `http://user:pass@${host}:1/`]) {
    try { await fetch(url); return new Response(`reached ${url}`); } catch (error) { if (!(error instanceof TypeError)) return new Response(`${url} ${error}`); }
  }
}
return new Response('ok');
