// Owns SubtleCrypto (W3C Web Cryptography, section 14): the conversions and checks of each method. All that
// touches key material is the native side's. Runs on the isolate's thread.
//
// Nothing that holds key material is awaited: a guest can see what any promise is resolved with. A key that
// took long to make stays with the native side until `subtleTake` fetches it.

/** What an operation answers: its result, or the callback id of one to come. */
type HostAnswer<T> = T | number;

interface HostKeyPair {
  readonly publicKey: HostKey;
  readonly privateKey: HostKey;
}

interface Host {
  subtleDigest(hash: number, data: BufferSource): HostAnswer<ArrayBuffer>;
  subtleCrypt(
    decrypts: boolean,
    key: ArrayBuffer,
    first: BufferSource | undefined,
    second: BufferSource | undefined,
    length: number | undefined,
    data: BufferSource,
  ): HostAnswer<ArrayBuffer>;
  subtleSign(
    key: ArrayBuffer,
    hash: number,
    saltLength: number,
    context: BufferSource | undefined,
    data: BufferSource,
  ): HostAnswer<ArrayBuffer>;
  subtleVerify(
    key: ArrayBuffer,
    hash: number,
    saltLength: number,
    context: BufferSource | undefined,
    signature: BufferSource,
    data: BufferSource,
  ): HostAnswer<boolean>;
  subtleGenerate(
    algorithm: number,
    parameter: number,
    length: number | undefined,
    publicExponent: Uint8Array | undefined,
    usages: number,
  ): HostAnswer<HostKey | HostKeyPair>;
  /** Derives bits; a key of an algorithm where that is given, too. */
  subtleDerive(
    key: ArrayBuffer,
    hash: number,
    first: BufferSource | undefined,
    second: BufferSource | undefined,
    iterations: number,
    length: number | null,
  ): HostAnswer<ArrayBuffer>;
  subtleDerive(
    key: ArrayBuffer,
    hash: number,
    first: BufferSource | undefined,
    second: BufferSource | undefined,
    iterations: number,
    length: number | null,
    algorithm: number,
    parameter: number,
    keyLength: number | undefined,
    extractable: boolean,
    usages: number,
  ): HostAnswer<HostKey>;
  subtleImport(
    algorithm: number,
    parameter: number,
    length: number | undefined,
    extractable: boolean,
    usages: number,
    format: number,
    data: BufferSource | HostJwk,
  ): HostKey;
  subtleExport(format: number, key: ArrayBuffer, usages: number, extractable: boolean): ArrayBuffer | HostJwk;
  subtleWrap(
    wrappingKey: ArrayBuffer,
    first: BufferSource | undefined,
    second: BufferSource | undefined,
    length: number | undefined,
    format: number,
    key: ArrayBuffer,
    usages: number,
  ): HostAnswer<ArrayBuffer>;
  subtleUnwrap(
    unwrappingKey: ArrayBuffer,
    first: BufferSource | undefined,
    second: BufferSource | undefined,
    length: number | undefined,
    algorithm: number,
    parameter: number,
    keyLength: number | undefined,
    extractable: boolean,
    usages: number,
    format: number,
    data: BufferSource,
  ): HostAnswer<HostKey>;
  /** The key or pair that the operation with that callback id made. */
  subtleTake(id: number): HostKey | HostKeyPair;
}

