//! The attack suite: what hostile guests try, in every mode, each in a process of its own so that a
//! crash is seen as what it is.
//!
//! A case is a file in `cases/` or a scenario in Rust; its name is `<case>::<mode>`. This binary runs
//! itself again for each (see `supervisor`); the tests themselves are in `child` and the scenarios.

mod case;
mod child;
mod expectation;
mod lifecycles;
mod memory;
mod races;
mod scenario;
mod supervisor;
mod tenant;
mod tenants;

use libtest_mimic::{Arguments, Trial};

/// Two children at a time: more would disturb each other's clocks.
const CHILDREN: usize = 2;

fn main() {
    isolane::run_if_child();
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(supervisor::CHILD) {
        return child::main(&arguments.next().expect("the name of a trial"));
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(CHILDREN);
    libtest_mimic::run(&arguments, trials()).exit();
}

fn trials() -> Vec<Trial> {
    let cases = case::all().into_iter().flat_map(|case| {
        let names = case
            .modes
            .iter()
            .map(|mode| format!("{}::{mode}", case.name));
        names.map(|name| (name, 1)).collect::<Vec<_>>()
    });
    let repeat = supervisor::repetitions();
    let scenarios = scenario::ALL.iter().flat_map(|scenario| {
        let modes = scenario.modes.iter();
        modes.map(move |mode| (format!("{}::{mode}", scenario.name), repeat))
    });
    cases
        .chain(scenarios)
        .map(|(name, times)| {
            Trial::test(name.clone(), move || {
                (0..times).try_for_each(|_| supervisor::run(&name))
            })
        })
        .collect()
}
