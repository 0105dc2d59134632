// Owns what becomes of exceptions and rejections that nobody caught: the events `error`,
// `unhandledrejection` and `rejectionhandled` at the global, and the log where they are not cancelled
// (https://html.spec.whatwg.org/#runtime-script-errors). Runs on the isolate's thread.

interface Host {
  /** Reports a promise that was rejected and that nobody handles. */
  reportRejection(reason: unknown): void;
  /**
   * What V8 knows of a thrown value, without running guest code: its message, and the name of the script,
   * the line and the column (from 1) where it was made, as far as that is the guest's.
   */
  describeException(error: unknown): [message: string, filename: string, lineno: number, colno: number];
}

const reportingFamily = define('reporting', { globals: { reportError: 'function' } }, (use, host) => {
  const { globalTarget, hasListeners } = use('event_target');
  const { requireArguments } = use('webidl');

  /** Rejected promises that were reported, by themselves: whoever handles one late is told of it. */
  const reported = new WeakSet<Promise<unknown>>();
  let isReporting = false;

  /** Reports an exception that no guest code caught. */
  function report(error: unknown): void {
    // A listener that throws is not asked about its own exception.
    if (isReporting || !hasListeners(globalTarget, 'error')) {
      host.reportException(error);
      return;
    }
    const { ErrorEvent } = use('event_types');
    const [message, filename, lineno, colno] = host.describeException(error);
    isReporting = true;
    let isUnhandled = true;
    try {
      const init = { cancelable: true, message, filename, lineno, colno, error };
      isUnhandled = use('events').dispatchTrusted(globalTarget, new ErrorEvent('error', init));
    } finally {
      isReporting = false;
    }
    if (isUnhandled) host.reportException(error);
  }

  /** Reports a promise that was rejected and has no handler now that the turn's microtasks have run. */
  function rejected(promise: Promise<unknown>, reason: unknown): void {
    reported.add(promise);
    if (hasListeners(globalTarget, 'unhandledrejection')) {
      const { PromiseRejectionEvent } = use('event_types');
      const init = { cancelable: true, promise, reason };
      if (!use('events').dispatchTrusted(globalTarget, new PromiseRejectionEvent('unhandledrejection', init)))
        return;
    }
    host.reportRejection(reason);
  }

  /** Says that a promise got a handler after it was rejected. */
  function handled(promise: Promise<unknown>): void {
    if (!reported.delete(promise) || !hasListeners(globalTarget, 'rejectionhandled')) return;
    const { PromiseRejectionEvent } = use('event_types');
    const reason = host.valueDetails(promise)?.[1];
    use('events').dispatchTrusted(
      globalTarget,
      new PromiseRejectionEvent('rejectionhandled', { promise, reason }),
    );
  }

  /** Methods, because functions that Web IDL defines are no constructors. */
  const globals = {
    reportError(error: unknown): void {
      requireArguments(1, arguments.length, "Failed to execute 'reportError'");
      report(error);
    },
  };

  return { ...globals, report, rejected, handled };
});
interface Families {
  reporting: FamilyOf<typeof reportingFamily>;
}
