// Owns what is put around a test inside of the guest. It imports nothing: it is compiled apart and becomes a
// part of the composed script.

/** What of the guest's globals is used here; the file is checked against Node's types. */
interface GuestScope {
  self?: unknown;
  location: object;
  GLOBAL: object;
  fetch: typeof fetch;
  Request: typeof Request;
  timeout(): void;
  add_completion_callback(
    callback: (tests: GuestSubtest[], harness: { status: number; message: string | null }) => void,
  ): void;
}

interface GuestSubtest {
  name: string;
  status: number;
  message: string | null;
}

const scope = globalThis as unknown as GuestScope;
const { stringify } = JSON;
const LONGEST_MESSAGE = 1000;

/**
 * Gives what the harness looks for to recognise a shell, and relative URLs their base. The runtime has no
 * location, so its origin stays what it is: opaque.
 */
export function prelude(base: string): void {
  scope.self ??= scope;
  const no = () => false;
  scope.GLOBAL = { isWindow: no, isWorker: no, isShadowRealm: no };
  const { href, protocol, host, hostname, port, pathname, search, hash } = new URL(base);
  scope.location = { href, origin: 'null', protocol, host, hostname, port, pathname, search, hash };
  const resolve = (args: unknown[]): unknown[] => {
    const [input] = args;
    const isUrl = typeof input === 'string' && URL.canParse(input, base);
    return isUrl ? [new URL(input, base).href, ...args.slice(1)] : args;
  };
  scope.fetch = new Proxy(scope.fetch, {
    apply: (target, receiver, args) => Reflect.apply(target, receiver, resolve(args)),
  });
  scope.Request = new Proxy(scope.Request, {
    construct: (target, args, newTarget) => Reflect.construct(target, resolve(args), newTarget),
  });
}

/**
 * Says that the global is a service worker's, the one most like it, for tests of interfaces that ask for one
 * which the IDL knows. It must not be there before the harness is, which takes it for a reason to wait for a page.
 */
export function actAsWorker(): void {
  const value = function ServiceWorkerGlobalScope(): void {};
  const isScope = (object: unknown) => object === scope;
  Object.defineProperty(value, Symbol.hasInstance, { value: isScope });
  Object.defineProperty(scope, 'ServiceWorkerGlobalScope', { value, configurable: true, writable: true });
}

/** A promise of the results, as JSON. The harness is told when `timeoutMs` are over. */
export function results(timeoutMs: number): Promise<string> {
  const cut = (text: string | null) => (text === null ? null : `${text}`.slice(0, LONGEST_MESSAGE));
  // Without it, a test that waits for nothing would end without results of the others.
  const timer = setTimeout(() => scope.timeout(), timeoutMs);
  return new Promise((resolve) => {
    scope.add_completion_callback((tests, harness) => {
      clearTimeout(timer);
      const subtests = [];
      for (const { name, status, message } of tests) subtests.push({ name, status, message: cut(message) });
      resolve(stringify({ status: harness.status, message: cut(harness.message), subtests }));
    });
  });
}
