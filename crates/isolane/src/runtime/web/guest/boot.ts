// Owns the table of families: defines them, makes each at its first use, and gives the native side
// its two ways in, `entry` (events and answers) and `resolve` (a global that is read for the first time).
// Runs on the isolate's thread. It is the one file that is called before `define` exists.

const booted = define as unknown as {
  start(host: object): unknown;
  load(name: string): void;
  loadAll(): void;
  resolve(name: string): unknown;
  entry: EntryFunction;
  globals: Array<[name: string, kind: GlobalKind]>;
};

interface Definition {
  factory(use: (name: string) => unknown, host: object): Record<string, unknown>;
}

booted.globals = [];

booted.start = (host) => {
  const definitions = { __proto__: null } as unknown as Record<string, Definition>;
  const made = { __proto__: null } as unknown as Record<string, Record<string, unknown>>;
  const owners = { __proto__: null } as unknown as Record<string, string>;

  const use = (name: string): Record<string, unknown> => {
    const family = made[name];
    if (family !== undefined) return family;
    const definition = definitions[name];
    if (definition === undefined) throw new Error('there is no family ' + name);
    return (made[name] = definition.factory(use, host));
  };

  booted.resolve = (name) => {
    const owner = owners[name];
    return owner === undefined ? undefined : use(owner)[name];
  };

  booted.load = (name) => {
    use(name);
  };

  booted.loadAll = () => {
    for (const name in definitions) {
      const family = use(name);
      for (const global in owners) {
        if (owners[global] === name && !(global in family))
          throw new Error(name + ' does not make ' + global);
      }
    }
  };

  let serve: Families['serve'] | undefined;
  booted.entry = (kind, id, a, b, c, d) => {
    serve ??= use('serve') as unknown as Families['serve'];
    return serve.dispatch(kind, id, a, b, c, d);
  };

  return (
    name: string,
    options: { globals?: Record<string, GlobalKind> },
    factory: Definition['factory'],
  ) => {
    definitions[name] = { factory };
    for (const global in options.globals) {
      owners[global] = name;
      booted.globals.push([global, options.globals[global] as GlobalKind]);
    }
  };
};
