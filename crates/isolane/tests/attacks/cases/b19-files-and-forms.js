// The bytes of files in forms are counted.
// modes: worker context pool process
// limits: cpu=3000
// memory: 300
// expect: error RangeError | limit memory
const form = new FormData();
for (let i = 0; ; i++) form.append('f' + i, new File([new Uint8Array(1 << 20)], 'name'));
