// Forms as bodies: writing and reading multipart/form-data (RFC 7578), and reading application/x-www-form-
// urlencoded.
// Runs in a guest's context, on whichever thread has its isolate entered.

const multipartFamily = define('multipart', { globals: {} }, (use) => {
  const { FormData, entriesOf } = use('form_data');
  const { utf8Decode, utf8Encode } = use('encoding');

  const CARRIAGE_RETURN = 13;
  const LINE_FEED = 10;
  const HYPHEN = 45;
  const anyNewline = /\r\n|\r|\n/g;

  /** A form as the bytes of a body, and the content type that names their boundary. */
  function encodeForm(form: FormDataFacade): { body: Uint8Array; type: string } {
    const boundary = `----FormBoundary${randomDigits()}${randomDigits()}`;
    const pieces: Uint8Array[] = [];
    const entries = entriesOf(form);
    for (let i = 0; i < entries.length; i++) {
      const [name, value] = entries[i]!;
      const start = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"`;
      if (typeof value === 'string') {
        pieces.push(utf8Encode(`${start}\r\n\r\n${value.replace(anyNewline, '\r\n')}\r\n`));
      } else {
        const type = value.type === '' ? 'application/octet-stream' : value.type;
        const filename = escapeFilename(value.name);
        pieces.push(
          utf8Encode(`${start}; filename="${filename}"\r\nContent-Type: ${type}\r\n\r\n`),
          use('blob').blobBytes(value),
          utf8Encode('\r\n'),
        );
      }
    }
    pieces.push(utf8Encode(`--${boundary}--\r\n`));
    return { body: use('streams').concatenate(pieces), type: `multipart/form-data; boundary=${boundary}` };
  }

  function randomDigits(): string {
    return Math.random().toString(36).slice(2).padEnd(12, '0');
  }

  function escapeName(name: string): string {
    return escapeFilename(name.replace(anyNewline, '\r\n'));
  }

  function escapeFilename(name: string): string {
    return name.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22');
  }

  /** Reads a body as the form that its content type says it is; throws a TypeError where it is none. */
  function decodeForm(bytes: Uint8Array, contentType: string | null): FormDataFacade {
    const mime = use('mime_type').extractMime(contentType);
    if (mime?.essence === 'application/x-www-form-urlencoded') {
      return decodeUrlEncoded(utf8Decode(bytes, true));
    }
    if (mime?.essence === 'multipart/form-data') {
      const boundary = mime.parameters.get('boundary');
      if (boundary) return decodeMultipart(bytes, utf8Encode(`--${boundary}`));
    }
    throw new TypeError('The content type of the body is not one of a form');
  }

  function decodeUrlEncoded(text: string): FormDataFacade {
    const form = new FormData();
    const list = use('form_urlencoded').parseForm(text);
    for (let at = 0; at < list.length; at += 2) form.append(list[at], list[at + 1]);
    return form;
  }

  function decodeMultipart(bytes: Uint8Array, delimiter: Uint8Array): FormDataFacade {
    const form = new FormData();
    const lineDelimiter = new Uint8Array(delimiter.length + 2);
    lineDelimiter.set([CARRIAGE_RETURN, LINE_FEED]);
    lineDelimiter.set(delimiter, 2);
    let at = 0;
    if (!matches(bytes, delimiter, at)) throw malformed();
    for (;;) {
      at += delimiter.length;
      if (bytes[at] === HYPHEN && bytes[at + 1] === HYPHEN) return form;
      at = afterNewline(bytes, at);
      const part: PartHead = { name: undefined, filename: undefined, type: 'text/plain' };
      while (bytes[at] !== CARRIAGE_RETURN) {
        const end = indexOf(bytes, newline, at);
        readHeader(utf8Decode(bytes.subarray(at, end), true), part);
        at = end + newline.length;
      }
      at = afterNewline(bytes, at);
      // An empty body may share its line break with the end of the head.
      const end = matches(bytes, lineDelimiter, at - 2) ? at - 2 : indexOf(bytes, lineDelimiter, at);
      addPart(form, part, bytes.subarray(at, end));
      at = end + 2;
    }
  }

  interface PartHead {
    name: string | undefined;
    filename: string | undefined;
    type: string;
  }

  const newline = new Uint8Array([CARRIAGE_RETURN, LINE_FEED]);

  function readHeader(line: string, part: PartHead): void {
    const colon = line.indexOf(':');
    if (colon === -1) throw malformed();
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).trim().toLowerCase()) {
      case 'content-disposition':
        if (!/^form-data[\t ]*(?:;|$)/i.test(value)) throw malformed();
        part.name = parameter(value, 'name');
        part.filename = parameter(value, 'filename');
        break;
      case 'content-type':
        part.type = value;
        break;
      default:
    }
  }

  function parameter(value: string, name: string): string | undefined {
    const match = new RegExp(`;[\\t ]*${name}="([^"]*)"`, 'i').exec(value);
    return match?.[1]?.replace(/%0a/gi, '\n').replace(/%0d/gi, '\r').replaceAll('%22', '"');
  }

  function addPart(form: FormDataFacade, part: PartHead, content: Uint8Array): void {
    if (part.name === undefined) throw malformed();
    if (part.filename === undefined) {
      form.append(part.name, utf8Decode(content, true));
    } else {
      const { File } = use('blob');
      form.append(part.name, new File([content], part.filename, { type: part.type }));
    }
  }

  function afterNewline(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== CARRIAGE_RETURN || bytes[at + 1] !== LINE_FEED) throw malformed();
    return at + 2;
  }

  function matches(bytes: Uint8Array, needle: Uint8Array, at: number): boolean {
    for (let i = 0; i < needle.length; i++) {
      if (bytes[at + i] !== needle[i]) return false;
    }
    return true;
  }

  /** Where `needle` is next; throws where it is not. */
  function indexOf(bytes: Uint8Array, needle: Uint8Array, from: number): number {
    for (let at = bytes.indexOf(needle[0]!, from); at !== -1; at = bytes.indexOf(needle[0]!, at + 1)) {
      if (matches(bytes, needle, at)) return at;
    }
    throw malformed();
  }

  function malformed(): TypeError {
    return new TypeError('The body is not well-formed multipart/form-data');
  }

  return { decodeForm, encodeForm };
});
interface Families {
  multipart: FamilyOf<typeof multipartFamily>;
}
