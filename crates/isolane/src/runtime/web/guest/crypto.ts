// Owns crypto and Crypto (W3C Web Cryptography, section 10): random values. Runs on the isolate's thread.

interface Host {
  /** Fills the view with random bytes. 0: done; 1: it is longer than 65,536 bytes; 2: the system has none to give. */
  randomFill(view: ArrayBufferView): number;
  /** A random UUID of version 4, null where the system has no random bytes to give. */
  randomUUID(): string | null;
}

const cryptoFamily = define('crypto', { globals: { crypto: 'object', Crypto: 'class' } }, (use, host) => {
  const { finishInterface, illegalConstructor, internal, isBufferSource, requireArguments, typedArrayName } =
    use('webidl');

  const FILLED = 0;
  const TOO_LONG = 1;

  type Subtle = InstanceType<Families['subtle_crypto']['SubtleCrypto']>;

  class Crypto {
    #subtle: Subtle | null = null;

    constructor(token: unknown = undefined) {
      illegalConstructor(token);
    }

    get subtle(): Subtle {
      return (this.#subtle ??= new (use('subtle_crypto').SubtleCrypto)(internal));
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

  function domException(message: string, name: string): Error {
    return new (use('dom_exception').DOMException)(message, name);
  }

  return { crypto: new Crypto(internal), Crypto };
});
interface Families {
  crypto: FamilyOf<typeof cryptoFamily>;
}
