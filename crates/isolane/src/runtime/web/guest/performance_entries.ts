// Owns the entries of the performance timeline: PerformanceEntry, PerformanceMark, PerformanceMeasure
// (https://w3c.github.io/performance-timeline/, https://w3c.github.io/user-timing/), the buffer that they are
// kept in, and how a list of them is filtered. Runs on the isolate's thread.

/** What the timeline needs of an observer when there is a new entry. */
type EntrySink = (entry: InstanceType<Families['performance_entries']['PerformanceEntry']>) => void;

const performanceEntriesFamily = define(
  'performance_entries',
  { globals: { PerformanceEntry: 'class', PerformanceMark: 'class', PerformanceMeasure: 'class' } },
  (use, host) => {
    const {
      finishInterface,
      illegalConstructor,
      internal,
      requireArguments,
      toDictionary,
      toDOMString,
      toDouble,
    } = use('webidl');

    const { sort } = Array.prototype;

    interface Facts {
      readonly name: string;
      readonly type: string;
      readonly start: number;
      readonly duration: number;
    }

    let factsOf: (entry: PerformanceEntry) => Facts;

    class PerformanceEntry {
      #facts: Facts;

      constructor(...[token, facts]: [token: unknown, facts: Facts]) {
        illegalConstructor(token);
        this.#facts = facts;
      }

      get name(): string {
        return this.#facts.name;
      }
      get entryType(): string {
        return this.#facts.type;
      }
      get startTime(): number {
        return this.#facts.start;
      }
      get duration(): number {
        return this.#facts.duration;
      }
      toJSON(): Record<string, unknown> {
        const { name, type, start, duration } = this.#facts;
        return { name, entryType: type, startTime: start, duration };
      }

      static {
        factsOf = (entry) => entry.#facts;
      }
    }

    /** The copy of a `detail` that an entry keeps. */
    function copyDetail(detail: unknown): unknown {
      return detail === undefined || detail === null ? null : use('structured_clone').structuredClone(detail);
    }

    class PerformanceMark extends PerformanceEntry {
      #detail: unknown;

      constructor(markName: unknown, markOptions: unknown = undefined) {
        const what = "Failed to construct 'PerformanceMark'";
        requireArguments(1, arguments.length, what);
        const name = toDOMString(markName);
        const options = toDictionary(markOptions, `${what}: parameter 2`);
        const { detail } = options ?? {};
        const given = options?.startTime;
        const start = given === undefined ? host.now() : toDouble(given, `${what}: startTime`);
        if (start < 0) throw new TypeError(`${what}: startTime is negative.`);
        super(internal, { name, type: 'mark', start, duration: 0 });
        this.#detail = copyDetail(detail);
      }

      get detail(): unknown {
        return this.#detail;
      }

      override toJSON(): Record<string, unknown> {
        const { name, type, start, duration } = factsOf(this);
        return { name, entryType: type, startTime: start, duration, detail: this.#detail };
      }
    }

    class PerformanceMeasure extends PerformanceEntry {
      #detail: unknown;

      constructor(...[token, facts, detail]: [token: unknown, facts: Facts, detail: unknown]) {
        super(token, facts);
        this.#detail = detail;
      }

      get detail(): unknown {
        return this.#detail;
      }

      override toJSON(): Record<string, unknown> {
        const { name, type, start, duration } = factsOf(this);
        return { name, entryType: type, startTime: start, duration, detail: this.#detail };
      }
    }

    for (const C of [PerformanceEntry, PerformanceMark, PerformanceMeasure]) finishInterface(C);

    /** The entries in the order in which they were made. */
    let timeline: PerformanceEntry[] = [];
    const sinks = new Set<EntrySink>();

    /** Adds an entry to the timeline and gives it to those that observe. */
    function queueEntry(entry: PerformanceEntry): void {
      timeline.push(entry);
      for (const sink of sinks) sink(entry);
    }

    function measure(name: string, start: number, end: number, detail: unknown): PerformanceMeasure {
      const facts = { name, type: 'measure', start, duration: end - start };
      return new PerformanceMeasure(internal, facts, copyDetail(detail));
    }

    /** When the last mark of that name was, undefined where there is none. */
    function timeOfMark(name: string): number | undefined {
      for (let at = timeline.length - 1; at >= 0; at--) {
        const facts = factsOf(timeline[at]);
        if (facts.type === 'mark' && facts.name === name) return facts.start;
      }
      return undefined;
    }

    /** Forgets the entries of a type: all, or those of a name. */
    function clearEntries(type: string, name: string | undefined): void {
      const kept: PerformanceEntry[] = [];
      for (let at = 0; at < timeline.length; at++) {
        const facts = factsOf(timeline[at]);
        if (facts.type !== type || (name !== undefined && facts.name !== name)) kept.push(timeline[at]);
      }
      timeline = kept;
    }

    /** The entries of a list with that name and type, where they are given, in the order of their start. */
    function select(
      list: readonly PerformanceEntry[],
      name: string | undefined,
      type: string | undefined,
    ): PerformanceEntry[] {
      const selected: PerformanceEntry[] = [];
      for (let at = 0; at < list.length; at++) {
        const facts = factsOf(list[at]);
        const isWanted = (name ?? facts.name) === facts.name && (type ?? facts.type) === facts.type;
        if (isWanted) selected.push(list[at]);
      }
      const byStart = (a: PerformanceEntry, b: PerformanceEntry) => factsOf(a).start - factsOf(b).start;
      return Reflect.apply(sort, selected, [byStart]) as PerformanceEntry[];
    }

    return {
      PerformanceEntry,
      PerformanceMark,
      PerformanceMeasure,
      clearEntries,
      entryTypeOf: (entry: PerformanceEntry): string => factsOf(entry).type,
      entries: (): readonly PerformanceEntry[] => timeline,
      measure,
      queueEntry,
      select,
      sinks,
      timeOfMark,
    };
  },
);
interface Families {
  performance_entries: FamilyOf<typeof performanceEntriesFamily>;
}
