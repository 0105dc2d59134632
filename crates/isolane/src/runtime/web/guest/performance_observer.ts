// Owns PerformanceObserver and PerformanceObserverEntryList (https://w3c.github.io/performance-timeline/).
// Runs on the isolate's thread.

const performanceObserverFamily = define(
  'performance_observer',
  { globals: { PerformanceObserver: 'class', PerformanceObserverEntryList: 'class' } },
  (use) => {
    const {
      finishInterface,
      illegalConstructor,
      internal,
      requireArguments,
      toDictionary,
      toDOMString,
      toFunction,
      toSequence,
    } = use('webidl');
    const { entries, entryTypeOf, select, sinks } = use('performance_entries');
    type Entry = InstanceType<Families['performance_entries']['PerformanceEntry']>;

    const supportedTypes: readonly string[] = Object.freeze(['mark', 'measure']);
    const isSupported = (type: string): boolean => type === 'mark' || type === 'measure';

    class PerformanceObserverEntryList {
      #entries: readonly Entry[];

      constructor(...[token, list]: [token: unknown, list: readonly Entry[]]) {
        illegalConstructor(token);
        this.#entries = list;
      }

      getEntries(): Entry[] {
        return select(this.#entries, undefined, undefined);
      }

      getEntriesByType(type: unknown): Entry[] {
        const list = this.#entries;
        const what = "Failed to execute 'getEntriesByType' on 'PerformanceObserverEntryList'";
        requireArguments(1, arguments.length, what);
        return select(list, undefined, toDOMString(type));
      }

      getEntriesByName(name: unknown, type: unknown = undefined): Entry[] {
        const list = this.#entries;
        const what = "Failed to execute 'getEntriesByName' on 'PerformanceObserverEntryList'";
        requireArguments(1, arguments.length, what);
        return select(list, toDOMString(name), type === undefined ? undefined : toDOMString(type));
      }
    }

    /** How the observer was told what to observe; it keeps to one way. */
    type Mode = 'undecided' | 'single' | 'multiple';

    class PerformanceObserver {
      #callback: (...args: unknown[]) => unknown;
      #mode: Mode = 'undecided';
      #types = new Set<string>();
      #buffer: Entry[] = [];
      #isFirst = true;
      #sink = (entry: Entry): void => {
        if (!this.#types.has(entryTypeOf(entry))) return;
        this.#buffer.push(entry);
        this.#queueTask();
      };
      #task = 0;

      constructor(callback: unknown) {
        const what = "Failed to construct 'PerformanceObserver'";
        requireArguments(1, arguments.length, what);
        this.#callback = toFunction(callback, `${what}: parameter 1`);
      }

      static get supportedEntryTypes(): readonly string[] {
        return supportedTypes;
      }

      observe(options: unknown = undefined): void {
        const mode = this.#mode;
        const what = "Failed to execute 'observe' on 'PerformanceObserver'";
        const dictionary = toDictionary(options, `${what}: parameter 1`);
        const given = dictionary?.buffered;
        const buffered = given === undefined ? undefined : Boolean(given);
        const list = dictionary?.entryTypes;
        const entryTypes =
          list === undefined ? undefined : toSequence(list, toDOMString, `${what}: entryTypes`);
        const one = dictionary?.type;
        const type = one === undefined ? undefined : toDOMString(one);
        if (entryTypes === undefined && type === undefined) {
          throw new TypeError(`${what}: neither entryTypes nor type is given.`);
        }
        if (entryTypes !== undefined && (type !== undefined || buffered !== undefined)) {
          throw new TypeError(`${what}: entryTypes cannot be given together with other members.`);
        }
        const wanted: Mode = type === undefined ? 'multiple' : 'single';
        if (mode !== 'undecided' && mode !== wanted) {
          const { DOMException } = use('dom_exception');
          const message = `${what}: an observer cannot observe by entryTypes and by type.`;
          throw new DOMException(message, 'InvalidModificationError');
        }
        this.#mode = wanted;
        if (type === undefined) this.#observeAll(entryTypes ?? []);
        else if (isSupported(type)) this.#observeOne(type, buffered === true);
      }

      disconnect(): void {
        this.#types.clear();
        this.#buffer = [];
        this.#mode = 'undecided';
        sinks.delete(this.#sink);
      }

      takeRecords(): Entry[] {
        const records = this.#buffer;
        this.#buffer = [];
        return records;
      }

      #observeAll(entryTypes: string[]): void {
        const types = new Set<string>();
        for (let at = 0; at < entryTypes.length; at++) {
          if (isSupported(entryTypes[at]!)) types.add(entryTypes[at]!);
        }
        if (types.size === 0) return;
        this.#types = types;
        sinks.add(this.#sink);
      }

      #observeOne(type: string, buffered: boolean): void {
        this.#types.add(type);
        sinks.add(this.#sink);
        if (!buffered) return;
        const past = select(entries(), undefined, type);
        if (past.length === 0) return;
        for (let at = 0; at < past.length; at++) this.#buffer.push(past[at]);
        this.#queueTask();
      }

      #queueTask(): void {
        const { isQueued, queueTask } = use('tasks');
        if (!isQueued(this.#task)) this.#task = queueTask(() => this.#notify());
      }

      #notify(): void {
        const records = this.takeRecords();
        if (records.length === 0) return;
        const list = new PerformanceObserverEntryList(internal, records);
        // No entries are ever dropped; only the first call says so.
        const options = this.#isFirst ? { droppedEntriesCount: 0 } : {};
        this.#isFirst = false;
        try {
          Reflect.apply(this.#callback, this, [list, this, options]);
        } catch (error) {
          use('reporting').report(error);
        }
      }
    }

    finishInterface(PerformanceObserverEntryList);
    finishInterface(PerformanceObserver);
    return { PerformanceObserver, PerformanceObserverEntryList };
  },
);
interface Families {
  performance_observer: FamilyOf<typeof performanceObserverFamily>;
}
