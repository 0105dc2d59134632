// Owns the blob URLs of a context (W3C File API, section 8) and what is fetched without a network: blob: and
// data: URLs (Fetch standard, "scheme fetch"). A blob that has a URL is kept until the URL is revoked or the
// context ends. Runs on the isolate's thread.

/** The answer to a fetch that needs no network. */
interface LocalResponse {
  readonly status: number;
  readonly statusText: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Uint8Array<ArrayBuffer>;
}

const blobUrlsFamily = define('blob_urls', { globals: {} }, (use, host) => {
  type Blob = InstanceType<Families['blob']['Blob']>;
  const store = new Map<string, Blob>();

  /** A new URL for a blob. The runtime has no location, so its origin is opaque. */
  function createObjectURL(blob: Blob): string {
    const url = `blob:null/${host.randomUUID()}`;
    store.set(url, blob);
    return url;
  }

  function revokeObjectURL(url: string): void {
    store.delete(url);
  }

  function withoutHash(href: string): string {
    const at = href.indexOf('#');
    return at < 0 ? href : href.slice(0, at);
  }

  /** The blob that a URL stands for now; a fragment does not matter. */
  function resolveBlobUrl(href: string): Blob | undefined {
    return store.get(withoutHash(href));
  }

  /** The response for a blob, or for a range of it; null for a network error. */
  function fetchBlob(blob: Blob, range: string | null): LocalResponse | null {
    const bytes = use('blob').blobBytes(blob);
    const { length } = bytes;
    if (range === null) {
      const headers = ['content-length', String(length), 'content-type', blob.type];
      return { status: 200, statusText: 'OK', headers, body: bytes.slice() };
    }
    const part = parseRange(range, length);
    if (part === null) return null;
    const body = bytes.slice(part.start, part.end + 1);
    const headers = [
      ...['content-length', String(body.length), 'content-type', blob.type],
      ...['content-range', `bytes ${part.start}-${part.end}/${length}`],
    ];
    return { status: 206, statusText: 'Partial Content', headers, body };
  }

  const singleRange = /^bytes[\t ]*=[\t ]*(\d*)[\t ]*-[\t ]*(\d*)$/;

  /** The first and last position that a Range header names, null where it names none that there is. */
  function parseRange(range: string, length: number): { start: number; end: number } | null {
    const match = singleRange.exec(range);
    const first = match?.[1] ?? '';
    const last = match?.[2] ?? '';
    if (first === '' && last === '') return null;
    if (first === '') {
      const start = Math.max(length - Number(last), 0);
      return { start, end: length - 1 };
    }
    const start = Number(first);
    const end = last === '' ? length - 1 : Math.min(Number(last), length - 1);
    return start >= length || (last !== '' && start > Number(last)) ? null : { start, end };
  }

  const encodedEnd = /; *base64$/i;
  const outerSpace = /^[\t\n\f\r ]+|[\t\n\f\r ]+$/g;

  /** The data: URL processor; null where the URL has no comma or its base64 is not valid. */
  function fetchData(href: string): LocalResponse | null {
    const text = withoutHash(href).slice('data:'.length);
    const comma = text.indexOf(',');
    if (comma < 0) return null;
    let type = text.slice(0, comma).replace(outerSpace, '');
    let body = percentDecode(text.slice(comma + 1));
    if (encodedEnd.test(type)) {
      const decoded = host.base64Decode(use('encoding').isomorphicDecode(body));
      if (decoded === null) return null;
      body = toBytes(decoded);
      type = type.replace(encodedEnd, '');
    }
    if (type.startsWith(';')) type = `text/plain${type}`;
    const { parseMime, serializeMime } = use('mime_type');
    const mime = parseMime(type);
    const value = mime === null ? 'text/plain;charset=US-ASCII' : serializeMime(mime);
    return { status: 200, statusText: 'OK', headers: ['content-type', value], body };
  }

  function percentDecode(text: string): Uint8Array<ArrayBuffer> {
    return use('form_urlencoded').percentDecode(use('encoding').utf8Encode(text));
  }

  function toBytes(text: string): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
    return bytes;
  }

  return { createObjectURL, revokeObjectURL, resolveBlobUrl, fetchBlob, fetchData, withoutHash };
});
interface Families {
  blob_urls: FamilyOf<typeof blobUrlsFamily>;
}
