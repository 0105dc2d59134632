// Owns the algorithms of Web Cryptography: their names, what each operation reads of the guest's
// dictionaries, and the dictionaries that keys show (W3C Web Cryptography, section 18). The numbers are
// shared with the native side's crypto module. Runs on the isolate's thread.

/** An algorithm with what an operation needs of its dictionary. */
interface NormalizedAlgorithm {
  readonly algorithm: number;
  /** The number of a hash or of a curve; 0 where there is none, or the curve is unknown. */
  parameter: number;
  /** Of a key, a counter or a tag. */
  length: number | undefined;
  /** A counter, an initialization vector, a label, a salt or a context. */
  first: BufferSource | undefined;
  /** Additional data or info. */
  second: BufferSource | undefined;
  /** The length of a salt, or a number of iterations. */
  count: number;
  publicExponent: Uint8Array | undefined;
  publicKey: CryptoKeyFacade | undefined;
}

/** The operations that an algorithm may or may not have. */
type CryptoOperation =
  | 'encrypt'
  | 'sign'
  | 'generateKey'
  | 'deriveBits'
  | 'wrapKey'
  | 'importKey'
  | 'exportKey'
  | 'get key length';

const cryptoAlgorithmsFamily = define('crypto_algorithms', { globals: {} }, (use) => {
  const { toBufferSource, toDOMString, toOctet, toUnsignedLong, toUnsignedShort, typedArrayName } =
    use('webidl');

  const NAMES = [
    '',
    'RSASSA-PKCS1-v1_5',
    'RSA-PSS',
    'RSA-OAEP',
    'ECDSA',
    'ECDH',
    'Ed25519',
    'X25519',
    'Ed448',
    'X448',
    'AES-CTR',
    'AES-CBC',
    'AES-GCM',
    'AES-KW',
    'HMAC',
    'HKDF',
    'PBKDF2',
  ];
  const Id = {
    RsaPkcs1: 1,
    RsaPss: 2,
    RsaOaep: 3,
    Ecdsa: 4,
    Ecdh: 5,
    Ed25519: 6,
    X25519: 7,
    Ed448: 8,
    X448: 9,
    AesCtr: 10,
    AesCbc: 11,
    AesGcm: 12,
    AesKw: 13,
    Hmac: 14,
    Hkdf: 15,
    Pbkdf2: 16,
  } as const;
  const HASHES = ['', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];
  const CURVES = ['', 'P-256', 'P-384', 'P-521'];
  const enforced = { enforceRange: true };

  function notSupported(message: string): Error {
    return new (use('dom_exception').DOMException)(message, 'NotSupportedError') as unknown as Error;
  }

  function isObject(value: unknown): value is object {
    return (typeof value === 'object' && value !== null) || typeof value === 'function';
  }

  /** Web IDL's conversion to an AlgorithmIdentifier. */
  function toIdentifier(value: unknown): object | string {
    return isObject(value) ? value : toDOMString(value);
  }

  function nameOf(identifier: object | string): string {
    if (typeof identifier === 'string') return identifier;
    const { name } = identifier as { name?: unknown };
    if (name === undefined) throw new TypeError("Algorithm: member 'name' is required");
    return toDOMString(name);
  }

  /** The position of a name, whatever the case of its letters. */
  function find(names: readonly string[], name: string): number {
    // Some letters outside of ASCII have an upper case within it.
    if (/[^ -~]/.test(name)) return 0;
    const wanted = name.toUpperCase();
    for (let index = 1; index < names.length; index++) {
      if (names[index]!.toUpperCase() === wanted) return index;
    }
    return 0;
  }

  /** The number of a digest algorithm. */
  function toHash(identifier: object | string): number {
    const hash = find(HASHES, nameOf(identifier));
    if (hash === 0) throw notSupported('Algorithm: Unrecognized name of a hash');
    return hash;
  }

  function isRsa(algorithm: number): boolean {
    return algorithm <= Id.RsaOaep;
  }

  function isAes(algorithm: number): boolean {
    return algorithm >= Id.AesCtr && algorithm <= Id.AesKw;
  }

  function isCurve(algorithm: number): boolean {
    return algorithm === Id.Ecdsa || algorithm === Id.Ecdh;
  }

  function supports(algorithm: number, operation: CryptoOperation): boolean {
    switch (operation) {
      case 'encrypt':
        return algorithm === Id.RsaOaep || (algorithm >= Id.AesCtr && algorithm <= Id.AesGcm);
      case 'wrapKey':
        return algorithm === Id.AesKw;
      case 'sign':
        return (
          algorithm <= Id.RsaPss ||
          algorithm === Id.Ecdsa ||
          algorithm === Id.Ed25519 ||
          algorithm === Id.Ed448 ||
          algorithm === Id.Hmac
        );
      case 'deriveBits':
        return (
          algorithm === Id.Ecdh || algorithm === Id.X25519 || algorithm === Id.X448 || algorithm >= Id.Hkdf
        );
      case 'generateKey':
      case 'exportKey':
        return algorithm < Id.Hkdf;
      case 'get key length':
        return algorithm >= Id.AesCtr;
      case 'importKey':
        return true;
    }
  }

  /** The standard's "normalize an algorithm", for all but digests. */
  function normalize(identifier: object | string, operation: CryptoOperation): NormalizedAlgorithm {
    const algorithm = find(NAMES, nameOf(identifier));
    if (algorithm === 0 || !supports(algorithm, operation)) {
      throw notSupported(`Algorithm: Unrecognized name, or it has no operation ${operation}`);
    }
    const normalized: NormalizedAlgorithm = {
      algorithm,
      parameter: 0,
      length: undefined,
      first: undefined,
      second: undefined,
      count: 0,
      publicExponent: undefined,
      publicKey: undefined,
    };
    const members = new Members(identifier);
    switch (operation) {
      case 'encrypt':
        readCipher(normalized, members);
        break;
      case 'sign':
        if (algorithm === Id.RsaPss) normalized.count = members.number('saltLength', toUnsignedLong);
        if (algorithm === Id.Ecdsa) normalized.parameter = members.hash();
        if (algorithm === Id.Ed448) normalized.first = members.optionalBytes('context');
        break;
      case 'deriveBits':
        readDerivation(normalized, members);
        break;
      case 'generateKey':
        readGeneration(normalized, members);
        break;
      case 'importKey':
        readImport(normalized, members);
        break;
      case 'get key length':
        if (isAes(algorithm)) normalized.length = members.number('length', toUnsignedShort);
        if (algorithm === Id.Hmac) readHmac(normalized, members);
        break;
      default:
    }
    return normalized;
  }

  type ToInteger = (value: unknown, options: IntegerOptions) => number;

  /** Reads the members of a guest's dictionary. */
  class Members {
    #source: Record<string, unknown>;

    constructor(identifier: object | string) {
      const none = { __proto__: null } as unknown as Record<string, unknown>;
      this.#source = typeof identifier === 'string' ? none : (identifier as Record<string, unknown>);
    }

    optional(name: string): unknown {
      return this.#source[name];
    }

    required(name: string): unknown {
      const value = this.#source[name];
      if (value === undefined) throw new TypeError(`Algorithm: member '${name}' is required`);
      return value;
    }

    bytes(name: string): BufferSource {
      return toBufferSource(this.required(name), `Algorithm: member '${name}'`);
    }

    optionalBytes(name: string): BufferSource | undefined {
      const value = this.optional(name);
      return value === undefined ? undefined : toBufferSource(value, `Algorithm: member '${name}'`);
    }

    number(name: string, convert: ToInteger): number {
      return convert(this.required(name), enforced);
    }

    optionalNumber(name: string, convert: ToInteger): number | undefined {
      const value = this.optional(name);
      return value === undefined ? undefined : convert(value, enforced);
    }

    hash(): number {
      return toHash(toIdentifier(this.required('hash')));
    }

    /** The number of a curve; 0 for one that is unknown. */
    curve(): number {
      const name = toDOMString(this.required('namedCurve'));
      for (let index = 1; index < CURVES.length; index++) if (CURVES[index] === name) return index;
      return 0;
    }
  }

  // Each reads the members in the order of Web IDL: those of the parent dictionary first, then by name.

  function readCipher(normalized: NormalizedAlgorithm, members: Members): void {
    switch (normalized.algorithm) {
      case Id.AesCtr:
        normalized.first = members.bytes('counter');
        normalized.length = members.number('length', toOctet);
        break;
      case Id.AesCbc:
        normalized.first = members.bytes('iv');
        break;
      case Id.AesGcm:
        normalized.second = members.optionalBytes('additionalData');
        normalized.first = members.bytes('iv');
        normalized.length = members.optionalNumber('tagLength', toOctet) ?? 128;
        break;
      default:
        normalized.first = members.optionalBytes('label');
    }
  }

  function readDerivation(normalized: NormalizedAlgorithm, members: Members): void {
    switch (normalized.algorithm) {
      case Id.Hkdf:
        normalized.parameter = members.hash();
        normalized.second = members.bytes('info');
        normalized.first = members.bytes('salt');
        break;
      case Id.Pbkdf2:
        normalized.parameter = members.hash();
        normalized.count = members.number('iterations', toUnsignedLong);
        normalized.first = members.bytes('salt');
        break;
      default:
        normalized.publicKey = use('crypto_key').toKey(
          members.required('public'),
          "Algorithm: member 'public'",
        );
    }
  }

  function readGeneration(normalized: NormalizedAlgorithm, members: Members): void {
    const { algorithm } = normalized;
    if (isRsa(algorithm)) {
      normalized.length = members.number('modulusLength', toUnsignedLong);
      const exponent = members.required('publicExponent');
      if (typedArrayName(exponent) !== 'Uint8Array') {
        throw new TypeError("Algorithm: member 'publicExponent' is not a Uint8Array");
      }
      normalized.publicExponent = exponent as Uint8Array;
      normalized.parameter = members.hash();
    } else if (isCurve(algorithm)) {
      normalized.parameter = members.curve();
    } else if (isAes(algorithm)) {
      normalized.length = members.number('length', toUnsignedShort);
    } else if (algorithm === Id.Hmac) {
      readHmac(normalized, members);
    }
  }

  function readImport(normalized: NormalizedAlgorithm, members: Members): void {
    const { algorithm } = normalized;
    if (isRsa(algorithm)) normalized.parameter = members.hash();
    else if (isCurve(algorithm)) normalized.parameter = members.curve();
    else if (algorithm === Id.Hmac) readHmac(normalized, members);
  }

  function readHmac(normalized: NormalizedAlgorithm, members: Members): void {
    normalized.parameter = members.hash();
    normalized.length = members.optionalNumber('length', toUnsignedLong);
  }

  /** The standard's "get key length": how many bits a key for the algorithm is derived of. */
  function keyLength(normalized: NormalizedAlgorithm): number | null {
    const { algorithm, length } = normalized;
    if (isAes(algorithm)) {
      if (length === 128 || length === 192 || length === 256) return length;
      const message = 'Algorithm: length must be 128, 192 or 256';
      throw new (use('dom_exception').DOMException)(message, 'OperationError');
    }
    if (algorithm !== Id.Hmac) return null;
    if (length === 0) throw new TypeError('Algorithm: length must not be 0');
    return length ?? (normalized.parameter <= 2 ? 512 : 1024);
  }

  /** The dictionary that a key shows. */
  function describe({ host, purpose }: KeySlots): object {
    const { algorithm, parameter } = purpose;
    const name = NAMES[algorithm];
    if (isRsa(algorithm)) {
      return {
        name,
        modulusLength: host.length,
        publicExponent: host.publicExponent,
        hash: { name: HASHES[parameter] },
      };
    }
    if (isCurve(algorithm)) return { name, namedCurve: CURVES[parameter] };
    if (isAes(algorithm)) return { name, length: host.length };
    if (algorithm === Id.Hmac) return { name, hash: { name: HASHES[parameter] }, length: host.length };
    return { name };
  }

  return { describe, keyLength, normalize, supports, toHash, toIdentifier };
});
interface Families {
  crypto_algorithms: FamilyOf<typeof cryptoAlgorithmsFamily>;
}
