// Owns the events by which workers without `export default` get their requests, as service workers do
// (https://w3c.github.io/ServiceWorker/#fetchevent-interface). Runs on the isolate's thread.

const serveEventsFamily = define(
  'serve_events',
  { globals: { ExtendableEvent: 'class', FetchEvent: 'class', ScheduledEvent: 'class' } },
  (use, host) => {
    const { finishInterface, illegalConstructor, internal } = use('webidl');
    const { globalTarget } = use('event_target');
    const { Event, dispatchTrusted } = use('events');
    const { extend, settle } = use('serve');
    type Run = Parameters<typeof extend>[0];
    type SomeRequest = ReturnType<Families['request']['requestFromHost']>;

    class ExtendableEvent extends Event {
      #run: Run;
      constructor(type: string, run: Run, token: unknown = undefined) {
        illegalConstructor(token);
        super(type);
        this.#run = run;
      }
      waitUntil(promise: unknown): void {
        extend(this.#run, promise);
      }
    }

    let settleEvent: (event: FetchEvent, run: Run) => void;

    class FetchEvent extends ExtendableEvent {
      #request: SomeRequest;
      #response: unknown;
      #responded = false;
      constructor(run: Run, request: SomeRequest, token: unknown = undefined) {
        super('fetch', run, token);
        this.#request = request;
      }
      get request(): SomeRequest {
        return this.#request;
      }
      respondWith(response: unknown): void {
        if (this.#responded) {
          throw new (use('dom_exception').DOMException)(
            'respondWith() was called already',
            'InvalidStateError',
          );
        }
        this.#responded = true;
        this.#response = response;
        this.stopImmediatePropagation();
      }
      passThroughOnException(): void {}
      static {
        settleEvent = (event, run) => {
          if (event.#responded) settle(run, event.#response);
          else host.fail(run.id, 2, 'nothing: respondWith() was not called');
        };
      }
    }

    class ScheduledEvent extends ExtendableEvent {
      #cron: string;
      #scheduledTime: number;
      constructor(run: Run, cron: string, scheduledTime: number, token: unknown = undefined) {
        super('scheduled', run, token);
        this.#cron = cron;
        this.#scheduledTime = scheduledTime;
      }
      get cron(): string {
        return this.#cron;
      }
      get scheduledTime(): number {
        return this.#scheduledTime;
      }
    }

    function dispatchFetch(run: Run, request: SomeRequest): void {
      const event = new FetchEvent(run, request, internal);
      dispatchTrusted(globalTarget, event);
      settleEvent(event, run);
    }

    function dispatchScheduled(run: Run, cron: string, scheduledTime: number): void {
      dispatchTrusted(globalTarget, new ScheduledEvent(run, cron, scheduledTime, internal));
    }

    finishInterface(ExtendableEvent);
    finishInterface(FetchEvent);
    finishInterface(ScheduledEvent);
    return { ExtendableEvent, FetchEvent, ScheduledEvent, dispatchFetch, dispatchScheduled };
  },
);
interface Families {
  serve_events: FamilyOf<typeof serveEventsFamily>;
}
