//! Isolates that are made ahead, and those that nothing comes for any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{
    ExecutionContext, IsolatePool, Limits, LogSink, Request, Response, RunOptions, SharedIsolate,
    SharedIsolateOptions, Worker, WorkerDefinition, WorkerFuture, WorkerOptions,
};

use crate::support::{handler, pool, run, text};

fn answer(pool: &IsolatePool, id: &str, worker: &Arc<WorkerDefinition>) -> Response {
    let request = Request::get("http://worker.test/");
    block_on(pool.execute(id, worker, request, RunOptions::default())).expect("an answer")
}

/// Says whether code can be made from strings, what it was given, whether its clock was set for it, and how often
/// its context was used before.
const LOOK: &str = "let code = 'no'; try { code = String(eval('1 + 1')) } catch {} \
    const age = Date.now() - performance.timeOrigin; \
    const own = Object.keys(globalThis).filter((key) => key === 'left').length; \
    globalThis.left = true; \
    return new Response([code, env.name, age < 1000, own].join())";

/// Whoever comes while another one's isolate is still being prepared, or after, gets its own settings.
#[test]
fn an_isolate_made_ahead_takes_over_nothing_but_itself() {
    let pool = pool();
    for round in 0..8 {
        let codegen = round % 2 == 0;
        let mut worker = WorkerDefinition::script(handler(LOOK));
        worker.codegen = codegen;
        worker.env.0.push((
            "name".to_owned(),
            isolane::EnvValue::Json(format!("worker {round}").into()),
        ));
        let code = if codegen { "2" } else { "no" };
        assert_eq!(
            text(answer(&pool, &format!("worker {round}"), &Arc::new(worker))),
            format!("{code},worker {round},true,0")
        );
    }
    assert_eq!(pool.stats().total, 8);
}

/// Uses much of the web platform, and says how the global object looks.
const USE_MUCH: &str = "const controller = new AbortController(); controller.abort(); \
    structuredClone({ a: new Map() }); console.log({}); new URL(request.url).searchParams.get('a'); \
    await new Response(new ReadableStream({ start(c) { c.close(); } })).text(); \
    await crypto.subtle.digest('SHA-256', new Uint8Array(1)); new FormData(); new URLPattern(); \
    const looks = Reflect.ownKeys(globalThis).map((key) => { \
        const { value, ...flags } = Object.getOwnPropertyDescriptor(globalThis, key); \
        return [String(key), typeof value, flags]; \
    }); \
    return Response.json(looks)";

/// What most workers use is made in isolates that are made ahead, which no worker is to notice.
#[test]
fn a_worker_does_not_see_what_others_use() {
    let pool = pool();
    let mut answers = (0..40).map(|round| {
        let source = format!("{} // {round}", handler(USE_MUCH));
        let worker = Arc::new(WorkerDefinition::script(source));
        text(answer(&pool, &format!("worker {round}"), &worker))
    });
    let first = answers.next().expect("the first one");
    assert!(first.contains("ReadableStream"));
    assert!(answers.all(|other| other == first));
}

#[test]
fn a_context_made_ahead_takes_over_nothing_but_itself() {
    on_isolate_thread(|| {
        let isolate = SharedIsolate::new(SharedIsolateOptions::default()).expect("an isolate");
        let answer = |context: &mut ExecutionContext| {
            let request = Request::get("http://worker.test/");
            text(block_on(context.fetch(request, RunOptions::default())).expect("an answer"))
        };
        let mut before: Option<ExecutionContext> = None;
        for round in 0..8 {
            isolate.prepare();
            isolate.prepare();
            let mut worker = WorkerDefinition::script(handler(LOOK));
            worker.codegen = round % 2 == 0;
            worker.env.0.push((
                "name".to_owned(),
                isolane::EnvValue::Json(format!("worker {round}").into()),
            ));
            let code = if worker.codegen { "2" } else { "no" };
            let mut context = ExecutionContext::new(&isolate, worker).expect("a context");
            assert_eq!(
                answer(&mut context),
                format!("{code},worker {round},true,0")
            );
            // The one before it goes on.
            if let Some(mut before) = before.replace(context) {
                assert!(answer(&mut before).ends_with(",true,1"));
            }
        }
    });
}

