//! Runs requests, isolates, contexts and failures by the million, prints what the process holds
//! meanwhile, and fails where something is not given back.
//!
//! ```text
//! cargo run --release -p isolane --example soak                    a million requests, 10 000 isolates
//! cargo run --release -p isolane --example soak -- 100000 1000     so many of these
//! cargo run --release -p isolane --example soak -- 100000 1000 streams     only cases named so
//! ```

mod cases;
mod curve;

use std::process::ExitCode;
use std::time::Instant;

use cases::{Case, Counts, cases};
use curve::Sample;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| {
        arguments
            .next()
            .map_or(Some(default), |text| text.parse().ok())
    };
    let (Some(requests), Some(isolates)) = (number(1_000_000), number(10_000)) else {
        eprintln!("soak: expected numbers: requests, isolates");
        return ExitCode::from(2);
    };
    let wanted = arguments.next().unwrap_or_default();
    let counts = Counts {
        requests,
        isolates,
        contexts: isolates * 2,
        failures: requests / 50,
        limited: isolates / 20,
    };
    let mut complaints = Vec::new();
    let named = |case: &Case| case.name.contains(&wanted);
    for mut case in cases(&counts).into_iter().filter(named) {
        complaints.extend(soak(&mut case));
    }
    for complaint in &complaints {
        println!("not given back: {complaint}");
    }
    if complaints.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs a case and prints its curve; what it leaves behind.
fn soak(case: &mut Case) -> Option<String> {
    println!("\n{}, {} times", case.name, case.count);
    println!(
        "{:>10}  {:>9}  {:>7}  {:>7}",
        "units", "MiB", "handles", "threads"
    );
    let begin = Instant::now();
    let outcome = case.run(|sample: &Sample| {
        println!(
            "{:>10}  {:>9.2}  {:>7}  {:>7}",
            sample.units,
            sample.resident_bytes as f64 / f64::from(1 << 20),
            sample.handles,
            sample.threads
        );
    });
    if outcome.samples.is_empty() {
        println!("this system does not tell what a process holds");
        return None;
    }
    println!(
        "{:.1} bytes a unit ({:.0} are allowed), in {:.1} s",
        outcome.bytes_per_unit,
        case.allowed_bytes_per_unit,
        begin.elapsed().as_secs_f64()
    );
    case.complaint(&outcome)
}
