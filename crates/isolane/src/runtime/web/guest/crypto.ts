// Owns crypto, Crypto and SubtleCrypto (W3C Web Cryptography): random values and digests. Runs on the isolate's thread.

interface Host {
  /** Fills the view with random bytes. 0: done; 1: it is longer than 65,536 bytes; 2: the system has none to give. */
  randomFill(view: ArrayBufferView): number;
  /** A random UUID of version 4, null where the system has no random bytes to give. */
  randomUUID(): string | null;
  /** Writes the hash of `source` to `target`. The algorithm is its length in bits, 1 for SHA-1. */
  digest(algorithm: number, source: BufferSource, target: ArrayBuffer): boolean;
}

const cryptoFamily = define(
  'crypto',
  { globals: { crypto: 'object', Crypto: 'class', SubtleCrypto: 'class' } },
  (use, host) => {
    const {
      finishInterface,
      illegalConstructor,
      internal,
      isBufferSource,
      requireArguments,
      toBufferSource,
      toDOMString,
      typedArrayName,
    } = use('webidl');

    const FILLED = 0;
    const TOO_LONG = 1;

    class SubtleCrypto {
      #branded = true;

      constructor(token: unknown = undefined) {
        illegalConstructor(token);
      }

      async digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
        void this.#branded;
        const what = "Failed to execute 'digest' on 'SubtleCrypto'";
        requireArguments(2, arguments.length, what);
        const given = isObject(algorithm) ? algorithm : toDOMString(algorithm);
        const source = toBufferSource(data, `${what}: parameter 2`);
        const [id, length] = digestOf(typeof given === 'string' ? given : nameOf(given));
        const hash = new ArrayBuffer(length);
        // The hash is made before the caller goes on, so it cannot change the data meanwhile.
        if (!host.digest(id, source, hash)) throw domException('The operation failed', 'OperationError');
        return hash;
      }
    }
    finishInterface(SubtleCrypto);

    class Crypto {
      #subtle: SubtleCrypto | null = null;

      constructor(token: unknown = undefined) {
        illegalConstructor(token);
      }

      get subtle(): SubtleCrypto {
        return (this.#subtle ??= new SubtleCrypto(internal));
      }

      getRandomValues(array: unknown): unknown {
        void this.#subtle;
        const what = "Failed to execute 'getRandomValues' on 'Crypto'";
        requireArguments(1, arguments.length, what);
        if (!ArrayBuffer.isView(array) || !isBufferSource(array)) {
          throw new TypeError(`${what}: parameter 1 is not of type 'ArrayBufferView'.`);
        }
        if (!isIntegerArray(typedArrayName(array))) {
          throw domException(
            `${what}: The provided ArrayBufferView is not an integer array type`,
            'TypeMismatchError',
          );
        }
        const code = host.randomFill(array);
        if (code === TOO_LONG) {
          const message = `${what}: The length of the ArrayBufferView exceeds the 65536 bytes of entropy available`;
          throw domException(message, 'QuotaExceededError');
        }
        if (code !== FILLED) throw domException('No random values are available', 'OperationError');
        return array;
      }

      randomUUID(): string {
        void this.#subtle;
        const uuid = host.randomUUID();
        if (uuid === null) throw domException('No random values are available', 'OperationError');
        return uuid;
      }
    }
    finishInterface(Crypto);

    function isIntegerArray(name: string | undefined): boolean {
      switch (name) {
        case 'Int8Array':
        case 'Uint8Array':
        case 'Uint8ClampedArray':
        case 'Int16Array':
        case 'Uint16Array':
        case 'Int32Array':
        case 'Uint32Array':
        case 'BigInt64Array':
        case 'BigUint64Array':
          return true;
        default:
          return false;
      }
    }

    function isObject(value: unknown): value is object {
      return (typeof value === 'object' && value !== null) || typeof value === 'function';
    }

    function nameOf(algorithm: object): string {
      const name = (algorithm as { name?: unknown }).name;
      if (name === undefined) throw new TypeError("Algorithm: member 'name' is required");
      return toDOMString(name);
    }

    /** The id that the native side has for a digest algorithm, and the length of its result in bytes. */
    function digestOf(name: string): [id: number, length: number] {
      const found = /^SHA-(1|256|384|512)$/i.exec(name);
      if (found === null) throw domException('Algorithm: Unrecognized name', 'NotSupportedError');
      const id = Number(found[1]);
      return [id, id === 1 ? 20 : id / 8];
    }

    function domException(message: string, name: string): Error {
      return new (use('dom_exception').DOMException)(message, name);
    }

    return { crypto: new Crypto(internal), Crypto, SubtleCrypto };
  },
);
interface Families {
  crypto: FamilyOf<typeof cryptoFamily>;
}
