// A worker on the default pool: node --import tsx examples/hello.ts

import { executePooled } from 'isolane';

const script = `
export default {
  fetch(request) {
    return new Response('hello ' + new URL(request.url).pathname);
  },
};`;

async function main(): Promise<void> {
  const response = await executePooled('hello', script, 'http://hello.test/world');
  console.log(response.status, await response.text(), response.usage);
}

void main();
