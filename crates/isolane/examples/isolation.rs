//! What isolation by process costs beside isolates in this process: a warm request's time, requests a
//! second, the child's memory, and how long it takes to start one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::future::join_all;
use isolane::{
    ChildProgram, IsolatePool, Isolation, PoolOptions, Request, RunOptions, WorkerDefinition,
};

const HELLO: &str = "export default { fetch: () => new Response('hello') }";
const BODY: &str =
    "const text = 'x'.repeat(100_000); export default { fetch: () => new Response(text) }";
/// Fatal to V8 whatever the limits.
const FATAL: &str = "export default { fetch: () => ('x'.repeat(1 << 28) + 'y').split('') }";
const WINDOW: Duration = Duration::from_secs(2);

fn main() {
    isolane::run_if_child();
    for round in 0..2 {
        println!("round {round}");
        for isolation in [Isolation::InProcess, process()] {
            let name = match isolation {
                Isolation::InProcess => "in-process",
                Isolation::Process(_) => "process",
            };
            let pool = pool(isolation);
            for (what, script) in [("hello", HELLO), ("100 kB", BODY)] {
                for callers in [1, 64] {
                    measure(
                        &pool,
                        &format!("{name}: {what}, {callers} in flight"),
                        script,
                        callers,
                    );
                }
            }
            block_on(pool.close()).expect("closed");
        }
        start();
    }
}

fn process() -> Isolation {
    Isolation::Process(ChildProgram::current_exe().expect("this program's path"))
}

fn pool(isolation: Isolation) -> IsolatePool {
    IsolatePool::new(PoolOptions {
        isolation,
        ..PoolOptions::default()
    })
    .expect("a pool")
}

fn request(pool: &IsolatePool, id: &str, worker: &Arc<WorkerDefinition>) -> isolane::WorkerFuture {
    pool.execute(id, worker, Request::get("http://x/"), RunOptions::default())
}

fn measure(pool: &IsolatePool, what: &str, script: &str, callers: usize) {
    let worker = Arc::new(script.into());
    let caller = |until: Instant| {
        let worker = &worker;
        async move {
            let mut times = Vec::new();
            while Instant::now() < until {
                let begin = Instant::now();
                request(pool, what, worker).await.expect("an answer");
                times.push(begin.elapsed().as_secs_f64() * 1e6);
            }
            times
        }
    };
    let run = |window| {
        let until = Instant::now() + window;
        block_on(join_all((0..callers).map(|_| caller(until)))).concat()
    };
    run(WINDOW / 4);
    let mut times = run(WINDOW);
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    let rate = times.len() as f64 / WINDOW.as_secs_f64();
    println!(
        "{what:<36} p50 {:>8.1}   p99 {:>8.1} µs   {rate:>9.0} requests/s",
        at(0.5),
        at(0.99)
    );
}

/// The time from nothing to a first answer, and from a crash to the next one.
fn start() {
    let hello = Arc::new(HELLO.into());
    let fatal = Arc::new(FATAL.into());
    let mut firsts = Vec::new();
    let mut nexts = Vec::new();
    for round in 0..5 {
        let begin = Instant::now();
        let pool = pool(process());
        block_on(request(&pool, "hello", &hello)).expect("an answer");
        firsts.push(begin.elapsed().as_secs_f64() * 1e3);
        if round == 0 {
            println!(
                "{:<36} {:>8.1} MB resident",
                "process: an idle child",
                resident_mb()
            );
        }
        block_on(request(&pool, "fatal", &fatal)).expect_err("a crash");
        let begin = Instant::now();
        block_on(request(&pool, "hello", &hello)).expect("an answer");
        nexts.push(begin.elapsed().as_secs_f64() * 1e3);
        block_on(pool.close()).expect("closed");
    }
    for (what, mut times) in [
        ("process: start to first answer", firsts),
        ("process: crash to next answer", nexts),
    ] {
        times.sort_by(f64::total_cmp);
        println!(
            "{what:<36} p50 {:>8.1}   max {:>8.1} ms",
            times[2], times[4]
        );
    }
}

/// The memory of this process's only child; not a number where the system does not tell.
fn resident_mb() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let mut children =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
    let child = children.find(|children| !children.is_empty());
    let resident = child.and_then(|child| {
        let child = child.split(' ').next()?;
        let pages = std::fs::read_to_string(format!("/proc/{child}/statm")).ok()?;
        pages.split(' ').nth(1)?.parse::<f64>().ok()
    });
    resident.map_or(f64::NAN, |pages| pages * 4096.0 / 1e6)
}
