// Where nothing may be fetched, nothing is.
// modes: worker context pool process
// outbound: none
// expect: error TypeError
await fetch('http://example.com/');
