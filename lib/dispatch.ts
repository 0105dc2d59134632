// Owns the way of one event to a target and of its answer back. The answer is often there when the
// native call returns; else it comes by ticket.

import type { BindingCell, BindingRunOptions, BindingTarget } from '#binding';
import { checkOptions, checkString } from './check.js';
import { connection } from './connection.js';
import { parseUsage } from './message-head.js';
import { parseLogHandler, parseRunOptions } from './options.js';
import { openBody, parseRequest } from './request.js';
import { ReceivedResponse } from './response.js';
import { forget, nextTicket, whenSettled } from './tickets.js';
import type { RequestLike, RunOptions, RunUsage, ScheduledEventInit, WorkerResponse } from './types.js';
import { failureToError, invalidArgument, isFailure } from './worker-error.js';

/** Sends a request to a target. Whatever is wrong with the arguments rejects. */
export function dispatchFetch(
  target: BindingTarget,
  request: RequestLike,
  options: RunOptions | undefined,
): Promise<WorkerResponse> {
  try {
    const { head, body, signal: requestSignal } = parseRequest(request);
    const run = options === undefined ? undefined : parseRunOptions(options);
    const signal = run?.signal ?? requestSignal;
    signal?.throwIfAborted();
    const native = nativeOptions(run?.native, signal, options);
    const ticket = nextTicket();
    const answer = target.fetch(ticket, head, openBody(connection, body), native);
    if (answer === null) return settled(ticket, signal, toResponse);
    return Promise.resolve(toResponse(answer[0], answer[1]));
  } catch (error) {
    return Promise.reject(error);
  }
}

const EVENT_KEYS: ReadonlyArray<keyof ScheduledEventInit> = ['cron', 'scheduledTime'];

/** Sends a scheduled event to a target. */
export function dispatchScheduled(
  target: BindingTarget,
  event: ScheduledEventInit | undefined,
  options: RunOptions | undefined,
): Promise<RunUsage> {
  try {
    if (event !== undefined) checkOptions(event, 'event', EVENT_KEYS);
    const cron = event?.cron === undefined ? '' : checkString(event.cron, 'event.cron');
    const time = parseTime(event?.scheduledTime);
    const run = options === undefined ? undefined : parseRunOptions(options);
    run?.signal?.throwIfAborted();
    const ticket = nextTicket();
    target.scheduled(ticket, cron, time, nativeOptions(run?.native, run?.signal, options));
    return settled(ticket, run?.signal, toUsage);
  } catch (error) {
    return Promise.reject(error);
  }
}

function parseTime(time: unknown): number {
  if (time === undefined) return Date.now();
  const milliseconds = time instanceof Date ? time.getTime() : time;
  if (typeof milliseconds !== 'number' || !Number.isFinite(milliseconds)) {
    throw invalidArgument('event.scheduledTime', 'a valid Date or a number of milliseconds', time);
  }
  return milliseconds;
}

/** The last step before the call, so that a rejected call leaves no log handler behind. */
export function nativeOptions(
  native: BindingRunOptions | undefined,
  signal: AbortSignal | undefined,
  options: RunOptions | undefined,
): BindingRunOptions | undefined {
  if (native === undefined && signal === undefined) return undefined;
  const complete: BindingRunOptions = { ...native };
  if (signal !== undefined) complete.abortable = true;
  if (options?.onLog !== undefined) complete.log = parseLogHandler(options.onLog, 'options.onLog');
  return complete;
}

function toResponse(head: BindingCell, body: BindingCell): WorkerResponse {
  if (isFailure(head)) throw failureToError(head);
  return new ReceivedResponse(head, body);
}

function toUsage(head: BindingCell): RunUsage {
  if (isFailure(head)) throw failureToError(head);
  return parseUsage(String(head).split(' '));
}

/** The answer to a ticket, or the signal's reason if that comes first. */
export function settled<T>(
  ticket: number,
  signal: AbortSignal | undefined,
  convert: (head: BindingCell, body: BindingCell) => T,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => {
      forget(ticket);
      connection.abort(ticket);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    whenSettled(ticket, (head, body) => {
      signal?.removeEventListener('abort', onAbort);
      try {
        resolve(convert(head, body));
      } catch (error) {
        reject(error);
      }
    });
  });
}
