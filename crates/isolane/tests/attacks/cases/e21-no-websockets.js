// There is no WebSocket; asking for one is an error.
// modes: worker context pool process
// expect: error ReferenceError
new WebSocket('ws://127.0.0.1/');
