//! What the soak does over and over: each case is one kind of work, done a number of times while the
//! process is sampled.

use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use isolane::{
    Body, ExecutionContext, IsolatePool, Limits, PoolOptions, Request, RunOptions, SharedIsolate,
    SharedIsolateOptions, Worker, WorkerDefinition, WorkerOptions, platform,
};

use super::curve::{Sample, slope};

const HELLO: &str = "export default { async fetch(r) { return new Response('hello ' + r.url) } }";
const WAITS: &str = "export default { async fetch(r) { const t = setTimeout(() => {}, 5000);
    await new Promise((done) => { r.signal.onabort = done }); clearTimeout(t) } }";
const STREAM: &str = "export default { fetch() { return new Response(new ReadableStream({
    pull(c) { c.enqueue(new Uint8Array(1000)) } })) } }";

/// How many times each kind of work is done.
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) isolates: u64,
    pub(crate) contexts: u64,
    /// Thrown, aborted, and unread streams: each that often.
    pub(crate) failures: u64,
    /// Ended by their CPU limit, and by their heap limit: each that often.
    pub(crate) limited: u64,
}

/// What one case is, and what it may leave behind.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) count: u64,
    pub(crate) allowed_bytes_per_unit: f64,
    work: Work,
}

type Work = Box<dyn FnMut(u64) + Send>;

/// What growth is within the noise of an allocator and of a garbage collector, in bytes.
const NOISE_BYTES: f64 = (6 << 20) as f64;

/// How often a case is sampled.
const SAMPLES: u64 = 24;

/// How one case went.
pub(crate) struct Outcome {
    pub(crate) samples: Vec<Sample>,
    pub(crate) bytes_per_unit: f64,
}

impl Case {
    /// Does the work; calls `each` with every sample.
    pub(crate) fn run(&mut self, mut each: impl FnMut(&Sample)) -> Outcome {
        let (mut samples, mut done) = (Vec::new(), 0);
        for step in 0..=SAMPLES {
            let until = self.count * step / SAMPLES;
            (self.work)(until - done);
            done = until;
            if let Some(sample) = Sample::now(done) {
                each(&sample);
                samples.push(sample);
            }
        }
        let bytes_per_unit = slope(&samples);
        Outcome {
            samples,
            bytes_per_unit,
        }
    }

    /// What it left behind that it may not, as a sentence.
    pub(crate) fn complaint(&self, outcome: &Outcome) -> Option<String> {
        let samples = &outcome.samples;
        let (middle, last) = (samples.get(samples.len() / 2)?, samples.last()?);
        let grown = outcome.bytes_per_unit * (last.units - middle.units) as f64;
        if outcome.bytes_per_unit > self.allowed_bytes_per_unit && grown > NOISE_BYTES {
            return Some(format!(
                "{}: {:.0} bytes a unit, {:.0} are allowed",
                self.name, outcome.bytes_per_unit, self.allowed_bytes_per_unit
            ));
        }
        let more = |what: &str, before: u64, after: u64, allowed: u64| {
            (after > before + allowed)
                .then(|| format!("{}: {what} went from {before} to {after}", self.name))
        };
        more("handles", middle.handles, last.handles, 4)
            .or_else(|| more("threads", middle.threads, last.threads, 8))
    }
}

/// All cases; the pool is theirs together.
pub(crate) fn cases(counts: &Counts) -> Vec<Case> {
    // Small heaps, so that what is only not collected yet is little.
    let limits = Limits {
        heap_bytes: 16 << 20,
        ..Limits::default()
    };
    let options = PoolOptions {
        limits,
        ..PoolOptions::default()
    };
    let pool = IsolatePool::new(options).expect("a pool");
    let case = |name, count, allowed_bytes_per_unit, work| Case {
        name,
        count,
        allowed_bytes_per_unit,
        work,
    };
    vec![
        case("warm requests", counts.requests, 10.0, requests(&pool)),
        case("isolates", counts.isolates, 200.0, isolates()),
        case("contexts", counts.contexts, 100.0, contexts()),
        case(
            "fresh contexts in a pool",
            counts.contexts,
            100.0,
            fresh(&pool),
        ),
        case("thrown", counts.failures, 50.0, thrown(&pool)),
        case("aborted", counts.failures, 50.0, aborted(&pool)),
        case("unread streams", counts.failures, 50.0, unread(&pool)),
        case("redeployed", counts.isolates, 400.0, redeployed(&pool)),
        case("ended by the CPU limit", counts.limited, 1000.0, cpu(&pool)),
        case(
            "ended by the heap limit",
            counts.limited,
            1000.0,
            heap(&pool),
        ),
    ]
}

