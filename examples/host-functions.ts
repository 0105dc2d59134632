// Functions of the host for a worker, and its network in the hands of the host:
//
//   node --import tsx examples/host-functions.ts

import { executePooled } from 'isolane';

const script = `
export default {
  async fetch(request, env) {
    const visits = ((await env.store.get('visits')) ?? 0) + 1;
    await env.store.put('visits', visits);
    const weather = await (await fetch('http://weather.test/today')).json();
    return Response.json({ visits, weather });
  },
};`;

async function main(): Promise<void> {
  const values = new Map<string, unknown>();
  const worker = {
    script,
    env: {
      store: {
        get: (key: string) => values.get(key),
        put: (key: string, value: unknown) => void values.set(key, value),
      },
    },
    outbound: (request: Request) => Response.json({ asked: request.url, sky: 'blue' }),
  };
  for (let n = 0; n < 3; n += 1) {
    const response = await executePooled('visits', worker, 'http://app.test/');
    console.log(await response.json());
  }
}

void main();
