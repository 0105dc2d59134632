// BroadcastChannel. What the tests assert runs in the guest.

import test from 'ava';
import { passes } from '../support/guest.js';

test('broadcasts reach the open channels of the name', async (t) => {
  await passes(
    t,
    `
    const [a, b, c, other] = ['n', 'n', 'n', 'm'].map((name) => new BroadcastChannel(name));
    const seen = [];
    for (const [name, channel] of Object.entries({ a, b, c, other })) {
      channel.onmessage = ({ data, target }) => seen.push(name, data.value, target === channel);
    }
    const message = { value: 1 };
    a.postMessage(message);
    message.value = 2;
    c.close();
    same(seen, []);
    await task();
    same(seen, ['b', 1, true]);
    throws('InvalidStateError', () => c.postMessage(1));
    throws('DataCloneError', () => a.postMessage(() => {}));
    throws('TypeError', () => a.postMessage());
    throws('TypeError', () => new BroadcastChannel());`,
  );
});
