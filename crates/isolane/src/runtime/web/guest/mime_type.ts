// Owns MIME types: their parser and serializer (https://mimesniff.spec.whatwg.org/#mime-type), and how one is
// taken from a Content-Type header (Fetch standard, "extract a MIME type"). Runs on the isolate's thread.

/** A MIME type; names of parameters are in lower case. */
interface MimeType {
  /** Type and subtype, in lower case. */
  readonly essence: string;
  readonly parameters: Map<string, string>;
}

const mimeTypeFamily = define('mime_type', { globals: {} }, () => {
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const quotable = /^[\t\x20-\x7e\x80-\xff]*$/;
  const leadingSpace = /^[\t\n\r ]+/;
  const trailingSpace = /[\t\n\r ]+$/;
  const escaped = /["\\]/g;

  /** The MIME type that a text stands for, null where it is none. */
  function parseMime(input: string): MimeType | null {
    const text = input.replace(leadingSpace, '').replace(trailingSpace, '');
    const slash = text.indexOf('/');
    if (slash < 0) return null;
    const end = indexOrEnd(text, ';', slash);
    const type = text.slice(0, slash);
    const subtype = text.slice(slash + 1, end).replace(trailingSpace, '');
    if (!token.test(type) || !token.test(subtype)) return null;
    const parameters = new Map<string, string>();
    readParameters(text, end, parameters);
    return { essence: `${type}/${subtype}`.toLowerCase(), parameters };
  }

  function readParameters(text: string, from: number, parameters: Map<string, string>): void {
    for (let at = from; at < text.length; ) {
      at++;
      while (at < text.length && isSpace(text, at)) at++;
      const semicolon = indexOrEnd(text, ';', at);
      const equals = indexOrEnd(text, '=', at);
      if (equals >= semicolon) {
        at = semicolon;
        continue;
      }
      const name = text.slice(at, equals).toLowerCase();
      let value: string;
      if (text[equals + 1] === '"') {
        const quoted = readQuoted(text, equals + 1);
        value = quoted.value;
        at = indexOrEnd(text, ';', quoted.end);
      } else {
        value = text.slice(equals + 1, semicolon).replace(trailingSpace, '');
        at = semicolon;
        if (value === '') continue;
      }
      if (token.test(name) && quotable.test(value) && !parameters.has(name)) parameters.set(name, value);
    }
  }

  /** The quoted string that starts at `from`, which may lack its end. */
  function readQuoted(text: string, from: number): { value: string; end: number } {
    let value = '';
    let at = from + 1;
    for (; at < text.length && text[at] !== '"'; at++) {
      if (text[at] === '\\' && at + 1 < text.length) at++;
      value += text[at];
    }
    return { value, end: Math.min(at + 1, text.length) };
  }

  function isSpace(text: string, at: number): boolean {
    const unit = text.charCodeAt(at);
    return unit === 0x20 || unit === 0x09 || unit === 0x0a || unit === 0x0d;
  }

  function indexOrEnd(text: string, wanted: string, from: number): number {
    const at = text.indexOf(wanted, from);
    return at < 0 ? text.length : at;
  }

  function serializeMime({ essence, parameters }: MimeType): string {
    let text = essence;
    for (const [name, value] of parameters) {
      text += `;${name}=${token.test(value) ? value : `"${value.replace(escaped, '\\$&')}"`}`;
    }
    return text;
  }

  /** The MIME type of a Content-Type header, whose values are joined by commas; null where it has none. */
  function extractMime(header: string | null): MimeType | null {
    if (header === null) return null;
    let mime: MimeType | null = null;
    let charset: string | undefined;
    for (const part of splitValues(header)) {
      const next = parseMime(part);
      if (next === null || next.essence === '*/*') continue;
      const own = next.parameters.get('charset');
      if (next.essence !== mime?.essence || own !== undefined) charset = own;
      else if (charset !== undefined) next.parameters.set('charset', charset);
      mime = next;
    }
    return mime;
  }

  /** Splits at commas outside of quotes. */
  function splitValues(header: string): string[] {
    if (!header.includes('"')) return header.split(',');
    const values: string[] = [];
    let from = 0;
    for (let at = 0; at < header.length; at++) {
      if (header[at] === '"') at = readQuoted(header, at).end - 1;
      else if (header[at] === ',') {
        values.push(header.slice(from, at));
        from = at + 1;
      }
    }
    values.push(header.slice(from));
    return values;
  }

  return { parseMime, serializeMime, extractMime };
});
interface Families {
  mime_type: FamilyOf<typeof mimeTypeFamily>;
}
