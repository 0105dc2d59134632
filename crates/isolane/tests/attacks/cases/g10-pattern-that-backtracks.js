// The regular expression of a URL pattern is the guest's own, and ends with its time.
// modes: worker context pool process
// limits: cpu=200
// expect: limit cpu
const pattern = new URLPattern({ pathname: '/((?:a+)+)b' });
pattern.test(`https://x.test/${'a'.repeat(60)}`);
