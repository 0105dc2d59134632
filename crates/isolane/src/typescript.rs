//! Erases TypeScript's types, keeping every line and column where it was.
//!
//! The build script uses this for the guest side of the web APIs, the library for workers' own
//! `.ts` modules. No isolate is involved; any thread may call it, and waits for one that is made for
//! the call: the stripper recurses as deep as its source nests, and its time has no bound either.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use swc_common::errors::{DiagnosticBuilder, Emitter, Handler};
use swc_common::sync::Lrc;
use swc_common::{GLOBALS, Globals, SourceMap};
use swc_ts_fast_strip::{Mode, Options};

/// The largest stack that a module may need. It is address space, of which only what is used
/// becomes memory: about 1.5 MB of ordinary TypeScript fit.
const MAX_STACK_BYTES: usize = (1 << 30) * STACK_FACTOR;

/// What the stripper needs for a module of no length.
const BASE_STACK_BYTES: usize = (1 << 20) * STACK_FACTOR;

/// Frames are larger where nothing is optimised.
const STACK_FACTOR: usize = if cfg!(debug_assertions) { 8 } else { 1 };

/// How long a caller waits. An honest module takes milliseconds; some that are made for it would
/// take longer than anybody lives, and the parser cannot be interrupted.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many strippers that nobody waits for any more may go on, before no other is started.
const MAX_OVERDUE: usize = 2;

static OVERDUE: AtomicUsize = AtomicUsize::new(0);

/// Replaces the types in `source` by white space; `name` appears in error messages.
///
/// Only erasable syntax is accepted: no `enum`, no parameter properties, no value namespaces.
///
/// # Errors
///
/// `name:line:column: SyntaxError: …`, for the first thing that cannot be erased or parsed;
/// `name: SyntaxError: …` where the module is too large or takes too long.
pub(crate) fn erase_types(source: &str, name: &str) -> Result<String, String> {
    let refused = |why: &str| Err(format!("{name}: SyntaxError: {why}"));
    let stack_bytes = stack_bytes(source);
    if stack_bytes > MAX_STACK_BYTES {
        return refused("the module is too large");
    }
    if OVERDUE.load(Ordering::Relaxed) >= MAX_OVERDUE {
        return refused("TypeScript cannot be read at the moment");
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let state = Arc::new(Mutex::new(Progress::Running));
    let thread_state = state.clone();
    let (owned_source, owned_name) = (source.to_owned(), name.to_owned());
    let spawned = thread::Builder::new()
        .name("isolane-strip".to_owned())
        .stack_size(stack_bytes)
        .spawn(move || {
            let _done = Done(thread_state);
            // Nobody may be waiting any more.
            let _ = sender.send(strip(owned_source, &owned_name));
        });
    if spawned.is_err() {
        return refused("there is no memory to read the module");
    }
    match receiver.recv_timeout(PATIENCE) {
        Ok(stripped) => stripped,
        Err(mpsc::RecvTimeoutError::Disconnected) => refused("the module could not be read"),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            give_up(&state);
            refused("the module takes too long to read")
        }
    }
}

/// How far a stripper is, as it and its caller agree.
#[derive(PartialEq, Eq)]
enum Progress {
    Running,
    Overdue,
    Done,
}

/// Counts a stripper among those that nobody waits for, if it still runs.
fn give_up(state: &Mutex<Progress>) {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    if *state == Progress::Running {
        *state = Progress::Overdue;
        OVERDUE.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ends a stripper's count, also where it panicked.
struct Done(Arc<Mutex<Progress>>);

impl Drop for Done {
    fn drop(&mut self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *state, Progress::Done) == Progress::Overdue {
            OVERDUE.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// How much stack the stripper may need for the source, however it nests.
///
/// Its parser recurses where a token opens something, its visitors along every chain. Each byte is
/// charged with twice what was measured for the deepest recursion that it can begin.
fn stack_bytes(source: &str) -> usize {
    let mut before = b' ';
    let bytes = source.bytes().map(|byte| {
        let most = match byte {
            b'(' | b'[' | b'{' | b'<' | b'`' => 7000,
            b'>' if before == b'=' => 5600,
            b'o' if before == b'd' => 2400,
            b':' => 2400,
            b'=' => 1600,
            b'!' | b'-' | b'+' | b'~' | b'?' => 1000,
            _ => 250,
        };
        before = byte;
        most
    });
    BASE_STACK_BYTES + bytes.sum::<usize>() * STACK_FACTOR
}

fn strip(source: String, name: &str) -> Result<String, String> {
    let map: Lrc<SourceMap> = Lrc::default();
    let first = Arc::new(Mutex::new(None));
    let emitter = FirstError {
        map: map.clone(),
        name: name.to_owned(),
        first: first.clone(),
    };
    let handler = Handler::with_emitter(true, false, Box::new(emitter));
    let options = Options {
        filename: Some(name.to_owned()),
        mode: Mode::StripOnly,
        ..Options::default()
    };
    let erased = GLOBALS.set(&Globals::new(), || {
        swc_ts_fast_strip::operate(&map, &handler, source, options)
    });
    erased.map(|output| output.code).map_err(|error| {
        let described = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        described.unwrap_or_else(|| format!("{name}: SyntaxError: {}", error.message))
    })
}

/// Keeps the first diagnostic, with its place.
struct FirstError {
    map: Lrc<SourceMap>,
    name: String,
    first: Arc<Mutex<Option<String>>>,
}

impl Emitter for FirstError {
    fn emit(&mut self, diagnostic: &mut DiagnosticBuilder<'_>) {
        let place = match diagnostic.span.primary_span() {
            Some(span) => {
                let at = self.map.lookup_char_pos(span.lo);
                format!("{}:{}:{}", self.name, at.line, at.col.0 + 1)
            }
            None => self.name.clone(),
        };
        let message = diagnostic.message();
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| format!("{place}: SyntaxError: {message}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_replaced_by_white_space() {
        let stripped = erase_types("let a: number = 1;", "a.ts");
        assert_eq!(stripped.as_deref(), Ok("let a         = 1;"));
    }

    #[test]
    fn a_module_may_nest_as_deep_as_it_is_long() {
        let openers = [
            "(",
            "[",
            "{",
            "`${",
            "!",
            "a.",
            "1+",
            "a=>",
            "do ",
            "if(a)",
            "new ",
            "type A=A<",
        ];
        for opener in openers {
            // Whether it is read or refused: it does not end the process.
            let _ = erase_types(&opener.repeat(20_000), "a.ts");
        }
    }

    #[test]
    fn a_module_that_takes_for_ever_is_given_up() {
        // Each level doubles the parser's work; this is a matter of seconds, and not of ages.
        let source = "<T>(".repeat(22) + "a" + &")".repeat(22);
        let error = erase_types(&source, "a.ts").unwrap_err();
        assert_eq!(
            error,
            "a.ts: SyntaxError: the module takes too long to read"
        );
    }

    #[test]
    fn a_module_that_needs_too_much_stack_is_refused() {
        let error = erase_types(&"(".repeat(1 << 20), "a.ts").unwrap_err();
        assert_eq!(error, "a.ts: SyntaxError: the module is too large");
    }
}
