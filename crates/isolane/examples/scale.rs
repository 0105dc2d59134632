//! How a pool holds as it grows: what a request costs against calling threads, workers, isolates, timers
//! and requests that wait. Prints the curves as JSON; `npm run bench:scale` keeps and draws them.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{IsolatePool, Limits, PoolOptions, Request, Response, RunOptions, WorkerDefinition};
use serde_json::{Value, json};

const HELLO: &str = "export default { fetch: () => new Response('hello') }";
/// About a tenth of a millisecond of computing.
const COMPUTING: &str = "export default { fetch() { let x = 1; for (let i = 0; i < 100_000; i++) x ^= x << 1; return new Response(String(x)) } }";
/// Holds as many timers as its URL says until it is aborted, and answers at once.
const HOLDING: &str = "export default { fetch(request, env, ctx) {
  const count = Number(new URL(request.url).pathname.slice(1));
  for (let i = 0; i < count; i++) setTimeout(() => {}, 600_000 + i % 1000);
  ctx.waitUntil(new Promise(() => {}));
  return new Response('held');
} }";
/// Answers, after a long time where its URL says so.
const WAITING: &str = "export default { async fetch(request) {
  if (request.url.endsWith('/wait')) await scheduler.wait(600_000);
  return new Response('hello');
} }";
/// Waits for as many timers as its URL says, due within 50 ms.
const FIRING: &str = "export default { async fetch(request) {
  const count = Number(new URL(request.url).pathname.slice(1));
  let fired = 0;
  await new Promise((resolve) => {
    for (let i = 0; i < count; i++) setTimeout(() => { if (++fired === count) resolve() }, 1 + i % 50);
  });
  return new Response(String(fired));
} }";

const WINDOW: Duration = Duration::from_secs(1);
const SAMPLES: usize = 20_000;
/// How many requests an isolate has answered before those that are measured.
const WARMING: usize = 1_000;
/// Isolates that have rested for a second are collected.
const SETTLING: Duration = Duration::from_secs(3);
/// How many address ranges an isolate takes from the system, about, which gives a process a number of
/// them only.
const MAPPINGS: usize = 10;

