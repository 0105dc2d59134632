//! Case files: a head of comment lines that says what is expected, and the guest's script.

use std::path::{Path, PathBuf};
use std::time::Duration;

use isolane::{Limits, Outbound, WorkerDefinition};

use crate::expectation::Expectation;
use crate::tenant::Mode;

/// The path of the request by which a case's worker is asked whether it still answers.
pub(crate) const LATER: &str = "later";

/// The status with which a guest answers what it caught.
pub(crate) const CAUGHT: u16 = 299;

/// One attack.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) modes: Vec<Mode>,
    pub(crate) expectation: Expectation,
    pub(crate) limits: Limits,
    /// How many times the attack is made.
    pub(crate) requests: usize,
    /// How much later than its limit an answer may come.
    pub(crate) late: Duration,
    /// The most processor time it may use, where that is less than its limit.
    pub(crate) cpu_at_most: Option<Duration>,
    /// Whether the memory it took has to come back.
    pub(crate) gives_memory_back: bool,
    /// How many bytes it may take beside what the process had before.
    pub(crate) peak_bytes: Option<usize>,
    /// Whether the response's body is read.
    pub(crate) reads_body: bool,
    /// Whether the same worker still answers properly.
    pub(crate) answers_later: bool,
    is_handler: bool,
    codegen: bool,
    outbound: Outbound,
    script: String,
}

/// All case files, by name.
pub(crate) fn all() -> Vec<Case> {
    let directory = directory();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&directory)
        .expect("the folder of cases")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "js"))
        .collect();
    files.sort();
    files.iter().map(|path| Case::read(path)).collect()
}

/// The case of that name, or of that path.
pub(crate) fn find(name: &str) -> Option<Case> {
    let path = match name.ends_with(".js") {
        true => PathBuf::from(name),
        false => directory().join(format!("{name}.js")),
    };
    path.is_file().then(|| Case::read(&path))
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/cases")
}

/// The suite's limits where a case names none: those of time are far apart, so that a loaded machine
/// does not turn one into the other.
fn default_limits() -> Limits {
    Limits {
        cpu: Some(Duration::from_millis(200)),
        wall: Some(Duration::from_secs(30)),
        heap_bytes: 64 << 20,
        buffer_bytes: Some(32 << 20),
        ..Limits::default()
    }
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a readable case");
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("a UTF-8 name");
        let mut case = Self {
            name: name.to_owned(),
            modes: Vec::new(),
            expectation: Expectation::default(),
            limits: default_limits(),
            requests: 1,
            late: Duration::from_millis(250),
            cpu_at_most: None,
            gives_memory_back: false,
            peak_bytes: None,
            reads_body: true,
            answers_later: true,
            is_handler: true,
            codegen: false,
            outbound: Outbound::Public,
            script: text.clone(),
        };
        let head = text.lines().map_while(|line| line.strip_prefix("// "));
        for (key, value) in head.filter_map(|line| line.split_once(": ")) {
            case.set(key, value.trim());
        }
        assert!(!case.modes.is_empty(), "{name}: no modes");
        assert!(!case.expectation.is_empty(), "{name}: no expectation");
        case
    }

    fn set(&mut self, key: &str, value: &str) {
        let name = &self.name;
        let number = |text: &str| -> u64 {
            let number = text.parse();
            number.unwrap_or_else(|_| panic!("{name}: {key}: {text:?} is not a number"))
        };
        match key {
            "modes" => self.modes = value.split_whitespace().map(Mode::parse).collect(),
            "expect" => self.expectation = Expectation::parse(value),
            "limits" => {
                for limit in value.split_whitespace() {
                    let (limit, value) = limit.split_once('=').expect("limit=number");
                    set_limit(&mut self.limits, limit, number(value));
                }
            }
            "requests" => self.requests = number(value) as usize,
            "late" => self.late = Duration::from_millis(number(value)),
            "cpu-at-most" => self.cpu_at_most = Some(Duration::from_millis(number(value))),
            "peak" => self.peak_bytes = Some((number(value) as usize) << 20),
            "memory" => {
                self.gives_memory_back = true;
                self.peak_bytes = (value != "back").then(|| (number(value) as usize) << 20);
            }
            "body" => self.reads_body = value != "unread",
            "later" => self.answers_later = value != "any",
            "form" => self.is_handler = value == "handler",
            "codegen" => self.codegen = value == "on",
            "outbound" => {
                self.outbound = match value {
                    "any" => Outbound::Any,
                    "none" => Outbound::None,
                    _ => Outbound::Public,
                }
            }
            // A title may hold a colon.
            _ => assert!(key.contains(' '), "{name}: unknown key {key:?}"),
        }
    }

    /// The worker that attacks.
    pub(crate) fn worker(&self) -> WorkerDefinition {
        let mut worker = WorkerDefinition::script(self.source());
        worker.limits = Some(self.limits);
        worker.codegen = self.codegen;
        worker.outbound = self.outbound.clone();
        worker
    }

    /// Whether the worker knows [`LATER`].
    pub(crate) fn has_later(&self) -> bool {
        self.is_handler && self.answers_later
    }

    fn source(&self) -> String {
        if !self.is_handler {
            return self.script.clone();
        }
        let body = match self.expectation.wants_caught() {
            true => format!(
                "try {{\n{}\n}} catch (caught) {{ return new Response(String(caught?.name), {{ status: {CAUGHT} }}) }}",
                self.script
            ),
            false => self.script.clone(),
        };
        format!(
            "export default {{ async fetch(request, env, ctx) {{ if (request.url.endsWith('/{LATER}')) return new Response('{LATER}');\n{body}\n}} }}"
        )
    }
}

fn set_limit(limits: &mut Limits, limit: &str, value: u64) {
    let bytes = (value as usize) << 20;
    match limit {
        "cpu" => limits.cpu = Some(Duration::from_millis(value)),
        "wall" => limits.wall = Some(Duration::from_millis(value)),
        "heap" => limits.heap_bytes = bytes,
        "buffer" => limits.buffer_bytes = Some(bytes),
        "response" => limits.response_bytes = Some(bytes as u64),
        "subrequests" => limits.subrequests = u32::try_from(value).ok(),
        _ => panic!("unknown limit {limit:?}"),
    }
}
