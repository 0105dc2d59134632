// Owns the conversion of JSON Web Keys from and to dictionaries of the guest (W3C Web Cryptography,
// section 15). Runs on the isolate's thread.

/** The members as the native side reads them: texts, then key_ops, ext, and whether there is oth. */
type HostJwk = Array<string | string[] | boolean | undefined>;

const cryptoJwkFamily = define('crypto_jwk', { globals: {} }, (use) => {
  const { toDOMString, toSequence } = use('webidl');

  /** The members that are text, in the order of the native side. */
  const TEXTS = ['kty', 'use', 'alg', 'crv', 'x', 'y', 'd', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi', 'k'];
  /** All members, in the order in which Web IDL reads and writes them. */
  const MEMBERS = [
    'alg',
    'crv',
    'd',
    'dp',
    'dq',
    'e',
    'ext',
    'k',
    'key_ops',
    'kty',
    'n',
    'oth',
    'p',
    'q',
    'qi',
    'use',
    'x',
    'y',
  ];

  function place(name: string): number {
    for (let index = 0; index < TEXTS.length; index++) if (TEXTS[index] === name) return index;
    return name === 'key_ops' ? TEXTS.length : name === 'ext' ? TEXTS.length + 1 : TEXTS.length + 2;
  }

  /** Web IDL's conversion to a JsonWebKey. */
  function toHostJwk(source: Record<string, unknown> | undefined): HostJwk {
    const members: HostJwk = [];
    for (let index = 0; index < TEXTS.length + 3; index++) members[index] = undefined;
    if (source === undefined) return members;
    for (let index = 0; index < MEMBERS.length; index++) {
      const name = MEMBERS[index]!;
      const value = source[name];
      if (value !== undefined) members[place(name)] = convert(name, value);
    }
    return members;
  }

  function convert(name: string, value: unknown): string | string[] | boolean {
    switch (name) {
      case 'ext':
        return Boolean(value);
      case 'key_ops':
        return toSequence(value, toDOMString, 'JsonWebKey: member key_ops');
      case 'oth':
        toSequence(value, (item) => item, 'JsonWebKey: member oth');
        return true;
      default:
        return toDOMString(value);
    }
  }

  /** A key of the native side's as a dictionary. */
  function fromHostJwk(members: HostJwk, operations: string[], extractable: boolean): object {
    const jwk: Record<string, unknown> = {};
    for (let index = 0; index < MEMBERS.length; index++) {
      const name = MEMBERS[index]!;
      const value = name === 'key_ops' ? operations : name === 'ext' ? extractable : members[place(name)];
      if (value === undefined) continue;
      Object.defineProperty(jwk, name, { value, writable: true, enumerable: true, configurable: true });
    }
    return jwk;
  }

  return { toHostJwk, fromHostJwk };
});
interface Families {
  crypto_jwk: FamilyOf<typeof cryptoJwkFamily>;
}