fn main() {
    let most_isolates = std::env::args().nth(1).map_or(10_000, |most| {
        most.parse().expect("how many isolates to make at most")
    });
    // First, so that no memory of the others is counted.
    let isolates = by_isolates(most_isolates);
    let mut curves = vec![
        by_threads("1 worker", 1, HELLO),
        by_threads("8 workers", 8, HELLO),
        by_threads("8 workers that compute", 8, COMPUTING),
        by_workers(),
    ];
    curves.extend(isolates);
    curves.extend(by_timers());
    curves.push(by_waiting());
    println!("{:#}", json!({ "curves": curves }));
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

/// One curve; `points` has what was measured by where.
fn curve(title: &str, x: &str, unit: &str, points: &BTreeMap<usize, f64>) -> Value {
    let points: Vec<_> = points.iter().map(|(x, y)| json!([x, y])).collect();
    json!({ "title": title, "x": x, "unit": unit, "points": points })
}

fn pool(options: PoolOptions) -> IsolatePool {
    IsolatePool::new(options).expect("a pool")
}

fn answer(pool: &IsolatePool, id: &str, worker: &Arc<WorkerDefinition>, path: &str) -> Response {
    let request = Request::get(format!("http://worker.test/{path}"));
    block_on(pool.execute(id, worker, request, RunOptions::default())).expect("an answer")
}

/// Has workers answer, in turns, until they are optimised.
fn warm_up(pool: &IsolatePool, ids: &[String], worker: &Arc<WorkerDefinition>) {
    for _ in 0..WARMING {
        for id in ids {
            answer(pool, id, worker, "");
        }
    }
}

/// The time that each of some requests takes, in microseconds, where one comes after the other.
fn sample(count: usize, mut request: impl FnMut(usize)) -> Vec<f64> {
    let mut samples: Vec<f64> = (0..count)
        .map(|number| {
            let sent = Instant::now();
            request(number);
            sent.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    samples
}

fn median(samples: &[f64]) -> f64 {
    samples[samples.len() / 2]
}

fn by_threads(who: &str, workers: usize, script: &str) -> Value {
    let mut points = BTreeMap::new();
    for threads in [1, 2, 4, 8, 16] {
        points.insert(threads, rate(threads, workers, script));
    }
    let title = format!("Requests a second by calling threads, {who}");
    curve(&title, "calling threads", "requests/s", &points)
}

/// Requests a second of threads that each wait for an answer before they ask again, worker by worker.
fn rate(threads: usize, workers: usize, script: &str) -> f64 {
    let pool = pool(PoolOptions {
        max_isolates: 2 * workers.max(100),
        ..PoolOptions::default()
    });
    let worker: Arc<WorkerDefinition> = Arc::new(script.into());
    let ids: Vec<String> = (0..workers).map(|number| format!("w{number}")).collect();
    warm_up(&pool, &ids, &worker);
    let stop = AtomicBool::new(false);
    let begin = Instant::now();
    let made: usize = thread::scope(|scope| {
        let callers: Vec<_> = (0..threads)
            .map(|first| {
                let (pool, worker, ids, stop) = (&pool, &worker, &ids, &stop);
                scope.spawn(move || {
                    let mut made = 0;
                    while !stop.load(Ordering::Relaxed) {
                        answer(pool, &ids[(first + made) % ids.len()], worker, "");
                        made += 1;
                    }
                    made
                })
            })
            .collect();
        thread::sleep(WINDOW);
        stop.store(true, Ordering::Relaxed);
        callers
            .into_iter()
            .map(|caller| caller.join().expect("no panic"))
            .sum()
    });
    let rate = made as f64 / begin.elapsed().as_secs_f64();
    block_on(pool.close()).expect("closed");
    rate
}

fn by_workers() -> Value {
    let mut points = BTreeMap::new();
    for workers in [1, 2, 4, 8, 16, 32, 64, 128, 256] {
        points.insert(workers, rate(processors(), workers, HELLO));
    }
    let title = format!(
        "Requests a second by workers that take turns, {} calling threads",
        processors()
    );
    curve(&title, "workers", "requests/s", &points)
}

/// What isolates cost as they become many, and what a request costs among them.
fn by_isolates(most: usize) -> Vec<Value> {
    let pool = pool(PoolOptions {
        max_isolates: most,
        ..PoolOptions::default()
    });
    let worker: Arc<WorkerDefinition> = Arc::new(HELLO.into());
    let ids: Vec<String> = (0..most).map(|number| format!("w{number}")).collect();
    let (mut births, mut memory) = (BTreeMap::new(), BTreeMap::new());
    let (mut same, mut any) = (BTreeMap::new(), BTreeMap::new());
    // What the first isolate brings for all others is not theirs.
    warm_up(&pool, &ids[..1], &worker);
    thread::sleep(SETTLING);
    let bytes_before = resident_bytes();
    let mut made = 1;
    let steps = [10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000];
    for step in steps.into_iter().take_while(|step| *step <= most) {
        let first = made;
        if let Some(most) = mappings_for(step - first) {
            eprintln!(
                "No more than {first} isolates: {step} would need more than the {most} address ranges that the system gives a process (vm.max_map_count)."
            );
            break;
        }
        let born = sample(step - first, |number| {
            drop(answer(&pool, &ids[first + number], &worker, ""));
        });
        made = step;
        births.insert(made, median(&born));
        thread::sleep(SETTLING);
        let bytes = resident_bytes() - bytes_before;
        memory.insert(made, bytes / (made - 1) as f64 / f64::from(1 << 20));
        warm_up(&pool, &ids[..1], &worker);
        let warm = sample(SAMPLES, |_| drop(answer(&pool, &ids[0], &worker, "")));
        same.insert(made, median(&warm));
        // The last that were made, in turns: how many there are is what varies, not how many are used.
        let used = &ids[made - 8..made];
        warm_up(&pool, used, &worker);
        let turns = sample(SAMPLES, |number| {
            drop(answer(&pool, &used[number % 8], &worker, ""));
        });
        any.insert(made, median(&turns));
    }
    block_on(pool.close()).expect("closed");
    vec![
        curve(
            "From a new worker to its first response by isolates that are there",
            "isolates",
            "µs",
            &births,
        ),
        curve(
            "Memory of an isolate beyond the first",
            "isolates",
            "MiB",
            &memory,
        ),
        curve(
            "A warm request to one worker by isolates that are there",
            "isolates",
            "µs",
            &same,
        ),
        curve(
            "A request to one of eight workers in turns by isolates that are there",
            "isolates",
            "µs",
            &any,
        ),
    ]
}

fn by_timers() -> Vec<Value> {
    let pool = pool(PoolOptions {
        limits: Limits {
            cpu: None,
            ..Limits::default()
        },
        ..PoolOptions::default()
    });
    let (hello, holding, firing): (Arc<WorkerDefinition>, Arc<_>, Arc<_>) = (
        Arc::new(HELLO.into()),
        Arc::new(WorkerDefinition::script(HOLDING)),
        Arc::new(WorkerDefinition::script(FIRING)),
    );
    let quick = ["quick".to_owned()];
    let (mut beside, mut each) = (BTreeMap::new(), BTreeMap::new());
    for count in [1, 10, 100, 1_000, 10_000] {
        let id = format!("holding {count}");
        answer(&pool, &id, &holding, &count.to_string());
        warm_up(&pool, &quick, &hello);
        let warm = sample(SAMPLES, |_| drop(answer(&pool, &quick[0], &hello, "")));
        beside.insert(count, median(&warm));
        let fired = sample(10, |_| {
            drop(answer(&pool, "firing", &firing, &count.to_string()));
        });
        each.insert(count, median(&fired) / count as f64);
    }
    block_on(pool.close()).expect("closed");
    vec![
        curve(
            "A warm request by timers that wait in another worker",
            "timers",
            "µs",
            &beside,
        ),
        curve(
            "From setting timers to the last one's firing (all due within 50 ms), by timer",
            "timers",
            "µs each",
            &each,
        ),
    ]
}

fn by_waiting() -> Value {
    let pool = pool(PoolOptions {
        max_isolates_per_worker: 1,
        ..PoolOptions::default()
    });
    let (id, worker): (_, Arc<WorkerDefinition>) = (["w".to_owned()], Arc::new(WAITING.into()));
    let mut waiting = Vec::new();
    let mut beside = BTreeMap::new();
    for count in [1, 10, 100, 1_000, 10_000] {
        while waiting.len() < count {
            let request = Request::get("http://worker.test/wait");
            waiting.push(pool.execute(&id[0], &worker, request, RunOptions::default()));
        }
        warm_up(&pool, &id, &worker);
        let warm = sample(SAMPLES, |_| drop(answer(&pool, &id[0], &worker, "")));
        beside.insert(count, median(&warm));
    }
    drop(waiting);
    block_on(pool.close()).expect("closed");
    curve(
        "A warm request by requests that wait in the same isolate",
        "requests",
        "µs",
        &beside,
    )
}

/// Linux says so; elsewhere there is no such curve.
fn resident_bytes() -> f64 {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return f64::NAN;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kibibytes: f64 = kibibytes
        .and_then(|text| text.trim().parse().ok())
        .expect("the resident set's size");
    kibibytes * 1024.0
}

/// How many address ranges the system gives a process, where that many more isolates need more.
fn mappings_for(isolates: usize) -> Option<usize> {
    let most = fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
    let most: usize = most.trim().parse().ok()?;
    let used = fs::read_to_string("/proc/self/maps").ok()?.lines().count();
    (used + isolates * MAPPINGS > most).then_some(most)
}
