// Owns the table of families: defines them, makes each at its first use, and gives the native side
// its two ways in, `entry` (events and answers) and `resolve` (a global that is read for the first time).
// What few workers use is not even defined before: its file is compiled when it is asked for.
// Runs on the isolate's thread. It is the one file that is called before `define` exists.

interface Host {
  /** The function of `define` that a family's file is; it is not defined yet. */
  familyLoad(name: string): (define: DefineFamily) => void;
}

type Factory = (use: (name: string) => unknown, host: Host) => Record<string, unknown>;
type DefineFamily = (name: string, options: object, factory: Factory) => void;

const booted = define as unknown as {
  start(host: Host): DefineFamily;
  resolve(family: string, name: string): unknown;
  entry: EntryFunction;
};

booted.start = (host) => {
  const factories = { __proto__: null } as unknown as Record<string, Factory>;
  const made = { __proto__: null } as unknown as Record<string, Record<string, unknown>>;

  const use = (name: string): Record<string, unknown> => made[name] ?? make(name);

  const make = (name: string): Record<string, unknown> => {
    if (factories[name] === undefined) host.familyLoad(name)(defineFamily);
    // Copied: a literal's members leave a map each behind, which every context would have; this has one table.
    return (made[name] = { __proto__: null, ...factories[name]!(use, host) });
  };

  const defineFamily: DefineFamily = (name, _options, factory) => {
    factories[name] = factory;
  };

  booted.resolve = (family, name) => use(family)[name];

  let serve: Families['serve'] | undefined;
  booted.entry = (kind, id, a, b, c, d) => {
    serve ??= use('serve') as unknown as Families['serve'];
    return serve.dispatch(kind, id, a, b, c, d);
  };

  return defineFamily;
};
