// Owns navigator (https://html.spec.whatwg.org/#navigator), as far as workers on a server have one.
// Runs on the isolate's thread.

const navigatorFamily = define(
  'navigator',
  { globals: { Navigator: 'class', navigator: 'object' } },
  (use) => {
    const { finishInterface, illegalConstructor, internal } = use('webidl');

    class Navigator {
      #userAgent = 'Isolane';
      constructor(token: unknown = undefined) {
        illegalConstructor(token);
      }
      get userAgent(): string {
        return this.#userAgent;
      }
    }

    finishInterface(Navigator);
    return { Navigator, navigator: new Navigator(internal) };
  },
);
interface Families {
  navigator: FamilyOf<typeof navigatorFamily>;
}
