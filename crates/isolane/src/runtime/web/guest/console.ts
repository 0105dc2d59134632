// Owns console (https://console.spec.whatwg.org/). No method throws, but for what the
// conversion of a label throws. Runs on the isolate's thread.

const consoleFamily = define('console', { globals: { console: 'object' } }, (use, host) => {
  const { setTag, toDOMString } = use('webidl');

  const DEBUG = 0;
  const LOG = 1;
  const INFO = 2;
  const WARN = 3;
  const ERROR = 4;
  const MAX_MESSAGE = 64 * 1024;
  const MAX_INDENT = 40;

  let groupDepth = 0;
  const counts = new Map<string, number>();
  const starts = new Map<string, number>();

  function print(level: number, text: string): void {
    let message = text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text;
    if (groupDepth > 0) {
      const indent = '  '.repeat(Math.min(groupDepth, MAX_INDENT));
      message = indent + message.replaceAll('\n', `\n${indent}`);
    }
    host.log(level, message);
  }

  function log(level: number, args: unknown[]): void {
    if (args.length > 0) print(level, format(args));
  }

  /** The formatter of the specification, then the rest of the arguments with spaces between. */
  function format(args: unknown[]): string {
    const first = args[0];
    let rest = 1;
    let text = '';
    if (typeof first !== 'string') rest = 0;
    else if (args.length === 1 || !first.includes('%')) text = first;
    else {
      let from = 0;
      for (let at = first.indexOf('%'); at >= 0 && at + 1 < first.length; at = first.indexOf('%', from)) {
        const specifier = first[at + 1];
        text += first.slice(from, at);
        from = at + 2;
        if (specifier === '%') text += '%';
        else if (!'sdifoOc'.includes(specifier)) text += `%${specifier}`;
        else if (rest < args.length) text += formatOne(specifier, args[rest++]);
        else text += `%${specifier}`;
        if (text.length > MAX_MESSAGE) break;
      }
      text += first.slice(from);
    }
    for (let i = rest; i < args.length && text.length <= MAX_MESSAGE; i++) {
      if (i > 0) text += ' ';
      text += show(args[i]);
    }
    return text;
  }

  function formatOne(specifier: string, value: unknown): string {
    switch (specifier) {
      case 'c':
        return '';
      case 's':
        return toText(value);
      case 'o':
        return use('inspect').inspect(value, { depth: 4 });
      case 'O':
        return use('inspect').inspect(value);
      default: {
        if (typeof value === 'symbol') return 'NaN';
        if (typeof value === 'bigint' && specifier !== 'f') return `${value}n`;
        const text = toText(value);
        return String(specifier === 'f' ? Number.parseFloat(text) : Number.parseInt(text, 10));
      }
    }
  }

  /** The String conversion, which may run a guest's toString, and may therefore throw. */
  function toText(value: unknown): string {
    if (Object.is(value, -0)) return '-0';
    try {
      return String(value);
    } catch {
      return use('inspect').inspect(value);
    }
  }

  function show(value: unknown): string {
    return typeof value === 'string' ? value : use('inspect').inspect(value);
  }

  function labelOf(value: unknown): string {
    return value === undefined ? 'default' : toDOMString(value);
  }

  function duration(label: string): string {
    const ms = host.now() - starts.get(label)!;
    if (ms < 1000) return `${label}: ${Number(ms.toFixed(1))}ms`;
    return `${label}: ${Number((ms / 1000).toFixed(3))}s`;
  }

  function stackHere(above: Function): string {
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, above);
    const stack = typeof holder.stack === 'string' ? holder.stack : '';
    // The frames of the runtime's own guest side say nothing to the worker's author.
    const frames = stack.split('\n').slice(1);
    return frames.filter((frame) => !frame.includes('isolane:')).join('\n');
  }

  const methods = {
    assert(condition: unknown = false, ...data: unknown[]): void {
      if (condition) return;
      const message = 'Assertion failed';
      if (data.length === 0) data.push(message);
      else if (typeof data[0] === 'string') data[0] = `${message}: ${data[0]}`;
      else data.unshift(message);
      log(ERROR, data);
    },
    clear(): void {
      groupDepth = 0;
    },
    debug(...data: unknown[]): void {
      log(DEBUG, data);
    },
    error(...data: unknown[]): void {
      log(ERROR, data);
    },
    info(...data: unknown[]): void {
      log(INFO, data);
    },
    log(...data: unknown[]): void {
      log(LOG, data);
    },
    table(data: unknown = undefined, properties: unknown = undefined): void {
      print(LOG, use('console_table').table(data, properties) ?? show(data));
    },
    trace(...data: unknown[]): void {
      const title = data.length === 0 ? 'Trace' : `Trace: ${format(data)}`;
      print(LOG, `${title}\n${stackHere(methods.trace)}`);
    },
    warn(...data: unknown[]): void {
      log(WARN, data);
    },
    dir(item: unknown = undefined, options: unknown = undefined): void {
      print(LOG, use('inspect').inspect(item, { depth: depthOf(options) }));
    },
    dirxml(...data: unknown[]): void {
      log(LOG, data);
    },
    count(label: unknown = undefined): void {
      const name = labelOf(label);
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      print(INFO, `${name}: ${count}`);
    },
    countReset(label: unknown = undefined): void {
      const name = labelOf(label);
      if (counts.has(name)) counts.set(name, 0);
      else print(WARN, `Count for '${name}' does not exist`);
    },
    group(...data: unknown[]): void {
      log(LOG, data);
      groupDepth++;
    },
    groupCollapsed(...data: unknown[]): void {
      log(LOG, data);
      groupDepth++;
    },
    groupEnd(): void {
      if (groupDepth > 0) groupDepth--;
    },
    time(label: unknown = undefined): void {
      const name = labelOf(label);
      if (starts.has(name)) print(WARN, `Timer '${name}' already exists`);
      else starts.set(name, host.now());
    },
    timeLog(label: unknown = undefined, ...data: unknown[]): void {
      const name = labelOf(label);
      if (!starts.has(name)) return print(WARN, `Timer '${name}' does not exist`);
      print(LOG, [duration(name), ...data.map(show)].join(' '));
    },
    timeEnd(label: unknown = undefined): void {
      const name = labelOf(label);
      if (!starts.has(name)) return print(WARN, `Timer '${name}' does not exist`);
      print(INFO, duration(name));
      starts.delete(name);
    },
  };

  function depthOf(options: unknown): number | undefined {
    try {
      const depth = (options as { depth?: unknown } | null | undefined)?.depth;
      if (depth === null) return Infinity;
      return typeof depth === 'number' && depth >= 0 ? depth : undefined;
    } catch {
      return undefined;
    }
  }

  // As namespace objects are: methods of its own over an empty prototype.
  const console = Object.setPrototypeOf(methods, {}) as typeof methods;
  setTag(console, 'console');
  return {
    console,
    inspect: (value: unknown, options?: InspectOptions) => use('inspect').inspect(value, options),
  };
});
interface Families {
  console: FamilyOf<typeof consoleFamily>;
}
