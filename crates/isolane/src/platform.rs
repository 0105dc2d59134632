//! Owns V8's process-wide initialisation and the birth of every thread that enters an isolate.
//!
//! On processors with memory protection keys, a thread that was created before V8 was initialised,
//! or by such a thread, faults at its first JavaScript. So V8 is initialised on a thread of its own
//! ("isolane-root"), and that thread creates all others: [`spawn`] asks it to. Nothing here is ever
//! undone; V8 cannot be initialised twice in a process.

use std::cell::Cell;
use std::io;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::foreground_tasks::Foreground;
use crate::limits::watchdog;
use crate::outbound;
use crate::thread_priority;
use crate::v8_flags::V8_FLAGS;

/// Stack of every thread that enters isolates: V8 takes about 1 MiB, its callers the rest.
const STACK_BYTES: usize = 4 << 20;

type Birth = Box<dyn FnOnce() + Send>;

static ROOT: OnceLock<mpsc::Sender<Birth>> = OnceLock::new();

thread_local! {
    static IS_ISOLATE_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Initialises V8 once for the process; later calls do nothing.
///
/// Creating anything that runs guests does this by itself. Call it early where start-up time is
/// better spent before the first request.
pub fn initialize() {
    root();
}

/// Creates a thread on which isolates may be entered.
///
/// # Errors
///
/// When the system cannot create the thread.
///
/// # Examples
///
/// ```
/// let thread = isolane::platform::spawn("guests", || 6 * 7)?;
/// assert_eq!(thread.join().ok(), Some(42));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let builder = thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_BYTES);
    let birth: Birth = Box::new(move || {
        let spawned = builder.spawn(move || {
            IS_ISOLATE_THREAD.set(true);
            body()
        });
        let _ = sender.send(spawned);
    });
    let lost = || io::Error::other("the thread that creates isolate threads is gone");
    root().send(birth).map_err(|_| lost())?;
    receiver.recv().map_err(|_| lost())?
}

/// How many threads of a kind spin for work at a time: who sends it is to have processors left.
pub(crate) fn most_spinning() -> usize {
    thread::available_parallelism().map_or(0, |cores| cores.get() / 2)
}

/// Whether isolates may be entered on the current thread: it was made by [`spawn`].
pub fn is_isolate_thread() -> bool {
    IS_ISOLATE_THREAD.get()
}

fn root() -> &'static mpsc::Sender<Birth> {
    ROOT.get_or_init(|| {
        let (sender, births) = mpsc::channel::<Birth>();
        let (ready, initialized) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("isolane-root".to_owned())
            .spawn(move || {
                v8::V8::set_flags_from_string(V8_FLAGS);
                v8::V8::initialize_platform(new_platform());
                v8::V8::initialize();
                // By this thread, whose priority is the process's: threads are born with that of who creates them, and
                // the first that wants these may be one that stands back.
                watchdog::start();
                outbound::scheduler();
                let _ = ready.send(());
                for birth in births {
                    birth();
                }
            })
            .expect("the system can create a thread");
        initialized.recv().expect("V8 initialises");
        sender
    })
}

/// V8's platform, with threads of its own that stand back for those that run guests: they compile what is
/// worth it and sweep heaps, for whichever worker, uncharged.
///
/// They wake as others do, not quietly: V8 wakes one for each collection of young objects, for a few microseconds.
fn new_platform() -> v8::SharedRef<v8::Platform> {
    let made = thread::spawn(|| {
        thread_priority::lower();
        v8::new_custom_platform(0, false, false, Foreground).make_shared()
    });
    made.join().expect("V8's platform is made")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    fn niceness(stat: &str) -> i32 {
        let (_, after_name) = stat.rsplit_once(')').expect("a name");
        let niceness = after_name.split_whitespace().nth(16).expect("19 fields");
        niceness.parse().expect("a number")
    }

    fn niceness_of(thread: &str) -> Vec<i32> {
        let threads = fs::read_dir("/proc/self/task").expect("the system lists threads");
        let stats =
            threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("stat")).ok());
        let named = format!("({thread})");
        stats
            .filter(|stat| stat.contains(&named))
            .map(|stat| niceness(&stat))
            .collect()
    }

    #[test]
    fn threads_that_serve_all_workers_do_not_stand_back_with_the_first_one() {
        let first = spawn("first", || {
            thread_priority::lower_most();
            let _runtime =
                crate::Runtime::new(crate::RuntimeOptions::default()).expect("a runtime");
        });
        first.expect("a thread").join().expect("it returns");
        let own = niceness(&fs::read_to_string("/proc/self/stat").expect("a process"));
        for thread in ["isolane-watchdo", "isolane-io", "isolane-io-time"] {
            let found = niceness_of(thread);
            assert!(
                !found.is_empty() && found.iter().all(|niceness| *niceness == own),
                "{thread}: {found:?}"
            );
        }
    }
}
