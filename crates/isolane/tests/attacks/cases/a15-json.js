// JSON of any size is charged.
// modes: worker context pool process
// limits: cpu=400
// expect: limit cpu | memory
JSON.parse('[' + '1,'.repeat(5e6) + '1]');
for (;;) JSON.stringify(new Array(1e5).fill('é'));
