// Owns the table of families: defines them, makes each at its first use, and gives the native side
// its two ways in, `entry` (events and answers) and `resolve` (a global that is read for the first time).
// What few workers use is not even defined before: its file is compiled when it is asked for.
// Runs on the isolate's thread. It is the one file that is called before `define` exists.

interface Host {
  /** The function of `define` that a family's file is; it is not defined yet. */
  familyLoad(name: string): (define: DefineFamily) => void;
  /** Says that the context uses a family for the first time. */
  familyUsed(name: string): void;
}

type Factory = (use: (name: string) => unknown, host: Host) => Record<string, unknown>;
type DefineFamily = (name: string, options: object, factory: Factory) => void;

const booted = define as unknown as {
  start(host: Host): DefineFamily;
  /** From now on families are made because somebody uses them. */
  ready(): void;
  resolve(family: string, name: string): unknown;
  entry: EntryFunction;
};

booted.start = (host) => {
  const factories = { __proto__: null } as unknown as Record<string, Factory>;
  const made = { __proto__: null } as unknown as Record<string, Record<string, unknown>>;
  /** Those that nobody has used yet. */
  const ahead = { __proto__: null } as unknown as typeof made;
  let isAhead = true;

  const use = (name: string): Record<string, unknown> => made[name] ?? first(name);

  const first = (name: string): Record<string, unknown> => {
    if (isAhead) return (ahead[name] ??= make(name));
    host.familyUsed(name);
    return (made[name] = ahead[name] ?? make(name));
  };

  const make = (name: string): Record<string, unknown> => {
    if (factories[name] === undefined) host.familyLoad(name)(defineFamily);
    // Copied: a literal's members leave a map each behind, which every context would have; this has one table.
    return { __proto__: null, ...factories[name]!(use, host) };
  };

  const defineFamily: DefineFamily = (name, _options, factory) => {
    factories[name] = factory;
  };

  booted.resolve = (family, name) => use(family)[name];

  booted.ready = () => {
    Object.assign(made, ahead);
    isAhead = false;
  };

  const makeAhead = (names: string[]): void => {
    isAhead = true;
    try {
      for (const name of names) use(name);
    } finally {
      isAhead = false;
    }
  };
  made['families'] = { __proto__: null, makeAhead };

  let serve: Families['serve'] | undefined;
  booted.entry = (kind, id, a, b, c, d) => {
    serve ??= use('serve') as unknown as Families['serve'];
    return serve.dispatch(kind, id, a, b, c, d);
  };

  return defineFamily;
};
interface Families {
  /** The table itself. */
  families: {
    /** Makes families before anything of the guest's runs, so that who uses them first need not wait for that. */
    makeAhead(names: string[]): void;
  };
}
