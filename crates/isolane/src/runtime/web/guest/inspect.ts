// Owns how values are shown as text. Looking at a value runs no code of a guest: getters are named and
// not called, proxies are looked through. Runs on the isolate's thread.

/** How `inspect` shows a value. */
interface InspectOptions {
  /** How many levels of nested objects are shown. */
  depth?: number;
}

const inspectFamily = define('inspect', {}, (use, host) => {
  const { Kind } = use('value_kind');
  const { bufferFacts, viewFacts } = use('buffer_facts');

  const LINE_WIDTH = 76;
  const MAX_ITEMS = 100;
  const MAX_STRING = 10_000;
  const MAX_TOTAL = 128 * 1024;
  const { toISOString, getTime } = Date.prototype;
  const { toString: functionSource } = Function.prototype;
  const { toString: regExpText } = RegExp.prototype;

  /** One call of inspect: what is open around the value that is being shown, and what may still be written. */
  interface Run {
    readonly depth: number;
    readonly open: object[];
    readonly circular: Map<object, number>;
    left: number;
  }

  /** Shows a value; never throws and never runs code of the guest. */
  function inspect(value: unknown, options: InspectOptions = {}): string {
    const run: Run = { depth: options.depth ?? 2, open: [], circular: new Map(), left: MAX_TOTAL };
    try {
      return show(run, value);
    } catch {
      return '[value that cannot be shown]';
    }
  }

  function show(run: Run, value: unknown): string {
    if (run.left <= 0) return '…';
    const text =
      (typeof value === 'object' && value !== null) || typeof value === 'function'
        ? showObject(run, value)
        : showPrimitive(value);
    run.left -= text.length;
    return text;
  }

  function showPrimitive(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return showString(value);
      case 'bigint':
        return `${value}n`;
      case 'number':
        return Object.is(value, -0) ? '-0' : `${value}`;
      case 'symbol':
        return String(value);
      default:
        return `${value as undefined | null | boolean}`;
    }
  }

  function showString(text: string): string {
    if (text.length > MAX_STRING) {
      return `${quote(text.slice(0, MAX_STRING))}... ${text.length - MAX_STRING} more characters`;
    }
    return quote(text);
  }

  function quote(text: string): string {
    let mark = "'";
    if (text.includes("'")) mark = !text.includes('"') ? '"' : !text.includes('`') ? '`' : "'";
    let quoted = '';
    for (let i = 0; i < text.length; i++) quoted += escaped(text, i, mark);
    return mark + quoted + mark;
  }

  function escaped(text: string, index: number, mark: string): string {
    const char = text[index];
    const code = text.charCodeAt(index);
    if (char === mark || char === '\\') return `\\${char}`;
    if (code >= 0x20 && code < 0x7f) return char;
    const short = code < 0x10 ? '\b\t\n\v\f\r'.indexOf(char) : -1;
    if (short >= 0) return `\\${'btnvfr'[short]}`;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return `\\x${code.toString(16).padStart(2, '0')}`;
    const isLone = code >= 0xd800 && code < 0xe000 && !text.codePointAt(index)?.toString(16).padStart(5);
    return isLone ? `\\u${code.toString(16)}` : char;
  }

  function showObject(run: Run, given: object): string {
    const value = throughProxies(given);
    if (value === null) return '<Revoked Proxy>';
    if (run.open.includes(value)) {
      let index = run.circular.get(value);
      if (index === undefined) run.circular.set(value, (index = run.circular.size + 1));
      return `[Circular *${index}]`;
    }
    const kind = host.valueKind(value);
    const isDeep = run.open.length > run.depth;
    run.open.push(value);
    try {
      const text = showKind(run, value, kind, isDeep);
      const index = run.circular.get(value);
      return index === undefined ? text : `<ref *${index}> ${text}`;
    } finally {
      run.open.pop();
    }
  }

  function throughProxies(value: object): object | null {
    let at: object | null = value;
    while (at !== null && host.valueKind(at) === Kind.Proxy) at = host.valueDetails(at)![0] as object | null;
    return at;
  }

  function showKind(run: Run, value: object, kind: number, isDeep: boolean): string {
    const { ownEntries, classOf, tagged, pairsOf, errorText } = use('inspect_parts');
    const name = classOf(value);
    const label = (plain: string) => tagged(value, name, plain);
    const more = () => (isDeep ? [] : ownEntries(value, kind, (part) => show(run, part)));
    const list = (prefix: string, items: () => string[], open = '{', close = '}') =>
      isDeep ? `[${prefix.trim()}]` : wrap(run, `${prefix}${open}`, [...items(), ...more()], close);
    const atom = (text: string) => {
      const entries = more();
      return entries.length === 0 ? text : wrap(run, `${text} {`, entries, '}');
    };

    switch (kind) {
      case Kind.Function:
        return atom(functionText(value, name));
      case Kind.Array: {
        const { length } = value as unknown[];
        const prefix = name === 'Array' ? '' : `${label('Array')}(${length}) `;
        if (isDeep) return `[${prefix.trim() || 'Array'}]`;
        return list(prefix, () => arrayItems(run, value as unknown[], length), '[', ']');
      }
      case Kind.Arguments:
        return list(
          '[Arguments] ',
          () => arrayItems(run, value as unknown[], Object.keys(value).length),
          '[',
          ']',
        );
      case Kind.View:
        return list(...viewParts(run, value as ArrayBufferView, label));
      case Kind.Map:
      case Kind.Set: {
        const entries = collectionItems(run, value, kind === Kind.Map, isDeep);
        return list(`${label(kind === Kind.Map ? 'Map' : 'Set')}(${entries.size}) `, () => entries.items);
      }
      case Kind.MapIterator:
      case Kind.SetIterator: {
        const title = `[${kind === Kind.MapIterator ? 'Map' : 'Set'} Iterator] `;
        return list(title, () => collectionItems(run, value, false, false).items);
      }
      case Kind.WeakMap:
      case Kind.WeakSet:
        return list(`${label(kind === Kind.WeakMap ? 'WeakMap' : 'WeakSet')} `, () => ['<items unknown>']);
      case Kind.Date: {
        const time = Reflect.apply(getTime, value, []) as number;
        return atom(Number.isNaN(time) ? 'Invalid Date' : (Reflect.apply(toISOString, value, []) as string));
      }
      case Kind.RegExp:
        return atom(guarded(() => Reflect.apply(regExpText, value, []) as string, '[RegExp]'));
      case Kind.Error:
        return atom(errorText(value).replaceAll('\n', `\n${'  '.repeat(run.open.length - 1)}`));
      case Kind.Promise: {
        const [state, result] = host.valueDetails(value)!;
        const items = () => {
          if (state === 0) return ['<pending>'];
          return [state === 1 ? show(run, result) : `<rejected> ${show(run, result)}`];
        };
        return list(`${label('Promise')} `, items);
      }
      case Kind.Boxed:
        return atom(boxedText(value));
      case Kind.ArrayBuffer:
      case Kind.SharedArrayBuffer:
        return list(`${label('ArrayBuffer')} `, () => bufferItems(value as ArrayBuffer, kind));
      case Kind.Generator:
        return list('Object [Generator] ', () => []);
      case Kind.ModuleNamespace:
        return list('[Module: null prototype] ', () => []);
      case Kind.External:
        return '[External]';
      default: {
        const pairs = guarded(() => pairsOf(value), undefined);
        const prefix = label('Object');
        if (pairs === undefined) {
          return list(prefix === 'Object' ? (isDeep ? 'Object' : '') : `${prefix} `, () => []);
        }
        return list(`${prefix} `, () =>
          pairs.map(([key, item]) => `${show(run, key)} => ${show(run, item)}`),
        );
      }
    }
  }

  function guarded<T>(read: () => T, otherwise: T): T {
    try {
      return read();
    } catch {
      return otherwise;
    }
  }

  function functionText(value: object, className: string | null): string {
    const { ownText } = use('inspect_parts');
    const name = ownText(value, 'name');
    const source = guarded(() => Reflect.apply(functionSource, value, []) as string, '');
    if (/^class\b/.test(source)) {
      const parent = Object.getPrototypeOf(value);
      const parentName = typeof parent === 'function' ? ownText(parent, 'name') : '';
      return `[class ${name || '(anonymous)'}${parentName ? ` extends ${parentName}` : ''}]`;
    }
    return `[${className ?? 'Function'}${name ? `: ${name}` : ' (anonymous)'}]`;
  }

  function arrayItems(run: Run, array: unknown[], length: number): string[] {
    const items: string[] = [];
    let index = 0;
    while (index < length && items.length < MAX_ITEMS && run.left > 0) {
      if (Object.hasOwn(array, index)) {
        const descriptor = Object.getOwnPropertyDescriptor(array, index)!;
        items.push('value' in descriptor ? show(run, descriptor.value) : '[Getter]');
        index++;
        continue;
      }
      const next = nextIndex(array, index, length);
      const holes = next - index;
      items.push(`<${holes} empty item${holes === 1 ? '' : 's'}>`);
      index = next;
    }
    if (index < length) items.push(moreItems(length - index));
    return items;
  }

  /** The first index after `from` that an array with holes has. */
  function nextIndex(array: unknown[], from: number, length: number): number {
    for (let i = from; i < Math.min(length, from + 1000); i++) if (Object.hasOwn(array, i)) return i;
    for (const key of Object.keys(array)) {
      const index = Number(key);
      if (!(index < length)) break;
      if (index >= from) return index;
    }
    return length;
  }

  function moreItems(count: number): string {
    return `... ${count} more item${count === 1 ? '' : 's'}`;
  }

  type ListParts = [prefix: string, items: () => string[], open: string, close: string];

  function viewParts(run: Run, value: ArrayBufferView, label: (plain: string) => string): ListParts {
    const view = viewFacts(value);
    if (view.Type === (DataView as unknown)) {
      const items = () => [`byteLength: ${view.byteLength}`, `byteOffset: ${view.byteOffset}`];
      return [`${label('DataView')} `, items, '{', '}'];
    }
    const length = view.byteLength / view.elementSize;
    const items = () => {
      const shown = [];
      const numbers = value as unknown as ArrayLike<number>;
      for (let i = 0; i < Math.min(length, MAX_ITEMS); i++) shown.push(show(run, numbers[i]));
      if (length > MAX_ITEMS) shown.push(moreItems(length - MAX_ITEMS));
      return shown;
    };
    return [`${label(view.Type.name)}(${length}) `, items, '[', ']'];
  }

  function collectionItems(run: Run, value: object, isMap: boolean, sizeOnly: boolean) {
    const [isKeyValue, list] = host.valueDetails(value) as [boolean, unknown[]];
    const step = isKeyValue ? 2 : 1;
    const size = list.length / step;
    const items: string[] = [];
    if (sizeOnly) return { size, items };
    for (let i = 0; i < Math.min(size, MAX_ITEMS) && run.left > 0; i++) {
      const first = show(run, list[i * step]);
      if (!isKeyValue) items.push(first);
      else if (isMap) items.push(`${first} => ${show(run, list[i * step + 1])}`);
      else items.push(`[ ${first}, ${show(run, list[i * step + 1])} ]`);
    }
    if (items.length < size) items.push(moreItems(size - items.length));
    return { size, items };
  }

  function bufferItems(buffer: ArrayBuffer, kind: number): string[] {
    if (kind === Kind.SharedArrayBuffer) return ['[shared memory]'];
    const { byteLength, detached } = bufferFacts(buffer);
    if (detached) return ['(detached)', 'byteLength: 0'];
    let contents = '';
    for (const byte of new Uint8Array(buffer, 0, Math.min(byteLength, 50))) {
      contents += `${contents && ' '}${byte.toString(16).padStart(2, '0')}`;
    }
    if (byteLength > 50) contents += ` ... ${byteLength - 50} more bytes`;
    return [`[Uint8Contents]: <${contents}>`, `byteLength: ${byteLength}`];
  }

  function boxedText(value: object): string {
    for (const Box of [Number, String, Boolean, BigInt, Symbol]) {
      const primitive = guarded(
        () => ({ value: Reflect.apply(Box.prototype.valueOf, value, []) }),
        undefined,
      );
      if (primitive !== undefined) return `[${Box.name}: ${showPrimitive(primitive.value)}]`;
    }
    return '[Object]';
  }

  /** Puts entries on one line where they fit, else each on its own, or many short ones on each. */
  function wrap(run: Run, open: string, entries: string[], close: string): string {
    if (entries.length === 0) return open + close;
    const isOneLine = entries.every((entry) => !entry.includes('\n'));
    const width = entries.reduce((sum, entry) => sum + entry.length + 2, open.length + close.length);
    if (isOneLine && width <= LINE_WIDTH) return `${open} ${entries.join(', ')} ${close}`;
    const indent = '  '.repeat(run.open.length);
    const lines = isOneLine && close === ']' && entries.length > 6 ? filledLines(entries) : entries;
    return `${open}\n${indent}${lines.join(`,\n${indent}`)}\n${indent.slice(2)}${close}`;
  }

  function filledLines(entries: string[]): string[] {
    const lines: string[] = [];
    let line = '';
    for (const entry of entries) {
      if (line !== '' && line.length + entry.length + 2 > LINE_WIDTH) {
        lines.push(line);
        line = '';
      }
      line += line === '' ? entry : `, ${entry}`;
    }
    lines.push(line);
    return lines;
  }

  return { inspect, showString };
});
interface Families {
  inspect: FamilyOf<typeof inspectFamily>;
}
