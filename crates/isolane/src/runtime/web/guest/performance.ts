// Owns performance (https://w3c.github.io/hr-time/, https://w3c.github.io/user-timing/). The clock is the
// host's, coarsened to 100 µs. Runs on the isolate's thread.

const performanceFamily = define(
  'performance',
  { globals: { Performance: 'class', performance: 'object' } },
  (use, host) => {
    const { finishInterface, illegalConstructor, internal, requireArguments, toDOMString, toDouble } =
      use('webidl');
    const { EventTarget } = use('event_target');
    type Entries = Families['performance_entries'];
    type Entry = InstanceType<Entries['PerformanceEntry']>;

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

      mark(markName: unknown, markOptions: unknown = undefined): InstanceType<Entries['PerformanceMark']> {
        void this.#brand;
        requireArguments(1, arguments.length, "Failed to execute 'mark' on 'Performance'");
        const { PerformanceMark, queueEntry } = use('performance_entries');
        const mark = new PerformanceMark(markName, markOptions);
        queueEntry(mark);
        return mark;
      }
      clearMarks(markName: unknown = undefined): void {
        void this.#brand;
        use('performance_entries').clearEntries('mark', optionalName(markName));
      }
      measure(
        measureName: unknown,
        startOrMeasureOptions: unknown = undefined,
        endMark: unknown = undefined,
      ): InstanceType<Entries['PerformanceMeasure']> {
        void this.#brand;
        requireArguments(1, arguments.length, "Failed to execute 'measure' on 'Performance'");
        const name = toDOMString(measureName);
        const span = toSpan(startOrMeasureOptions);
        const { start, end } = resolveSpan(span, optionalName(endMark));
        const { measure, queueEntry } = use('performance_entries');
        const entry = measure(name, start, end, span.detail);
        queueEntry(entry);
        return entry;
      }
      clearMeasures(measureName: unknown = undefined): void {
        void this.#brand;
        use('performance_entries').clearEntries('measure', optionalName(measureName));
      }

      getEntries(): Entry[] {
        void this.#brand;
        const { entries, select } = use('performance_entries');
        return select(entries(), undefined, undefined);
      }
      getEntriesByType(type: unknown): Entry[] {
        void this.#brand;
        requireArguments(1, arguments.length, "Failed to execute 'getEntriesByType' on 'Performance'");
        const { entries, select } = use('performance_entries');
        return select(entries(), undefined, toDOMString(type));
      }
      getEntriesByName(name: unknown, type: unknown = undefined): Entry[] {
        void this.#brand;
        requireArguments(1, arguments.length, "Failed to execute 'getEntriesByName' on 'Performance'");
        const { entries, select } = use('performance_entries');
        return select(entries(), toDOMString(name), optionalName(type));
      }
    }

    function optionalName(name: unknown): string | undefined {
      return name === undefined ? undefined : toDOMString(name);
    }

    /** A mark's name or a time. */
    type Moment = string | number;

    /** What the second argument of `measure` says. */
    interface Span {
      /** Whether it is a dictionary in which something is given. */
      readonly isGiven: boolean;
      readonly detail?: unknown;
      readonly duration?: number | undefined;
      readonly end?: Moment | undefined;
      readonly start?: Moment | undefined;
    }

    function toSpan(value: unknown): Span {
      if (value === undefined || value === null) return { isGiven: false };
      if (typeof value !== 'object' && typeof value !== 'function') {
        return { isGiven: false, start: toDOMString(value) };
      }
      const members = value as Record<string, unknown>;
      const { detail } = members;
      const length = members.duration;
      const duration = length === undefined ? undefined : toDouble(length, 'duration');
      const end = toMoment(members.end, 'end');
      const start = toMoment(members.start, 'start');
      const isGiven = [detail, duration, end, start].some((member) => member !== undefined);
      return { isGiven, detail, duration, end, start };
    }

    function toMoment(value: unknown, what: string): Moment | undefined {
      if (value === undefined) return undefined;
      return typeof value === 'number' ? toDouble(value, what) : toDOMString(value);
    }

    function resolveSpan(span: Span, endMark: string | undefined): { start: number; end: number } {
      const { duration, isGiven } = span;
      if (isGiven) {
        const what = "Failed to execute 'measure' on 'Performance'";
        if (endMark !== undefined) throw new TypeError(`${what}: an end mark is given beside options.`);
        if (span.start === undefined && span.end === undefined) {
          throw new TypeError(`${what}: neither start nor end is given.`);
        }
        if (span.start !== undefined && span.end !== undefined && duration !== undefined) {
          throw new TypeError(`${what}: start, duration and end are all given.`);
        }
      }
      const end = endOf(span, endMark);
      if (span.start !== undefined) return { start: timeOf(span.start), end };
      if (duration !== undefined) return { start: end - timeOf(duration), end };
      return { start: 0, end };
    }

    function endOf({ start, end, duration }: Span, endMark: string | undefined): number {
      if (endMark !== undefined) return timeOf(endMark);
      if (end !== undefined) return timeOf(end);
      if (start !== undefined && duration !== undefined) return timeOf(start) + timeOf(duration);
      return host.now();
    }

    function timeOf(moment: Moment): number {
      const what = "Failed to execute 'measure' on 'Performance'";
      if (typeof moment === 'number') {
        if (moment < 0) throw new TypeError(`${what}: a time is negative.`);
        return moment;
      }
      const time = use('performance_entries').timeOfMark(moment);
      if (time !== undefined) return time;
      const { DOMException } = use('dom_exception');
      throw new DOMException(`${what}: there is no mark '${moment}'.`, 'SyntaxError');
    }

    finishInterface(Performance);
    return { Performance, performance: new Performance(internal) };
  },
);
interface Families {
  performance: FamilyOf<typeof performanceFamily>;
}
