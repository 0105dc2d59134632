// What the child process of a pool with `isolation: 'process'` runs: native code that serves the pool of
// the parent process and ends with it. Plain JavaScript, so that it runs from the sources too.

require('./binding.cjs').BindingPool.runIfChild();

// Only reached where nobody started this process for that.
console.error('isolane: this file is run by pools, and does nothing by itself');
process.exitCode = 1;