fn request() -> Request {
    Request::get("http://soak.test/path?query=1")
}

fn repeated(mut once: impl FnMut() + Send + 'static) -> Work {
    Box::new(move |times| (0..times).for_each(|_| once()))
}

fn requests(pool: &IsolatePool) -> Work {
    let (pool, worker) = (pool.clone(), Arc::new(HELLO.into()));
    repeated(move || {
        let answer = pool.execute("hello", &worker, request(), RunOptions::default());
        assert_eq!(block_on(answer).expect("an answer").status, 200);
    })
}

fn isolates() -> Work {
    let worker = Worker::new(HELLO, WorkerOptions::default()).expect("a worker");
    repeated(move || {
        block_on(worker.fetch(request(), RunOptions::default())).expect("an answer");
    })
}

/// Contexts live on the thread of their isolate, so each step of the work has a thread and an isolate.
fn contexts() -> Work {
    Box::new(|times| {
        let thread = platform::spawn("contexts", move || {
            let isolate = SharedIsolate::new(SharedIsolateOptions::default()).expect("an isolate");
            for _ in 0..times {
                let mut context = ExecutionContext::new(&isolate, HELLO).expect("a context");
                block_on(context.fetch(request(), RunOptions::default())).expect("an answer");
            }
        });
        thread.expect("a thread").join().expect("no panic");
    })
}

fn fresh(pool: &IsolatePool) -> Work {
    let mut worker = WorkerDefinition::script(HELLO);
    worker.context = isolane::ContextPolicy::Fresh;
    let (pool, worker) = (pool.clone(), Arc::new(worker));
    repeated(move || {
        let answer = pool.execute("fresh", &worker, request(), RunOptions::default());
        block_on(answer).expect("an answer");
    })
}

fn thrown(pool: &IsolatePool) -> Work {
    let script = "export default { async fetch() { throw new RangeError('on purpose') } }";
    failing(
        pool,
        "thrown",
        WorkerDefinition::script(script),
        "ERR_WORKER_EXCEPTION",
    )
}

fn failing(
    pool: &IsolatePool,
    id: &'static str,
    worker: WorkerDefinition,
    code: &'static str,
) -> Work {
    let (pool, worker) = (pool.clone(), Arc::new(worker));
    repeated(move || {
        let answer = pool.execute(id, &worker, request(), RunOptions::default());
        assert_eq!(block_on(answer).expect_err("a failure").code(), code);
    })
}

fn aborted(pool: &IsolatePool) -> Work {
    let (pool, worker) = (pool.clone(), Arc::new(WAITS.into()));
    let mut count = 0_u32;
    repeated(move || {
        let answer = pool.execute("aborted", &worker, request(), RunOptions::default());
        // Some before their first turn, some while they wait.
        count += 1;
        if count.is_multiple_of(8) {
            std::thread::sleep(Duration::from_micros(200));
        }
        answer.abort_handle().abort();
        assert_eq!(
            block_on(answer).expect_err("a failure").code(),
            "ERR_ABORTED"
        );
    })
}

fn unread(pool: &IsolatePool) -> Work {
    let (pool, worker) = (pool.clone(), Arc::new(STREAM.into()));
    repeated(move || {
        let answer = pool.execute("stream", &worker, request(), RunOptions::default());
        let response = block_on(answer).expect("an answer");
        assert!(matches!(response.body, Body::Stream(_)));
    })
}

/// Another worker under the same id each time, as whoever edits one does; some come back, so that the
/// cache of compiled code is full early.
fn redeployed(pool: &IsolatePool) -> Work {
    let pool = pool.clone();
    let mut version = 0_u64;
    repeated(move || {
        version += 1;
        let comment = version % 50;
        let worker = Arc::new(WorkerDefinition::script(format!("{HELLO} // {comment}")));
        let answer = pool.execute("redeployed", &worker, request(), RunOptions::default());
        block_on(answer).expect("an answer");
    })
}

fn cpu(pool: &IsolatePool) -> Work {
    let mut worker = WorkerDefinition::script("export default { fetch() { for (;;); } }");
    worker.limits = Some(Limits {
        cpu: Some(Duration::from_millis(4)),
        ..Limits::default()
    });
    failing(pool, "cpu", worker, "ERR_CPU_LIMIT")
}

fn heap(pool: &IsolatePool) -> Work {
    let script = "export default { fetch() { const a = []; for (;;) a.push({ n: a.length }) } }";
    let mut worker = WorkerDefinition::script(script);
    worker.limits = Some(Limits {
        cpu: None,
        heap_bytes: 8 << 20,
        ..Limits::default()
    });
    failing(pool, "heap", worker, "ERR_HEAP_LIMIT")
}
