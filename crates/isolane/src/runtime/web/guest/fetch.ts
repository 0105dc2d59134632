// The function fetch (Fetch standard, section 5.6): subrequests, which the host performs.
// Runs in a guest's context, on whichever thread has its isolate entered.

const fetchFamily = define('fetch', { globals: { fetch: 'function' } }, (use, host) => {
  const { requireArguments } = use('webidl');
  const { Request, requestParts } = use('request');

  const { fetch } = {
    fetch(input: unknown, init: unknown = undefined): Promise<ResponseFacade> {
      try {
        requireArguments(1, arguments.length, "Failed to execute 'fetch'");
        return start(requestParts(new Request(input, init)));
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };

  function start(parts: RequestParts): Promise<ResponseFacade> {
    const { signal } = parts;
    if (signal?.aborted) {
      abandon(parts.body, signal.reason);
      return Promise.reject(signal.reason);
    }
    if (!parts.url.startsWith('https:') && !parts.url.startsWith('http:')) return fetchLocally(parts);
    const id = send(parts);
    const answer = use('callbacks').wait<HostFetchResult>(id);
    return signal === null ? answer.then(respond) : abortable(answer, id, parts.body, signal);
  }

  /** Answers for the schemes that need no network. */
  async function fetchLocally({ method, url, headers, body, blob }: RequestParts): Promise<ResponseFacade> {
    abandon(body, undefined);
    const local = use('blob_urls');
    let result: LocalResponse | null = null;
    if (url.startsWith('data:')) {
      result = local.fetchData(url);
    } else if (blob !== undefined && method === 'GET') {
      result = local.fetchBlob(blob, use('headers').getFrom(headers, 'range'));
    }
    if (result === null) throw new TypeError('The URL cannot be fetched');
    const content = method === 'HEAD' ? null : result.body;
    return use('response').responseFromHost(
      { ...result, url: local.withoutHash(url), redirected: false },
      content,
    );
  }

  /** Hands the request to the host; the body, where it is a stream, is sent while the request runs. */
  function send({ method, url, headers, body, redirect }: RequestParts): number {
    const flat = headers as string[];
    if (body === null || typeof body === 'string' || body instanceof Uint8Array) {
      return host.fetchStart(method, url, flat, body, redirect);
    }
    const streamId = host.streamOpen();
    try {
      const id = host.fetchStart(method, url, flat, streamId, redirect);
      void use('streams').pumpToHost(body, streamId);
      return id;
    } catch (error) {
      host.streamFail(streamId, 'The request was not sent');
      abandon(body, error);
      throw error;
    }
  }

  function respond(result: HostFetchResult): ResponseFacade {
    const source = result.body === 0 ? null : new (use('streams').HostSource)(result.body);
    return use('response').responseFromHost(result, source);
  }

  /** A fetch that ends with the signal's reason when that is aborted, until the last byte of the response. */
  function abortable(
    answer: Promise<HostFetchResult>,
    id: number,
    body: HostBody,
    signal: AbortSignalObject,
  ): Promise<ResponseFacade> {
    const { addAbortAlgorithm, removeAbortAlgorithm } = use('abort');
    return new Promise((resolve, reject) => {
      let source: HostSourceCore | null = null;
      const onAbort = (): void => {
        if (source !== null) return source.fail(signal.reason);
        host.fetchCancel(id);
        abandon(body, signal.reason);
        reject(signal.reason);
      };
      const stopListening = (): void => removeAbortAlgorithm(signal, onAbort);
      addAbortAlgorithm(signal, onAbort);
      answer.then(
        (result) => {
          source = result.body === 0 ? null : new (use('streams').HostSource)(result.body);
          if (signal.aborted) return source?.cancel();
          if (source === null) stopListening();
          else source.onEnd = stopListening;
          resolve(use('response').responseFromHost(result, source));
        },
        (reason) => {
          stopListening();
          reject(reason);
        },
      );
    });
  }

  /** Tells the maker of a streamed body that nobody will read it. */
  function abandon(body: HostBody, reason: unknown): void {
    if (body === null || typeof body === 'string' || body instanceof Uint8Array) return;
    const { coreOf } = use('readable_stream');
    use('stream_support').markHandled(coreOf(body).cancel(reason));
  }

  return { fetch };
});
interface Families {
  fetch: FamilyOf<typeof fetchFamily>;
}
