// Also through the web APIs.
// modes: worker context pool process
// expect: error RangeError
const evil = { toString() { return new URLSearchParams([[evil, new Headers([[evil, 'a']])]]).toString(); } };
String(evil);