#[test]
fn no_context_is_made_ahead_where_the_heap_has_no_room_for_it() {
    on_isolate_thread(|| {
        let limits = Limits {
            heap_bytes: 10 << 20,
            ..Limits::default()
        };
        let options = SharedIsolateOptions { limits };
        let isolate = SharedIsolate::new(options).expect("an isolate");
        let script = format!(
            "globalThis.kept = new Array(8e5).fill(1); {}",
            handler("return new Response('')")
        );
        let _full = ExecutionContext::new(&isolate, script).expect("a context");
        let used = || isolate.heap_statistics().used_heap_bytes;
        let before = used();
        assert!(before > limits.heap_bytes - (4 << 20), "{before}");
        isolate.prepare();
        assert_eq!(used(), before);
        assert!(!isolate.is_condemned());
    });
}

fn on_isolate_thread(body: impl FnOnce() + Send + 'static) {
    let thread = isolane::platform::spawn("guests", body).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn a_worker_with_limits_of_its_own_gets_an_isolate_with_those() {
    let pool = pool();
    for round in 0..4 {
        run(
            &pool,
            &format!("usual {round}"),
            &handler("return new Response('')"),
        )
        .expect("an answer");
        let mut worker =
            WorkerDefinition::script(handler("const a = []; for (;;) a.push({ a: a.length })"));
        worker.limits = Some(Limits {
            cpu: None,
            heap_bytes: 16 << 20,
            ..Limits::default()
        });
        let request = Request::get("http://worker.test/");
        let worker = Arc::new(worker);
        let begin = Instant::now();
        let ended = block_on(pool.execute("small", &worker, request, RunOptions::default()));
        let error = ended.expect_err("it never ends by itself");
        assert_eq!(error.code(), "ERR_HEAP_LIMIT");
        let used = error.usage().expect("it began").heap_used_bytes;
        assert!(used < 100 << 20, "{used} bytes after {:?}", begin.elapsed());
    }
}

#[test]
fn an_isolate_that_nothing_comes_for_is_collected() {
    const LEFT_BYTES: usize = 4 << 20;
    let pool = pool();
    // More garbage than stays without an end, less than is collected at once. The heap is looked at now and then.
    let body = "globalThis.n = (globalThis.n ?? 0) + 1; \
        if (n === 1) globalThis.kept = Array.from({ length: 3e5 }, (_, i) => ({ i })); \
        if (n === 50) kept = null; \
        return new Response(String(n))";
    let held = || pool.stats().workers[0].heap_used_bytes;
    let patience = Instant::now() + Duration::from_secs(20);
    for n in 1.. {
        let response = run(&pool, "a", &handler(body)).expect("an answer");
        assert_eq!(text(response), n.to_string());
        if n > 50 && held() > LEFT_BYTES {
            break;
        }
        assert!(Instant::now() < patience, "only {} bytes are left", held());
    }
    while held() > LEFT_BYTES {
        assert!(Instant::now() < patience, "{} bytes are held", held());
        std::thread::yield_now();
    }
    // It goes on as before.
    run(&pool, "a", &handler(body)).expect("an answer");
}

#[test]
fn what_an_ended_request_has_left_in_its_timers_is_collected_without_another_request() {
    const LEFT_BYTES: usize = 4 << 20;
    let pool = pool();
    let body = "const kept = new Uint8Array(8 << 20); setTimeout(() => kept.length, 1e6); throw new Error('over')";
    let ended = run(&pool, "a", &handler(body)).expect_err("it threw");
    assert_eq!(ended.code(), "ERR_WORKER_EXCEPTION");
    let patience = Instant::now() + Duration::from_secs(20);
    // Nothing before it is first measured.
    let held = || Some(pool.stats().workers[0].heap_used_bytes).filter(|bytes| *bytes > 0);
    while held().is_none_or(|bytes| bytes > LEFT_BYTES) {
        assert!(Instant::now() < patience, "{:?} bytes are held", held());
        std::thread::yield_now();
    }
}

/// A `Worker`, and how many times code of its modules wrote a line.
struct Counted {
    worker: Worker,
    requests: AtomicUsize,
    lines: Arc<AtomicUsize>,
    on_log: LogSink,
}

impl Counted {
    fn new(script: impl Into<WorkerDefinition>) -> Self {
        let lines = Arc::<AtomicUsize>::default();
        let counter = lines.clone();
        let on_log: LogSink = Arc::new(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        let options = WorkerOptions {
            on_log: Some(on_log.clone()),
            ..WorkerOptions::default()
        };
        let worker = Worker::new(script, options).expect("a worker");
        Self {
            worker,
            requests: AtomicUsize::new(0),
            lines,
            on_log,
        }
    }

    fn fetch(&self, path: &str, options: RunOptions) -> WorkerFuture {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let url = format!("http://worker.test/{path}");
        self.worker.fetch(Request::get(url), options)
    }

    fn answer(&self) -> String {
        text(block_on(self.fetch("", RunOptions::default())).expect("an answer"))
    }

    /// How often its modules were evaluated without a request so far.
    fn ahead(&self) -> usize {
        self.lines.load(Ordering::SeqCst) - self.requests.load(Ordering::SeqCst)
    }

    /// Sends requests until the isolate of another one is there; other tests may have those that the process
    /// makes.
    #[track_caller]
    fn have_one_ahead(&self) {
        let patience = Instant::now() + PATIENCE;
        loop {
            assert_eq!(self.answer(), "1");
            let soon = Instant::now() + Duration::from_millis(500);
            while Instant::now() < soon {
                if self.ahead() == 1 {
                    return;
                }
                std::thread::yield_now();
            }
            assert!(Instant::now() < patience, "no isolate is made ahead");
        }
    }

    /// How many isolates there are.
    fn isolates(&self) -> usize {
        // This, and what they are made from, hold the log's receiver too.
        Arc::strong_count(&self.on_log) - 2
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

#[track_caller]
fn eventually(is_so: impl Fn() -> bool, what: &str) {
    let patience = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < patience, "{what}");
        std::thread::yield_now();
    }
}

/// Each evaluation of its modules writes a line, and each request says how many came to its isolate.
fn counting() -> String {
    format!(
        "console.log('loaded'); let n = 0; {}",
        handler(
            "n += 1; if (request.url.endsWith('wait')) await new Promise(() => {}); return new Response(String(n))"
        )
    )
}

#[test]
fn a_workers_isolate_made_ahead_serves_one_request() {
    let counted = Counted::new(counting());
    for _ in 0..10 {
        counted.have_one_ahead();
    }
}

#[test]
fn a_workers_isolate_made_ahead_goes_with_its_worker() {
    for round in 0..10 {
        let counted = Counted::new(counting());
        counted.have_one_ahead();
        if round % 2 == 0 {
            counted.worker.close();
            let error = block_on(counted.fetch("", RunOptions::default()));
            assert_eq!(error.expect_err("it is closed").code(), "ERR_CLOSED");
        }
        let Counted { worker, on_log, .. } = counted;
        drop(worker);
        eventually(
            || Arc::strong_count(&on_log) == 1,
            "something of it is left",
        );
    }
}

#[test]
fn a_workers_isolate_made_ahead_goes_when_no_request_comes() {
    let counted = Counted::new(counting());
    counted.have_one_ahead();
    eventually(
        || counted.isolates() <= 1,
        "the last request's isolate is left",
    );
    eventually(|| counted.isolates() == 0, "the isolate made ahead is left");
    // The next request does without, and is not taken for one that others follow.
    assert_eq!(counted.answer(), "1");
    eventually(|| counted.isolates() == 0, "its isolate is left");
}

#[test]
fn a_worker_that_does_not_load_at_once_is_loaded_for_its_request() {
    let counted = Counted::new(format!(
        "await new Promise((done) => setTimeout(done, 1)); {}",
        counting()
    ));
    for _ in 0..10 {
        assert_eq!(counted.answer(), "1");
        assert_eq!(counted.ahead(), 0);
    }
}

#[test]
fn a_request_with_memory_limits_of_its_own_gets_an_isolate_with_those() {
    let counted = Counted::new(format!(
        "console.log('loaded'); {}",
        handler(
            "const kept = []; if (request.url.endsWith('fill')) for (;;) kept.push({ n: kept.length }); return new Response('1')"
        )
    ));
    let limits = Limits {
        cpu: None,
        heap_bytes: 16 << 20,
        ..Limits::default()
    };
    counted.have_one_ahead();
    let options = RunOptions {
        limits: Some(limits),
        ..RunOptions::default()
    };
    let error = block_on(counted.fetch("fill", options)).expect_err("it never ends by itself");
    assert_eq!(error.code(), "ERR_HEAP_LIMIT");
    let used = error.usage().expect("it began").heap_used_bytes;
    assert!(used < 100 << 20, "{used} bytes");
}

#[test]
fn a_request_in_an_isolate_made_ahead_ends_when_it_is_aborted_or_its_worker_closed() {
    for round in 0..20 {
        let counted = Counted::new(counting());
        counted.have_one_ahead();
        let waiting = counted.fetch("wait", RunOptions::default());
        if round % 2 == 0 {
            drop(waiting);
        } else {
            counted.worker.close();
            let error = block_on(waiting).expect_err("it was closed");
            assert_eq!(error.code(), "ERR_CLOSED");
        }
        eventually(|| counted.worker.in_flight() == 0, "it goes on");
    }
}
