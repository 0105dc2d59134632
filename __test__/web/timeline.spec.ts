// performance.mark, performance.measure and PerformanceObserver. What the tests assert runs in the guest.

import test from 'ava';
import { passes } from '../support/guest.js';

test('marks and measures are on the timeline', async (t) => {
  await passes(
    t,
    `
    const mark = performance.mark('a', { startTime: 10, detail: { deep: [1] } });
    same([mark.name, mark.entryType, mark.startTime, mark.duration], ['a', 'mark', 10, 0]);
    performance.mark('b', { startTime: 25 });
    same(performance.measure('ab', 'a', 'b').duration, 15);
    same(performance.measure('c', { end: 30, duration: 5 }).startTime, 25);
    same(performance.getEntries().map(({ name }) => name), ['a', 'ab', 'b', 'c']);
    same(performance.getEntriesByName('a', 'measure').length, 0);
    same(performance.getEntriesByType('mark')[0] === mark, true);
    same(JSON.parse(JSON.stringify(mark)).detail, { deep: [1] });
    throws('SyntaxError', () => performance.measure('d', 'nothing'));
    throws('TypeError', () => performance.measure('d', { start: 1, duration: 2, end: 3 }));
    throws('TypeError', () => performance.mark('d', { startTime: -1 }));
    throws('DataCloneError', () => performance.mark('d', { detail: () => {} }));
    performance.clearMarks('a');
    performance.clearMeasures();
    same(performance.getEntries().map(({ name }) => name), ['b']);`,
  );
});

test('observers are told in a task of what they asked for', async (t) => {
  await passes(
    t,
    `
    performance.mark('before');
    const seen = [];
    const observer = new PerformanceObserver((list, self, options) => {
      seen.push(list.getEntries().map(({ name }) => name), self === observer, options.droppedEntriesCount);
    });
    observer.observe({ type: 'mark', buffered: true });
    performance.mark('after');
    performance.measure('other');
    await Promise.resolve();
    same(seen, []);
    await task();
    same(seen, [['before', 'after'], true, 0]);
    throws('InvalidModificationError', () => observer.observe({ entryTypes: ['mark'] }));
    performance.mark('taken');
    same(observer.takeRecords().map(({ name }) => name), ['taken']);
    observer.disconnect();
    performance.mark('unseen');
    await task();
    same(seen.length, 3);
    same([...PerformanceObserver.supportedEntryTypes], ['mark', 'measure']);
    throws('TypeError', () => observer.observe({}));`,
  );
});
