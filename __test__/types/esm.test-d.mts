// The same surface from an ES module.

import type { Limits, PoolOptions, RunOptions } from 'isolane';
import { executePooled, IsolatePool, WorkerError, type WorkerResponse } from 'isolane';

const options: PoolOptions & { limits: Limits } = { limits: { cpuMs: 5 } };
const run: RunOptions = {};
export const response: WorkerResponse = await executePooled('a', '', 'http://x/', run);
export const pool: IsolatePool = new IsolatePool(options);
export const isError: boolean = new Error() instanceof WorkerError;
