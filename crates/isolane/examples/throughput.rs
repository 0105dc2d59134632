//! Requests per second of a pool against the number of calling threads, on one worker and on many: from threads that
//! wait, and from tasks of an asynchronous runtime's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::future::join_all;
use isolane::{IsolatePool, PoolOptions, Request, RunOptions, WorkerDefinition};

const SCRIPT: &str = "export default { fetch: () => new Response('hello') }";
/// About a tenth of a millisecond of computing.
const BUSY: &str = "export default { fetch() { let x = 1; for (let i = 0; i < 100_000; i++) x ^= x << 1; return new Response(String(x)) } }";
const WINDOW: Duration = Duration::from_millis(1000);

fn main() {
    for depth in [1, 32] {
        for workers in [1, 8] {
            for threads in [1, 2, 4, 8] {
                let rate = measure(SCRIPT, threads, workers, depth);
                println!(
                    "{workers} worker(s), {threads} thread(s), {depth:>2} in flight each: {rate:>9.0} requests/s"
                );
            }
        }
    }
    for tasks in [8, 64] {
        for workers in [1, 8] {
            for threads in [1, 2, 4, 8] {
                let rate = measure_tasks(tasks, threads, workers);
                println!(
                    "{workers} worker(s), {tasks} tasks on tokio with {threads} thread(s): {rate:>9.0} requests/s"
                );
            }
        }
    }
    for threads in [1, 2, 4, 8] {
        let rate = measure(BUSY, threads, 8, 1);
        println!("8 busy workers, {threads} thread(s), 1 in flight each: {rate:>9.0} requests/s");
    }
}

fn measure(script: &str, threads: usize, workers: usize, depth: usize) -> f64 {
    let pool = IsolatePool::new(PoolOptions::default()).expect("a pool");
    let worker: Arc<WorkerDefinition> = Arc::new(script.into());
    let (stop, count) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let run = |pool: &IsolatePool, worker: &Arc<WorkerDefinition>, name: &str| {
        pool.execute(
            name,
            worker,
            Request::get("http://x/"),
            RunOptions::default(),
        )
    };
    for index in 0..workers {
        block_on(run(&pool, &worker, &format!("w{index}"))).expect("an answer");
    }
    let callers: Vec<_> = (0..threads)
        .map(|index| {
            let (pool, worker) = (pool.clone(), worker.clone());
            let (stop, count) = (stop.clone(), count.clone());
            std::thread::spawn(move || {
                let name = format!("w{}", index % workers);
                while !stop.load(Ordering::Relaxed) {
                    let answers =
                        block_on(join_all((0..depth).map(|_| run(&pool, &worker, &name))));
                    for answer in answers {
                        answer.expect("an answer");
                    }
                    count.fetch_add(depth as u64, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let rate = rate_of(&count);
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.join().expect("no panic");
    }
    block_on(pool.close()).expect("closed");
    rate
}

/// How much is counted in a second, once it goes on.
fn rate_of(count: &AtomicU64) -> f64 {
    std::thread::sleep(WINDOW / 2);
    let (begin, before) = (Instant::now(), count.load(Ordering::Relaxed));
    std::thread::sleep(WINDOW);
    (count.load(Ordering::Relaxed) - before) as f64 / begin.elapsed().as_secs_f64()
}

fn measure_tasks(tasks: usize, threads: usize, workers: usize) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .build()
        .expect("a runtime");
    let pool = IsolatePool::new(PoolOptions::default()).expect("a pool");
    let worker: Arc<WorkerDefinition> = Arc::new(SCRIPT.into());
    let count = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..tasks)
        .map(|index| {
            let (pool, worker, count) = (pool.clone(), worker.clone(), count.clone());
            let name = format!("w{}", index % workers);
            runtime.spawn(async move {
                loop {
                    let request = Request::get("http://x/");
                    pool.execute(&name, &worker, request, RunOptions::default())
                        .await
                        .expect("an answer");
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let rate = rate_of(&count);
    for task in tasks {
        task.abort();
    }
    drop(runtime);
    block_on(pool.close()).expect("closed");
    rate
}
