// There is no URLPattern; asking for one is an error.
// modes: worker context pool process
// later: any
// expect: error ReferenceError
RegExp.prototype.exec = () => ['a'];
new URLPattern({ pathname: '/:a/:b' }).exec('http://x/1/2');
