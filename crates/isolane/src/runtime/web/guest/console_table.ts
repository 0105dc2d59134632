// Owns the tables of console.table. Runs on the isolate's thread.

const consoleTableFamily = define('console_table', {}, (use, host) => {
  const { Kind } = use('value_kind');

  const MAX_ROWS = 1000;
  const MAX_COLUMNS = 50;

  /** Draws tabular data, or gives null for what is not. */
  function table(data: unknown, properties: unknown): string | null {
    if (typeof data !== 'object' || data === null || host.valueKind(data) === Kind.Proxy) return null;
    const rows = rowsOf(data);
    const wanted = wantedColumns(properties);
    const columns = new Map<string, Map<string, string>>();
    if (wanted !== null) for (const name of wanted) columns.set(name, new Map());
    const values = new Map<string, string>();
    for (const [index, value] of rows.items) {
      const isRow = typeof value === 'object' && value !== null && host.valueKind(value) !== Kind.Proxy;
      if (!isRow) values.set(index, cell(value));
      else fillRow(columns, index, value, wanted !== null);
    }
    const header = [rows.title, ...columns.keys(), ...(values.size > 0 ? ['Values'] : [])];
    const lines = rows.items.map(([index]) => {
      const cells = [...columns.values()].map((column) => column.get(index) ?? '');
      return [index, ...cells, ...(values.size > 0 ? [values.get(index) ?? ''] : [])];
    });
    return draw(header, lines);
  }

  interface Rows {
    title: string;
    items: [index: string, value: unknown][];
  }

  function rowsOf(data: object): Rows {
    const kind = host.valueKind(data);
    if (kind !== Kind.Map && kind !== Kind.Set)
      return { title: '(index)', items: dataProperties(data, MAX_ROWS) };
    const [isKeyValue, list] = host.valueDetails(data) as [boolean, unknown[]];
    const items: Rows['items'] = [];
    for (let i = 0; i < Math.min(list.length, MAX_ROWS); i++) items.push([String(i), list[i]]);
    if (!isKeyValue) return { title: '(iteration index)', items };
    const pairs = items
      .filter((_, i) => i % 2 === 0)
      .map(([, key], i) => ({ Key: key, Values: list[i * 2 + 1] }));
    return { title: '(iteration index)', items: pairs.map((pair, i) => [String(i), pair]) };
  }

  /** Own enumerable data properties; getters are not called. */
  function dataProperties(value: object, most: number): [string, unknown][] {
    const found: [string, unknown][] = [];
    for (const key of Object.keys(value).slice(0, most)) {
      const descriptor = Object.getOwnPropertyDescriptor(value, key);
      if (descriptor !== undefined && 'value' in descriptor) found.push([key, descriptor.value]);
    }
    return found;
  }

  function wantedColumns(properties: unknown): string[] | null {
    if (typeof properties !== 'object' || properties === null) return null;
    if (host.valueKind(properties) !== Kind.Array) return null;
    const names: string[] = [];
    for (const [, name] of dataProperties(properties, MAX_COLUMNS)) {
      if (typeof name === 'string' || typeof name === 'number') names.push(`${name}`);
    }
    return names;
  }

  function fillRow(
    columns: Map<string, Map<string, string>>,
    index: string,
    row: object,
    isFixed: boolean,
  ): void {
    for (const [name, value] of dataProperties(row, MAX_COLUMNS)) {
      let column = columns.get(name);
      if (column === undefined) {
        if (isFixed || columns.size >= MAX_COLUMNS) continue;
        columns.set(name, (column = new Map()));
      }
      column.set(index, cell(value));
    }
  }

  function cell(value: unknown): string {
    return use('inspect').inspect(value, { depth: 0 }).replaceAll('\n', ' ');
  }

  function draw(header: string[], lines: string[][]): string {
    const widths = header.map((title, i) =>
      lines.reduce((most, line) => Math.max(most, line[i].length), title.length),
    );
    const rule = (left: string, between: string, right: string) =>
      left + widths.map((width) => '─'.repeat(width + 2)).join(between) + right;
    const row = (cells: string[]) => `│${cells.map((text, i) => ` ${text.padEnd(widths[i])} `).join('│')}│`;
    return [
      rule('┌', '┬', '┐'),
      row(header),
      rule('├', '┼', '┤'),
      ...lines.map(row),
      rule('└', '┴', '┘'),
    ].join('\n');
  }

  return { table };
});
interface Families {
  console_table: FamilyOf<typeof consoleTableFamily>;
}