const subtleCryptoFamily = define('subtle_crypto', { globals: { SubtleCrypto: 'class' } }, (use, host) => {
  const {
    finishInterface,
    illegalConstructor,
    isBufferSource,
    requireArguments,
    toBufferSource,
    toDictionary,
    toUnsignedLong,
  } = use('webidl');
  const { createKey, createPair, slotsOf, toFormat, toKey, toUsages, usageNames } = use('crypto_key');
  const { keyLength, normalize, supports, toHash, toIdentifier } = use('crypto_algorithms');

  const JWK = 4;
  const Usage = {
    encrypt: 1,
    decrypt: 2,
    sign: 4,
    verify: 8,
    deriveKey: 16,
    deriveBits: 32,
    wrapKey: 64,
    unwrapKey: 128,
  } as const;

  function domException(message: string, name: string): Error {
    return new (use('dom_exception').DOMException)(message, name) as unknown as Error;
  }

  /** The private state of a key that is to be used so with the algorithm. */
  function usable(key: CryptoKeyFacade, algorithm: NormalizedAlgorithm, usage: keyof typeof Usage): KeySlots {
    const slots = slotsOf(key);
    if (slots.purpose.algorithm !== algorithm.algorithm) {
      throw domException('The key is one of another algorithm', 'InvalidAccessError');
    }
    if ((slots.usages & Usage[usage]) === 0) {
      throw domException(`The key's usages do not permit ${usage}`, 'InvalidAccessError');
    }
    return slots;
  }

  function exportable(key: CryptoKeyFacade): KeySlots {
    const slots = slotsOf(key);
    if (!supports(slots.purpose.algorithm, 'exportKey')) {
      throw domException("The algorithm's keys cannot be exported", 'NotSupportedError');
    }
    if (!slots.extractable) throw domException('The key is not extractable', 'InvalidAccessError');
    return slots;
  }

  /** An answer that holds nothing secret. */
  function settled<T>(answer: HostAnswer<T>): T | Promise<T> {
    return typeof answer === 'number' ? use('callbacks').wait<T>(answer) : (answer as T);
  }

  function normalizeWrap(identifier: object | string): NormalizedAlgorithm {
    try {
      return normalize(identifier, 'wrapKey');
    } catch {
      return normalize(identifier, 'encrypt');
    }
  }

  class SubtleCrypto {
    #branded = true;

    constructor(token: unknown = undefined) {
      illegalConstructor(token);
    }

    async encrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
      void this.#branded;
      requireArguments(3, arguments.length, failed('encrypt'));
      return crypt('encrypt', algorithm, key, data);
    }

    async decrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
      void this.#branded;
      requireArguments(3, arguments.length, failed('decrypt'));
      return crypt('decrypt', algorithm, key, data);
    }

    async sign(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
      void this.#branded;
      const what = failed('sign');
      requireArguments(3, arguments.length, what);
      const identifier = toIdentifier(algorithm);
      const signing = toKey(key, `${what}: parameter 2`);
      const source = toBufferSource(data, `${what}: parameter 3`);
      const normalized = normalize(identifier, 'sign');
      const slots = usable(signing, normalized, 'sign');
      const { parameter, count, first } = normalized;
      return settled(host.subtleSign(slots.host.material, parameter, count, first, source));
    }

    async verify(algorithm: unknown, key: unknown, signature: unknown, data: unknown): Promise<boolean> {
      void this.#branded;
      const what = failed('verify');
      requireArguments(4, arguments.length, what);
      const identifier = toIdentifier(algorithm);
      const verifying = toKey(key, `${what}: parameter 2`);
      const signed = toBufferSource(signature, `${what}: parameter 3`);
      const source = toBufferSource(data, `${what}: parameter 4`);
      const normalized = normalize(identifier, 'sign');
      const slots = usable(verifying, normalized, 'verify');
      const { parameter, count, first } = normalized;
      return settled(host.subtleVerify(slots.host.material, parameter, count, first, signed, source));
    }

    async digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
      void this.#branded;
      const what = failed('digest');
      requireArguments(2, arguments.length, what);
      const identifier = toIdentifier(algorithm);
      const source = toBufferSource(data, `${what}: parameter 2`);
      return settled(host.subtleDigest(toHash(identifier), source));
    }

    async generateKey(algorithm: unknown, extractable: unknown, keyUsages: unknown): Promise<object> {
      void this.#branded;
      const what = failed('generateKey');
      requireArguments(3, arguments.length, what);
      const identifier = toIdentifier(algorithm);
      const isExtractable = Boolean(extractable);
      const usages = toUsages(keyUsages, `${what}: parameter 3`);
      const normalized = normalize(identifier, 'generateKey');
      const made = host.subtleGenerate(
        normalized.algorithm,
        normalized.parameter,
        normalized.length,
        normalized.publicExponent,
        usages,
      );
      if (typeof made === 'number') await use('callbacks').wait(made);
      return keysOf(taken(made), normalized, isExtractable, usages);
    }

    async deriveKey(
      algorithm: unknown,
      baseKey: unknown,
      derivedKeyType: unknown,
      extractable: unknown,
      keyUsages: unknown,
    ): Promise<CryptoKeyFacade> {
      void this.#branded;
      const what = failed('deriveKey');
      requireArguments(5, arguments.length, what);
      const identifier = toIdentifier(algorithm);
      const base = toKey(baseKey, `${what}: parameter 2`);
      const derivedType = toIdentifier(derivedKeyType);
      const isExtractable = Boolean(extractable);
      const usages = toUsages(keyUsages, `${what}: parameter 5`);
      const normalized = normalize(identifier, 'deriveBits');
      const derived = normalize(derivedType, 'importKey');
      const measured = normalize(derivedType, 'get key length');
      const slots = usable(base, normalized, 'deriveKey');
      const length = keyLength(measured);
      const made = host.subtleDerive(
        slots.host.material,
        normalized.parameter,
        firstOf(normalized),
        normalized.second,
        normalized.count,
        length,
        derived.algorithm,
        derived.parameter,
        derived.length,
        isExtractable,
        usages,
      );
      if (typeof made === 'number') await use('callbacks').wait(made);
      return createKey(taken(made) as HostKey, derived, isExtractable, usages);
    }

    async deriveBits(algorithm: unknown, baseKey: unknown, length: unknown = null): Promise<ArrayBuffer> {
      void this.#branded;
      const what = failed('deriveBits');
      requireArguments(2, arguments.length, what);
      const identifier = toIdentifier(algorithm);
      const base = toKey(baseKey, `${what}: parameter 2`);
      const bits = length === null || length === undefined ? null : toUnsignedLong(length);
      const normalized = normalize(identifier, 'deriveBits');
      const slots = usable(base, normalized, 'deriveBits');
      return settled(
        host.subtleDerive(
          slots.host.material,
          normalized.parameter,
          firstOf(normalized),
          normalized.second,
          normalized.count,
          bits,
        ),
      );
    }

    async importKey(
      format: unknown,
      keyData: unknown,
      algorithm: unknown,
      extractable: unknown,
      keyUsages: unknown,
    ): Promise<CryptoKeyFacade> {
      void this.#branded;
      const what = failed('importKey');
      requireArguments(5, arguments.length, what);
      const kind = toFormat(format, `${what}: parameter 1`);
      const isBytes = isBufferSource(keyData);
      const data = isBytes
        ? keyData
        : use('crypto_jwk').toHostJwk(toDictionary(keyData, `${what}: parameter 2`));
      const identifier = toIdentifier(algorithm);
      const isExtractable = Boolean(extractable);
      const usages = toUsages(keyUsages, `${what}: parameter 5`);
      const normalized = normalize(identifier, 'importKey');
      if (isBytes === (kind === JWK)) {
        throw new TypeError(`${what}: parameter 2 does not fit the format.`);
      }
      const made = host.subtleImport(
        normalized.algorithm,
        normalized.parameter,
        normalized.length,
        isExtractable,
        usages,
        kind,
        data,
      );
      return createKey(made, normalized, isExtractable, usages);
    }

    async exportKey(format: unknown, key: unknown): Promise<object> {
      void this.#branded;
      const what = failed('exportKey');
      requireArguments(2, arguments.length, what);
      const kind = toFormat(format, `${what}: parameter 1`);
      const slots = exportable(toKey(key, `${what}: parameter 2`));
      const exported = host.subtleExport(kind, slots.host.material, slots.usages, slots.extractable);
      if (kind !== JWK) return exported;
      return use('crypto_jwk').fromHostJwk(exported as HostJwk, usageNames(slots.usages), slots.extractable);
    }

    async wrapKey(
      format: unknown,
      key: unknown,
      wrappingKey: unknown,
      wrapAlgorithm: unknown,
    ): Promise<ArrayBuffer> {
      void this.#branded;
      const what = failed('wrapKey');
      requireArguments(4, arguments.length, what);
      const kind = toFormat(format, `${what}: parameter 1`);
      const wrapped = toKey(key, `${what}: parameter 2`);
      const wrapping = toKey(wrappingKey, `${what}: parameter 3`);
      const normalized = normalizeWrap(toIdentifier(wrapAlgorithm));
      const slots = usable(wrapping, normalized, 'wrapKey');
      const content = exportable(wrapped);
      return settled(
        host.subtleWrap(
          slots.host.material,
          normalized.first,
          normalized.second,
          normalized.length,
          kind,
          content.host.material,
          content.usages,
        ),
      );
    }

    async unwrapKey(
      format: unknown,
      wrappedKey: unknown,
      unwrappingKey: unknown,
      unwrapAlgorithm: unknown,
      unwrappedKeyAlgorithm: unknown,
      extractable: unknown,
      keyUsages: unknown,
    ): Promise<CryptoKeyFacade> {
      void this.#branded;
      const what = failed('unwrapKey');
      requireArguments(7, arguments.length, what);
      const kind = toFormat(format, `${what}: parameter 1`);
      const data = toBufferSource(wrappedKey, `${what}: parameter 2`);
      const unwrapping = toKey(unwrappingKey, `${what}: parameter 3`);
      const identifier = toIdentifier(unwrapAlgorithm);
      const keyIdentifier = toIdentifier(unwrappedKeyAlgorithm);
      const isExtractable = Boolean(extractable);
      const usages = toUsages(keyUsages, `${what}: parameter 7`);
      const normalized = normalizeWrap(identifier);
      const unwrapped = normalize(keyIdentifier, 'importKey');
      const slots = usable(unwrapping, normalized, 'unwrapKey');
      const made = host.subtleUnwrap(
        slots.host.material,
        normalized.first,
        normalized.second,
        normalized.length,
        unwrapped.algorithm,
        unwrapped.parameter,
        unwrapped.length,
        isExtractable,
        usages,
        kind,
        data,
      );
      if (typeof made === 'number') await use('callbacks').wait(made);
      return createKey(taken(made) as HostKey, unwrapped, isExtractable, usages);
    }
  }
  finishInterface(SubtleCrypto);

  function failed(method: string): string {
    return `Failed to execute '${method}' on 'SubtleCrypto'`;
  }

  function crypt(
    operation: 'encrypt' | 'decrypt',
    algorithm: unknown,
    key: unknown,
    data: unknown,
  ): ArrayBuffer | Promise<ArrayBuffer> {
    const what = failed(operation);
    const identifier = toIdentifier(algorithm);
    const using = toKey(key, `${what}: parameter 2`);
    const source = toBufferSource(data, `${what}: parameter 3`);
    const normalized = normalize(identifier, 'encrypt');
    const slots = usable(using, normalized, operation);
    return settled(
      host.subtleCrypt(
        operation === 'decrypt',
        slots.host.material,
        normalized.first,
        normalized.second,
        normalized.length,
        source,
      ),
    );
  }

  /** The keys of an answer; those that took long to make are fetched, which is to be done once it came. */
  function taken(answer: HostAnswer<HostKey | HostKeyPair>): HostKey | HostKeyPair {
    return typeof answer === 'number' ? host.subtleTake(answer) : answer;
  }

  function keysOf(
    made: HostKey | HostKeyPair,
    purpose: KeyPurpose,
    extractable: boolean,
    usages: number,
  ): object {
    return 'material' in made
      ? createKey(made, purpose, extractable, usages)
      : createPair(made, purpose, extractable, usages);
  }

  /** What is derived with: a salt, or the public key of the other side. */
  function firstOf(normalized: NormalizedAlgorithm): BufferSource | undefined {
    const { publicKey } = normalized;
    return publicKey === undefined ? normalized.first : slotsOf(publicKey).host.material;
  }

  return { SubtleCrypto };
});
interface Families {
  subtle_crypto: FamilyOf<typeof subtleCryptoFamily>;
}
