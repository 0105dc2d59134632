// Owns performance (https://w3c.github.io/hr-time/). The clock is the host's, coarsened to 100 µs.
// Runs on the isolate's thread.

const performanceFamily = define(
  'performance',
  { globals: { Performance: 'class', performance: 'object' } },
  (use, host) => {
    const { finishInterface, illegalConstructor, internal } = use('webidl');
    const { EventTarget } = use('events');

    class Performance extends EventTarget {
      #brand = true;
      constructor(...[token]: [token: unknown]) {
        illegalConstructor(token);
        super();
      }
      get timeOrigin(): number {
        void this.#brand;
        return host.timeOrigin();
      }
      now(): number {
        void this.#brand;
        return host.now();
      }
      toJSON(): { timeOrigin: number } {
        void this.#brand;
        return { timeOrigin: host.timeOrigin() };
      }
    }

    finishInterface(Performance);
    return { Performance, performance: new Performance(internal) };
  },
);
interface Families {
  performance: FamilyOf<typeof performanceFamily>;
}
