// Owns the application/x-www-form-urlencoded parser and serializer (WHATWG URL Standard, section 5). A list of
// pairs is one flat array, names and values in turn. Runs on the isolate's thread.

const formUrlencodedFamily = define('form_urlencoded', { globals: {} }, (use) => {
  /** The application/x-www-form-urlencoded parser. */
  function parseForm(input: string): string[] {
    const list: string[] = [];
    if (input === '') return list;
    for (const part of input.split('&')) {
      if (part === '') continue;
      const at = part.indexOf('=');
      if (at < 0) list.push(decodeForm(part), '');
      else list.push(decodeForm(part.slice(0, at)), decodeForm(part.slice(at + 1)));
    }
    return list;
  }

  function decodeForm(text: string): string {
    const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
    if (!spaced.includes('%')) return spaced;
    try {
      return decodeURIComponent(spaced);
    } catch {
      return decodeMalformed(spaced);
    }
  }

  /** Percent-decodes text of which some escapes are incomplete or are not UTF-8. */
  function decodeMalformed(text: string): string {
    const { utf8Decode, utf8Encode } = use('encoding');
    return utf8Decode(percentDecode(utf8Encode(text)), true);
  }

  /** Percent-decodes bytes in place; escapes that are not complete stay. */
  function percentDecode(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    let length = 0;
    for (let i = 0; i < bytes.length; i++) {
      const high = bytes[i] === 0x25 ? hexDigit(bytes[i + 1]) : -1;
      const low = high < 0 ? -1 : hexDigit(bytes[i + 2]);
      bytes[length++] = low < 0 ? bytes[i]! : high * 16 + low;
      if (low >= 0) i += 2;
    }
    return new Uint8Array(bytes.buffer, 0, length);
  }

  function hexDigit(byte: number | undefined): number {
    if (byte === undefined) return -1;
    if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
    const letter = byte | 0x20;
    return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
  }

  /** The application/x-www-form-urlencoded serializer. */
  function serializeForm(list: readonly string[]): string {
    let text = '';
    for (let i = 0; i < list.length; i += 2) {
      if (i > 0) text += '&';
      text += encodeForm(list[i]!) + '=' + encodeForm(list[i + 1]!);
    }
    return text;
  }

  function encodeForm(text: string): string {
    if (/^[\w*.-]*$/.test(text)) return text;
    return encodeURIComponent(text).replace(/%20|[!'()~]/g, (found) =>
      found === '%20' ? '+' : '%' + found.charCodeAt(0).toString(16).toUpperCase(),
    );
  }

  return { parseForm, percentDecode, serializeForm };
});
interface Families {
  form_urlencoded: FamilyOf<typeof formUrlencodedFamily>;
}
