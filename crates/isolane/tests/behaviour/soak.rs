//! A short soak: what is done over and over is given back. In a process of its own, because other
//! tests' memory would be measured along.

#[path = "../../examples/soak/cases.rs"]
mod cases;
#[path = "../../examples/soak/curve.rs"]
pub(crate) mod curve;

use std::process::Command;

const IN_CHILD: &str = "ISOLANE_TEST_SOAKS";

#[test]
fn what_requests_and_isolates_took_is_given_back() {
    if std::env::var_os(IN_CHILD).is_some() {
        return soak();
    }
    let name = "soak::what_requests_and_isolates_took_is_given_back";
    let program = std::env::current_exe().expect("this program's path");
    let output = Command::new(program)
        .args([name, "--exact", "--nocapture"])
        .env(IN_CHILD, "1")
        .output()
        .expect("a child process");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn soak() {
    let counts = cases::Counts {
        requests: 40_000,
        isolates: 240,
        contexts: 480,
        failures: 2400,
        limited: 24,
    };
    let mut complaints = Vec::new();
    for mut case in cases::cases(&counts) {
        let outcome = case.run(|_| {});
        println!("{}: {:.0} bytes a unit", case.name, outcome.bytes_per_unit);
        complaints.extend(case.complaint(&outcome));
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}
