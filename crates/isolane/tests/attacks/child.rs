//! The child's side: makes one attack, and then looks whether anything else was hurt by it.

use std::time::{Duration, Instant};

use futures_executor::block_on;
use isolane::{Response, WorkerDefinition};
use serde_json::json;

use crate::case::{self, Case, LATER};
use crate::expectation::Outcome;
use crate::memory::{self, Resident};
use crate::scenario;
use crate::tenant::{Host, Mode, Tenant};

/// Within which a worker of another tenant answers after the attack, at its best try.
const NEIGHBOUR_ANSWERS_WITHIN: Duration = Duration::from_millis(50);
const NEIGHBOUR_TRIES: usize = 20;

/// What may stay of the memory that an attack took: what malloc keeps, and V8's pool of pages, which
/// are those that young objects had and are there for the next isolate.
const KEPT_BYTES: usize = 32 << 20;
const MEMORY_IS_BACK_WITHIN: Duration = Duration::from_secs(2);

/// How much of an answer is read.
const MAX_BODY_BYTES: u64 = 256 << 20;

/// Runs a trial and prints its verdict.
pub(crate) fn main(trial: &str) {
    memory::join_what_is_freed();
    let (name, mode) = trial.rsplit_once("::").expect("<case>::<mode>");
    let mode = Mode::parse(mode);
    if let Some(scenario) = scenario::ALL.iter().find(|scenario| scenario.name == name) {
        (scenario.run)(mode);
        return println!("{}", json!({ "passed": true }));
    }
    let case = case::find(name).unwrap_or_else(|| panic!("there is no case {name}"));
    println!("{}", attack(&case, mode));
}

fn attack(case: &Case, mode: Mode) -> serde_json::Value {
    let host = Host::new(mode);
    let mut neighbour = host.tenant("neighbour", harmless());
    assert!(answers(&mut neighbour), "the neighbour never answered");
    let before = Resident::read();

    let mut tenant = host.tenant("attacker", case.worker());
    let mut complaints = Vec::new();
    let mut ended_by_limit = false;
    let mut last = json!(null);
    for _ in 0..case.requests {
        let begin = Instant::now();
        let outcome = outcome_of(&mut tenant, case);
        let elapsed = begin.elapsed();
        judge(case, &outcome, elapsed, &mut complaints);
        ended_by_limit |= outcome.limit().is_some();
        last = json!({
            "outcome": outcome.to_string(),
            "elapsedMs": elapsed.as_secs_f64() * 1e3,
            "cpuMs": outcome.cpu().map(|cpu| cpu.as_secs_f64() * 1e3),
        });
    }
    if !answers(&mut neighbour) {
        complaints.push(format!(
            "a worker of another tenant does not answer within {NEIGHBOUR_ANSWERS_WITHIN:?}"
        ));
    }
    ask_later(case, &mut tenant, &mut complaints);
    let peak = before.as_ref().zip(Resident::read());
    let peak = peak.map(|(before, after)| after.peak.saturating_sub(before.now));
    if let (Some(limit), Some(peak)) = (case.peak_bytes, peak)
        && peak > limit
    {
        complaints.push(format!("it took {} MB", peak >> 20));
    }
    // What a limit ended must go without being asked to, unless the host holds on to it.
    if !(ended_by_limit && matches!(mode, Mode::Pool | Mode::Process)) {
        tenant.release();
    }
    if let (true, Some(before)) = (case.gives_memory_back, before) {
        let allowed = before.now + KEPT_BYTES;
        if let Err(bytes) = memory::await_at_most(allowed, MEMORY_IS_BACK_WITHIN) {
            let kept = (bytes - before.now) >> 20;
            complaints.push(format!("{kept} MB did not come back"));
        }
    }
    let mut verdict = last;
    verdict["peakMb"] = json!(peak.map(|peak| peak >> 20));
    if complaints.is_empty() {
        verdict["passed"] = json!(true);
    } else {
        verdict["failed"] = json!(complaints.join("; "));
    }
    verdict
}

fn outcome_of(tenant: &mut Tenant, case: &Case) -> Outcome {
    match tenant.fetch("") {
        Ok(response) if case.reads_body => read(response),
        Ok(response) => Outcome::Answered {
            status: response.status,
            body: String::new(),
            usage: response.usage,
        },
        Err(error) => Outcome::Failed(error),
    }
}

fn read(response: Response) -> Outcome {
    let (status, usage) = (response.status, response.usage);
    match block_on(response.body.into_bytes(MAX_BODY_BYTES)) {
        Ok(bytes) => Outcome::Answered {
            status,
            body: String::from_utf8_lossy(&bytes).into_owned(),
            usage,
        },
        Err(error) => Outcome::Broken(error.to_string(), usage),
    }
}

/// Whether an attack ended as it should, and in time.
fn judge(case: &Case, outcome: &Outcome, elapsed: Duration, complaints: &mut Vec<String>) {
    if !case.expectation.accepts(outcome) {
        complaints.push(format!("unexpected: {outcome}"));
    }
    // Loading and the request are limited each on its own.
    if let Some(wall) = case.limits.wall
        && elapsed > wall * 2 + case.late
    {
        complaints.push(format!("it took {elapsed:?}"));
    }
    let cpu_limit = case.limits.cpu.map(|limit| limit + case.late);
    if let (Some(limit), Some(cpu)) = (case.cpu_at_most.or(cpu_limit), outcome.cpu())
        && cpu > limit
    {
        complaints.push(format!("it used {cpu:?} of the processor"));
    }
}

/// A limit that ended a request must not be felt by those that follow.
fn ask_later(case: &Case, tenant: &mut Tenant, complaints: &mut Vec<String>) {
    for _ in 0..3 {
        match tenant.fetch(LATER).map(read) {
            Ok(Outcome::Answered { body, .. }) if body == LATER => {}
            other if case.has_later() => {
                let what = match other {
                    Ok(outcome) => outcome.to_string(),
                    Err(error) => format!("{}: {error}", error.code()),
                };
                return complaints.push(format!("a later request of the worker: {what}"));
            }
            // Its answer is its own affair; what counts is that one came.
            _ => {}
        }
    }
}

fn harmless() -> WorkerDefinition {
    WorkerDefinition::script("export default { fetch: () => new Response('fine') }")
}

fn answers(neighbour: &mut Tenant) -> bool {
    (0..NEIGHBOUR_TRIES).any(|_| {
        let begin = Instant::now();
        let outcome = neighbour.fetch("").map(read);
        let fine = matches!(outcome, Ok(Outcome::Answered { body, .. }) if body == "fine");
        fine && begin.elapsed() <= NEIGHBOUR_ANSWERS_WITHIN
    })
}
