//! What a quick worker's callers notice of a worker at its limits in the same pool. Quiet and noisy
//! rounds take turns, so that whatever else the machine does meets both. An argument has it measure
//! the cases alone whose name contains it.
//!
//! The first noisy round is told apart: the pool does not know the worker yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{IsolatePool, Limits, PoolOptions, Request, RunOptions, WorkerDefinition};

const QUICK: &str = "export default { fetch: () => new Response('hello') }";
const NOISY_CALLERS: usize = 8;
const ROUNDS: usize = 6;
const ROUND: Duration = Duration::from_millis(1500);
/// What a round's first requests meet is on its way from one state to the other.
const SETTLING: Duration = Duration::from_millis(300);

/// A worker at its limits, and those limits.
struct Noise {
    name: &'static str,
    script: &'static str,
    limits: Limits,
}

fn noises() -> [Noise; 4] {
    let limits = Limits {
        cpu: Some(Duration::from_millis(50)),
        heap_bytes: 64 << 20,
        ..Limits::default()
    };
    let until_the_heap_is_full = Limits {
        cpu: Some(Duration::from_secs(2)),
        ..limits
    };
    [
        Noise {
            name: "spins to its CPU limit",
            script: "export default { fetch() { for (;;); } }",
            limits,
        },
        Noise {
            name: "allocates to its heap limit",
            script: "export default { fetch() { const a = []; for (;;) a.push(new Array(100).fill({})) } }",
            limits: until_the_heap_is_full,
        },
        Noise {
            name: "spins for 5 ms, and answers",
            script: "export default { fetch() { const end = Date.now() + 5; while (Date.now() < end); return new Response('') } }",
            limits,
        },
        Noise {
            name: "is quick, and spins now and then",
            script: "let n = 0; export default { fetch() { if (++n % 500 === 0) for (;;); return new Response('') } }",
            limits,
        },
    ]
}

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for pause in [Duration::ZERO, Duration::from_millis(1)] {
        println!("A quick worker, one caller, {pause:?} between its requests:");
        for noise in noises().iter().filter(|noise| noise.name.contains(&wanted)) {
            measure(noise, pause);
        }
    }
}

fn measure(noise: &Noise, pause: Duration) {
    let pool = IsolatePool::new(PoolOptions::default()).expect("a pool");
    let quick: Arc<WorkerDefinition> = Arc::new(QUICK.into());
    let (mut alone, mut first, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    let mut made = 0;
    for number in 0..=ROUNDS {
        alone.extend(round(&pool, &quick, pause));
        let noisy = Noisy::start(&pool, noise);
        let noticed = if number == 0 { &mut first } else { &mut beside };
        noticed.extend(round(&pool, &quick, pause));
        made += noisy.stop();
    }
    block_on(pool.close()).expect("closed");
    let (alone, first, beside) = (
        Percentiles::of(alone),
        Percentiles::of(first),
        Percentiles::of(beside),
    );
    println!("  beside one that {} ({made} noisy requests)", noise.name);
    println!("    alone   {alone}");
    println!("    first   {first}");
    println!("    beside  {beside}");
    println!(
        "    ratio   p50 {:>8.2}   p99 {:>8.2}   p99.9 {:>8.2}",
        beside.p50 / alone.p50,
        beside.p99 / alone.p99,
        beside.p999 / alone.p999
    );
}

/// The latencies of one round, in microseconds.
fn round(pool: &IsolatePool, quick: &Arc<WorkerDefinition>, pause: Duration) -> Vec<f64> {
    let begin = Instant::now();
    let mut samples = Vec::new();
    while begin.elapsed() < ROUND {
        let sent = Instant::now();
        block_on(run(pool, "quick", quick)).expect("an answer");
        if begin.elapsed() > SETTLING {
            samples.push(sent.elapsed().as_secs_f64() * 1e6);
        }
        if !pause.is_zero() {
            thread::sleep(pause);
        }
    }
    samples
}

fn run(pool: &IsolatePool, name: &str, worker: &Arc<WorkerDefinition>) -> isolane::WorkerFuture {
    let request = Request::get("http://worker.test/");
    pool.execute(name, worker, request, RunOptions::default())
}

/// The noisy worker's callers.
struct Noisy {
    stop: Arc<AtomicBool>,
    made: Arc<AtomicU64>,
    callers: Vec<JoinHandle<()>>,
}

impl Noisy {
    fn start(pool: &IsolatePool, noise: &Noise) -> Self {
        let (stop, made) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let worker = Arc::new(WorkerDefinition {
            limits: Some(noise.limits),
            ..WorkerDefinition::script(noise.script)
        });
        let call = || {
            let (pool, worker, stop, made) =
                (pool.clone(), worker.clone(), stop.clone(), made.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // Most end by a limit. One that is refused comes again, but not at once: that would
                    // measure these threads and not the worker.
                    let answer = block_on(run(&pool, "noisy", &worker));
                    if answer.is_err_and(|error| error.code() == "ERR_POOL_FULL") {
                        thread::sleep(Duration::from_millis(10));
                    }
                    made.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let callers = std::iter::repeat_with(call).take(NOISY_CALLERS).collect();
        Self {
            stop,
            made,
            callers,
        }
    }

    /// How many requests they made.
    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.join().expect("no panic");
        }
        self.made.load(Ordering::Relaxed)
    }
}

struct Percentiles {
    count: usize,
    p50: f64,
    p99: f64,
    p999: f64,
}

impl Percentiles {
    fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |part: f64| samples[((samples.len() - 1) as f64 * part) as usize];
        Self {
            count: samples.len(),
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
        }
    }
}

impl std::fmt::Display for Percentiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p50 {:>8.1}   p99 {:>8.1}   p99.9 {:>8.1} µs   ({} requests)",
            self.p50, self.p99, self.p999, self.count
        )
    }
}
