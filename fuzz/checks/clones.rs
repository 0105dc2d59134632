//! Structured clones as they cross between host and guest: any bytes that a host function gives are
//! a value or a DataCloneError to the guest, and what it makes of the value crosses back.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::ready;
use isolane::{
    Env, HostFunction, IsolatePool, Limits, PoolOptions, Request, RunOptions, WorkerDefinition,
};

/// Looks at the value the way guests do, and sends it back.
const WORKER: &str = r"
export default {
  async fetch(request, env) {
    let value;
    try {
      value = await env.take();
    } catch (error) {
      return new Response(error.name);
    }
    const seen = new Set();
    const look = (part, depth) => {
      if (typeof part !== 'object' || part === null || seen.has(part) || depth > 20) return;
      seen.add(part);
      if (seen.size > 1000) return;
      if (part instanceof Map) part.forEach((v, k) => { look(k, depth + 1); look(v, depth + 1); });
      if (part instanceof Set) part.forEach((v) => look(v, depth + 1));
      if (part instanceof ArrayBuffer) new Uint8Array(part).fill(1);
      if (ArrayBuffer.isView(part)) part.byteLength;
      if (part instanceof Error) part.stack;
      for (const key of Object.keys(part).slice(0, 1000)) look(part[key], depth + 1);
    };
    try {
      look(value, 0);
      await env.give(value);
    } catch (error) {
      return new Response(error.name);
    }
    return new Response('ok');
  },
};
";

struct Host {
    pool: IsolatePool,
    worker: Arc<WorkerDefinition>,
    input: Arc<Mutex<Bytes>>,
}

static HOST: LazyLock<Host> = LazyLock::new(|| {
    let input = Arc::new(Mutex::new(Bytes::new()));
    let given = Arc::clone(&input);
    let take = HostFunction::structured(move |_| {
        let bytes = given.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ready(Ok(bytes)).boxed()
    });
    // 15, undefined: the shortest value.
    let give = HostFunction::structured(|_| ready(Ok(Bytes::from_static(b"\xff\x0f_"))).boxed());
    let worker = WorkerDefinition {
        env: Env::default().with("take", take).with("give", give),
        ..WorkerDefinition::script(WORKER)
    };
    let limits = Limits {
        cpu: Some(Duration::from_secs(5)),
        wall: Some(Duration::from_secs(10)),
        ..Limits::default()
    };
    let options = PoolOptions {
        limits,
        ..PoolOptions::default()
    };
    Host {
        pool: IsolatePool::new(options).expect("a pool"),
        worker: Arc::new(worker),
        input,
    }
});

pub(crate) fn check(data: &[u8]) {
    let host = &*HOST;
    *host.input.lock().unwrap_or_else(PoisonError::into_inner) = Bytes::copy_from_slice(data);
    let request = Request::get("http://fuzz.test/");
    let answered = host
        .pool
        .execute("fuzz", &host.worker.clone(), request, RunOptions::default());
    let response = futures_executor::block_on(answered);
    // Values may be too large for the worker's limits; nothing else may go wrong.
    if let Err(error) = response {
        let limit = [
            "ERR_HEAP_LIMIT",
            "ERR_BUFFER_LIMIT",
            "ERR_CPU_LIMIT",
            "ERR_WALL_LIMIT",
        ];
        assert!(limit.contains(&error.code()), "{error}");
    }
}
