//! The parent's side: runs one trial in a child process and judges how the process went.

use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;

/// The argument that makes this binary a child.
pub(crate) const CHILD: &str = "--attack-child";

/// When a child is given up: far beyond every limit of a case.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often scenarios run, by `ISOLANE_REPEAT`.
pub(crate) fn repetitions() -> usize {
    let repeat = std::env::var("ISOLANE_REPEAT").ok();
    repeat.and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// Runs a trial in a child, which must say that it passed, print nothing else, and exit with 0.
pub(crate) fn run(trial: &str) -> Result<(), Failed> {
    let program = std::env::current_exe().expect("this program's path");
    let mut child = Command::new(program)
        .args([CHILD, trial])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child process");
    let (finished, outputs) = mpsc::channel();
    let stdout = child.stdout.take().expect("a pipe");
    let stderr = child.stderr.take().expect("a pipe");
    collect(stdout, finished.clone(), Stream::Out);
    collect(stderr, finished, Stream::Err);

    let (mut out, mut err, mut timed_out) = (String::new(), String::new(), false);
    for _ in 0..2 {
        match outputs.recv_timeout(PATIENCE) {
            Ok((Stream::Out, text)) => out = text,
            Ok((Stream::Err, text)) => err = text,
            Err(_) => {
                timed_out = true;
                child.kill().expect("a child that runs");
                break;
            }
        }
    }
    let status = child.wait().expect("a child that ended");
    if timed_out {
        return Err(format!("did not end within {PATIENCE:?}").into());
    }
    judge(status, &out, &err)
}

enum Stream {
    Out,
    Err,
}

fn collect(
    mut pipe: impl Read + Send + 'static,
    finished: mpsc::Sender<(Stream, String)>,
    stream: Stream,
) {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A child that was killed may leave its pipe in any state; what was read counts.
        let _ = pipe.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let _ = finished.send((stream, text));
    });
}

fn judge(status: ExitStatus, out: &str, err: &str) -> Result<(), Failed> {
    let mut lines = out.lines();
    let verdict = lines
        .next()
        .and_then(|line| serde_json::from_str(line).ok());
    let verdict: serde_json::Value = verdict.unwrap_or_default();
    let mut complaints = Vec::new();
    if !status.success() {
        complaints.push(format!("the process ended with {status}"));
    }
    if let Some(why) = verdict["failed"].as_str() {
        complaints.push(why.to_owned());
    } else if verdict["passed"] != true {
        complaints.push("there was no verdict".to_owned());
    }
    let more = lines.collect::<Vec<_>>().join("\n");
    if !more.is_empty() {
        complaints.push(format!("something was printed: {more}"));
    }
    if !err.is_empty() {
        let shown: String = err.chars().take(4000).collect();
        complaints.push(format!("something was printed as an error: {shown}"));
    }
    if complaints.is_empty() {
        return Ok(());
    }
    complaints.push(format!("verdict: {verdict}"));
    Err(complaints.join("\n").into())
}
