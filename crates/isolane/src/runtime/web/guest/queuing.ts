// The queuing strategies of the Streams standard (section 7), and how streams read a strategy that they are
// given.
// Runs in a guest's context, on whichever thread has its isolate entered.

const queuingFamily = define(
  'queuing',
  {
    globals: { ByteLengthQueuingStrategy: 'class', CountQueuingStrategy: 'class' },
  },
  (use) => {
    const { finishInterface, requireArguments } = use('webidl');
    const { isObject, toDictionary, toCallback } = use('stream_support');

    function toHighWaterMark(init: unknown, what: string): number {
      if (init !== undefined && init !== null && !isObject(init)) {
        throw new TypeError(`${what} init is not an object`);
      }
      const value = (init as { highWaterMark?: unknown } | null | undefined)?.highWaterMark;
      if (value === undefined) throw new TypeError(`${what} init needs a highWaterMark`);
      return Number(value);
    }

    // One function for all strategies of a kind, as the standard asks. Arrow functions have no `prototype`.
    const byteLengthSize = { size: (chunk: { byteLength: number }): number => chunk.byteLength }.size;
    const countSize = { size: (): number => 1 }.size;

    class ByteLengthQueuingStrategy {
      #highWaterMark: number;

      constructor(init: { highWaterMark: number }) {
        requireArguments(1, arguments.length, "Failed to construct 'ByteLengthQueuingStrategy'");
        this.#highWaterMark = toHighWaterMark(init, 'ByteLengthQueuingStrategy');
      }

      get highWaterMark(): number {
        return this.#highWaterMark;
      }

      get size(): (chunk: { byteLength: number }) => number {
        void this.#highWaterMark;
        return byteLengthSize;
      }
    }

    class CountQueuingStrategy {
      #highWaterMark: number;

      constructor(init: { highWaterMark: number }) {
        requireArguments(1, arguments.length, "Failed to construct 'CountQueuingStrategy'");
        this.#highWaterMark = toHighWaterMark(init, 'CountQueuingStrategy');
      }

      get highWaterMark(): number {
        return this.#highWaterMark;
      }

      get size(): () => number {
        void this.#highWaterMark;
        return countSize;
      }
    }

    finishInterface(ByteLengthQueuingStrategy);
    finishInterface(CountQueuingStrategy);

    /** Web IDL's conversion to the dictionary `QueuingStrategy`. */
    class Strategy {
      readonly #highWaterMark: number | undefined;
      readonly #size: Callback | undefined;

      constructor(value: unknown) {
        const dictionary = toDictionary(value, 'The queuing strategy');
        const { highWaterMark } = dictionary;
        this.#highWaterMark = highWaterMark === undefined ? undefined : Number(highWaterMark);
        this.#size = toCallback(dictionary.size, 'The size of a queuing strategy');
      }

      get hasSize(): boolean {
        return this.#size !== undefined;
      }

      /** Throws a RangeError where the strategy's mark is no mark. */
      highWaterMark(byDefault: number): number {
        const mark = this.#highWaterMark;
        if (mark === undefined) return byDefault;
        if (Number.isNaN(mark) || mark < 0) {
          throw new RangeError('highWaterMark must be a non-negative number');
        }
        return mark;
      }

      /** Undefined means that every chunk counts as one. */
      sizeAlgorithm(): SizeAlgorithm | undefined {
        const size = this.#size;
        if (size === undefined) return undefined;
        return (chunk) => Number(Reflect.apply(size, undefined, [chunk]));
      }
    }

    return { ByteLengthQueuingStrategy, CountQueuingStrategy, Strategy };
  },
);
interface Families {
  queuing: FamilyOf<typeof queuingFamily>;
}
