//! Runs one worker script from a file in a new isolate and prints its answer.

use isolane::{Body, Request, RunOptions, Worker, WorkerOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let script = std::fs::read_to_string(args.next().ok_or("usage: serve FILE [URL]")?)?;
    let url = args
        .next()
        .unwrap_or_else(|| "http://worker.test/".to_owned());
    let on_log: isolane::LogSink =
        std::sync::Arc::new(|entry| eprintln!("{}: {}", entry.level.as_str(), entry.message));
    let options = WorkerOptions {
        on_log: Some(on_log),
        ..WorkerOptions::default()
    };
    let worker = Worker::new(script, options)?;
    let response =
        futures_executor::block_on(worker.fetch(Request::get(url), RunOptions::default()))?;
    println!("{} {:?}", response.status, response.headers);
    println!("{:?}", response.usage);
    match response.body {
        Body::Empty => {}
        Body::Text(text) => println!("{text}"),
        body => {
            let bytes = futures_executor::block_on(body.into_bytes(1 << 20))?;
            println!("{}", String::from_utf8_lossy(&bytes));
        }
    }
    Ok(())
}
