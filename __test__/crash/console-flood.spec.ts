// Guests that write more to their console than anybody can read: the host's memory stays bounded, the lines of
// others come through, and what is missing is said.

import test from 'ava';
import { runForAnswer } from '../support/child.js';

const PRELUDE = `
  import { IsolatePool, Worker } from 'isolane';
  const guest = (body) => ({ script: 'export default { async fetch(request) { ' + body + '; return new Response("done") } }', limits: { cpuMs: 60000, wallMs: 100000 } });
  let lines = 0, longest = 0, dropped = 0;
  const onLog = ({ message, level }) => {
    lines += 1;
    longest = Math.max(longest, message.length);
    const match = /^(\\d+) lines were dropped here/.exec(message);
    if (match !== null && level === 'warn') dropped += Number(match[1]);
  };
  const pool = new IsolatePool({ threads: 2, onLog });
  const megabytes = () => Math.round(process.memoryUsage().rss / 2 ** 20);
`;

test.serial('a message of 200 MB is cut', async (t) => {
  const answer = await runForAnswer(
    t,
    `${PRELUDE}
    await pool.deploy('a', { ...guest('console.log("x".repeat(200 << 20)); console.log("x".repeat(1 << 16).split("").join("é")); console.error(new Error("y".repeat(50 << 20)))'), limits: { heapMb: 512, cpuMs: 60000 } });
    const text = await (await pool.fetch('a', 'http://x')).text();
    await pool.close();
    console.log(JSON.stringify({ text, lines, longest }));`,
  );
  const { text, lines, longest } = answer as { text: string; lines: number; longest: number };
  t.deepEqual([text, lines], ['done', 3]);
  t.true(longest <= 65_536 + 1, String(longest));
});

test.serial('a million lines in one turn', async (t) => {
  const answer = await runForAnswer(
    t,
    `${PRELUDE}
    await pool.deploy('warm', guest(''));
    await pool.deploy('a', guest('for (let n = 0; n < 1e6; n++) console.log("a line of some forty characters, or so " + n)'));
    await pool.fetch('warm', 'http://x');
    const before = megabytes();
    let most = 0;
    const sampler = setInterval(() => { most = Math.max(most, megabytes()) }, 20);
    const text = await (await pool.fetch('a', 'http://x')).text();
    clearInterval(sampler);
    await pool.close();
    console.log(JSON.stringify({ text, accounted: lines - (dropped > 0 ? 1 : 0) + dropped >= 1e6 && lines > 1000, grown: most - before }));`,
  );
  const { text, accounted, grown } = answer as { text: string; accounted: boolean; grown: number };
  t.is(text, 'done');
  t.true(accounted);
  // Unbounded, a million lines of a hundred bytes and their objects take far more.
  t.true(grown < 250, `grew by ${grown} MiB`);
});

test.serial(
  'lines that nobody has time for are dropped, the first ones stay, and the gap is told',
  async (t) => {
    const answer = await runForAnswer(
      t,
      `${PRELUDE}
    const entries = [];
    await pool.deploy('loud', guest('const line = "x".repeat(1000); for (let n = 0; n < 50000; n++) console.log(n + " " + line)'));
    await pool.deploy('quiet', guest('console.log("mine")'));
    const options = { onLog: ({ level, message, workerId }) => entries.push([workerId, level, message.split(' ')[0]]) };
    const loud = pool.fetch('loud', 'http://x', options);
    // This thread takes nothing while it is busy itself.
    const end = Date.now() + 3000;
    while (Date.now() < end);
    await Promise.all([loud, pool.fetch('quiet', 'http://x', options)]);
    await pool.close();
    const numbers = entries.filter(([id, level]) => id === 'loud' && level === 'log').map(([, , n]) => Number(n));
    const gap = entries.find(([id, level]) => id === 'loud' && level === 'warn');
    console.log(JSON.stringify({
      inOrder: numbers.every((n, at) => at === 0 || n > numbers[at - 1]),
      first: numbers[0],
      some: numbers.length > 1000,
      all: numbers.length + (gap === undefined ? 0 : Number(gap[2])),
      quiet: entries.filter(([id]) => id === 'quiet').length,
    }));`,
    );
    t.deepEqual(answer, { inOrder: true, first: 0, some: true, all: 50_000, quiet: 1 });
  },
);
