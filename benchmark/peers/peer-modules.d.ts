// Owns the types of the peers' packages, as far as the drivers use them. They are declared here because the
// packages are only there where the benchmark has been run, and types are checked everywhere.

declare module 'isolated-vm' {
  namespace ivm {
    class Isolate {
      constructor(options: { memoryLimit: number });
      createContext(): Promise<Context>;
      compileScript(code: string): Promise<Script>;
      dispose(): void;
    }
    interface Script {
      run(context: Context): Promise<unknown>;
    }
    interface Context {
      readonly global: Global;
      release(): void;
    }
    interface Global {
      get(name: string, options: { reference: true }): Promise<Reference>;
      set(name: string, value: Reference): Promise<void>;
    }
    class Reference {
      constructor(value: unknown);
      apply(
        receiver: undefined,
        values: readonly string[],
        options: { result: { promise: true } },
      ): Promise<unknown>;
      applySync(receiver: undefined, values: readonly string[]): unknown;
      release(): void;
    }
  }
  export default ivm;
}

declare module 'quickjs-emscripten' {
  export interface QuickJSHandle {
    dup(): QuickJSHandle;
    dispose(): void;
  }
  export interface QuickJSResult {
    readonly value?: QuickJSHandle;
    readonly error?: QuickJSHandle;
  }
  export interface QuickJSContext {
    readonly global: QuickJSHandle;
    readonly undefined: QuickJSHandle;
    evalCode(code: string): QuickJSResult;
    callFunction(callee: QuickJSHandle, receiver: QuickJSHandle, ...values: QuickJSHandle[]): QuickJSResult;
    unwrapResult(result: QuickJSResult): QuickJSHandle;
    resolvePromise(promise: QuickJSHandle): Promise<QuickJSResult>;
    newFunction(name: string, call: (...values: [QuickJSHandle, QuickJSHandle]) => void): QuickJSHandle;
    newString(text: string): QuickJSHandle;
    getString(handle: QuickJSHandle): string;
    getNumber(handle: QuickJSHandle): number;
    getProp(object: QuickJSHandle, name: string): QuickJSHandle;
    setProp(object: QuickJSHandle, name: string, value: QuickJSHandle): void;
    typeof(handle: QuickJSHandle): string;
    dispose(): void;
  }
  export interface QuickJSRuntime {
    newContext(): QuickJSContext;
    executePendingJobs(): unknown;
    dispose(): void;
  }
  export function getQuickJS(): Promise<{ newRuntime(): QuickJSRuntime }>;
}

declare module '@edge-runtime/vm' {
  export class EdgeVM {
    constructor(options: { initialCode: string });
    dispatchFetch(url: string, init: object): Promise<Response>;
  }
}

declare module 'piscina' {
  export class Piscina {
    constructor(options: {
      filename: string;
      minThreads: number;
      maxThreads: number;
      execArgv: readonly string[];
      atomics: 'sync' | 'async' | 'disabled';
      concurrentTasksPerWorker: number;
    });
    run(task: unknown, options?: { transferList?: readonly unknown[] }): Promise<unknown>;
    destroy(): Promise<void>;
  }
}
