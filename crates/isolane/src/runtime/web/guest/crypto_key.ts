// Owns CryptoKey and CryptoKeyPair (W3C Web Cryptography, sections 13 and 17), and keys' private state.
// Runs on the isolate's thread.
//
// The material of a key is an ArrayBuffer that no guest ever sees: it goes from one native operation into
// a private field, and from there into other native operations. It must never get into anything that a
// guest could have replaced: not into a promise, an iteration, or a function of the language.

/** A key as the native side makes it. */
interface HostKey {
  readonly material: ArrayBuffer;
  /** 1 secret, 2 public, 3 private. */
  readonly kind: number;
  /** The bits of a secret key or of a modulus. */
  readonly length: number;
  readonly publicExponent?: Uint8Array;
}

/** What a key is for; the numbers are those of the native side. */
interface KeyPurpose {
  readonly algorithm: number;
  /** The number of a hash or of a curve, where the algorithm's keys have one. */
  readonly parameter: number;
}

interface KeySlots {
  readonly host: HostKey;
  readonly purpose: KeyPurpose;
  readonly extractable: boolean;
  /** A bit for each usage. */
  readonly usages: number;
}

type CryptoKeyFacade = InstanceType<Families['crypto_key']['CryptoKey']>;

const cryptoKeyFamily = define('crypto_key', { globals: { CryptoKey: 'class' } }, (use) => {
  const { finishInterface, illegalConstructor, internal, makeCloneable, toEnum, toSequence } = use('webidl');

  const USAGES = [
    'encrypt',
    'decrypt',
    'sign',
    'verify',
    'deriveKey',
    'deriveBits',
    'wrapKey',
    'unwrapKey',
  ] as const;
  const FORMATS = ['raw', 'spki', 'pkcs8', 'jwk'] as const;
  const TYPES = ['', 'secret', 'public', 'private'];

  /** What only the public key of a pair is used for: encrypt, verify, wrapKey. */
  const PUBLIC_USAGES = 1 | 8 | 64;

  let slotsOf!: (key: CryptoKeyFacade) => KeySlots;
  let isCryptoKey!: (value: unknown) => value is CryptoKeyFacade;

  class CryptoKey {
    #slots: KeySlots;
    #algorithm: object | undefined;
    #usages: string[] | undefined;

    constructor(token: unknown = undefined, slots: unknown = undefined) {
      illegalConstructor(token);
      this.#slots = slots as KeySlots;
    }

    static {
      slotsOf = (key) => (key as CryptoKey).#slots;
      isCryptoKey = (value): value is CryptoKeyFacade =>
        typeof value === 'object' && value !== null && #slots in value;
    }

    get type(): string {
      return TYPES[this.#slots.host.kind]!;
    }

    get extractable(): boolean {
      return this.#slots.extractable;
    }

    get algorithm(): object {
      return (this.#algorithm ??= use('crypto_algorithms').describe(this.#slots));
    }

    get usages(): string[] {
      return (this.#usages ??= usageNames(this.#slots.usages));
    }
  }
  finishInterface(CryptoKey);
  makeCloneable(CryptoKey, { clone: (key: CryptoKey) => new CryptoKey(internal, slotsOf(key)) });

  function createKey(
    host: HostKey,
    purpose: KeyPurpose,
    extractable: boolean,
    usages: number,
  ): CryptoKeyFacade {
    const { algorithm, parameter } = purpose;
    return new CryptoKey(internal, { host, purpose: { algorithm, parameter }, extractable, usages });
  }

  /** Makes the halves of a pair, each with those of the usages that are its own. */
  function createPair(
    pair: { readonly publicKey: HostKey; readonly privateKey: HostKey },
    purpose: KeyPurpose,
    extractable: boolean,
    usages: number,
  ) {
    return {
      privateKey: createKey(pair.privateKey, purpose, extractable, usages & ~PUBLIC_USAGES),
      publicKey: createKey(pair.publicKey, purpose, true, usages & PUBLIC_USAGES),
    };
  }

  function usageNames(usages: number): string[] {
    const names: string[] = [];
    for (let bit = 0; bit < USAGES.length; bit++) {
      if ((usages & (1 << bit)) !== 0) names[names.length] = USAGES[bit]!;
    }
    return names;
  }

  /** Web IDL's conversion to a sequence of usages, as bits. */
  function toUsages(value: unknown, what: string): number {
    let usages = 0;
    toSequence(
      value,
      (item) => {
        const name = toEnum(item, USAGES, what);
        for (let bit = 0; bit < USAGES.length; bit++) if (USAGES[bit] === name) usages |= 1 << bit;
      },
      what,
    );
    return usages;
  }

  /** Web IDL's conversion to a format, as the native side's number. */
  function toFormat(value: unknown, what: string): number {
    const name = toEnum(value, FORMATS, what);
    for (let index = 0; index < FORMATS.length; index++) if (FORMATS[index] === name) return index + 1;
    return 0;
  }

  /** Web IDL's conversion to a key. */
  function toKey(value: unknown, what: string): CryptoKeyFacade {
    if (!isCryptoKey(value)) throw new TypeError(`${what} is not of type 'CryptoKey'.`);
    return value;
  }

  return { CryptoKey, createKey, createPair, slotsOf, toKey, toUsages, toFormat, usageNames };
});
interface Families {
  crypto_key: FamilyOf<typeof cryptoKeyFamily>;
}
