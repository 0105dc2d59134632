//! What a child says while it dies of a limit: of which, and which request is to blame. It goes
//! through a pipe of its own, because the socket may be in the middle of a frame. Other deaths of V8's
//! go without a word.
//!
//! The child's side runs on whichever thread dies, inside V8's handler: it allocates nothing and takes
//! no lock.

use std::cell::Cell;
use std::ffi::c_char;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;

use rustix::process::{Signal, getpid, kill_process};

use crate::limits::{LimitKind, rescue};

/// Begins every message, so that it is told from what a library may have written there.
const MAGIC: u32 = 0x1501_a7e5;

/// Magic, limit, request.
const LENGTH: usize = 16;

/// More than a pipe holds.
const MOST_PRINTED: u64 = 1 << 20;

/// What a child had to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastWords {
    /// The limit that was reached.
    pub(crate) limit: LimitKind,
    /// The request whose turn ran; 0 where none did.
    pub(crate) request: u64,
}

/// By their numbers in the message.
const LIMITS: [LimitKind; 5] = [
    LimitKind::Heap,
    LimitKind::Cpu,
    LimitKind::Wall,
    LimitKind::Buffer,
    LimitKind::Response,
];

impl LastWords {
    fn to_bytes(self) -> [u8; LENGTH] {
        let limit = LIMITS.iter().position(|limit| *limit == self.limit);
        let limit = limit.map_or(0, |at| at as u32);
        let mut bytes = [0; LENGTH];
        bytes[..4].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[4..8].copy_from_slice(&limit.to_le_bytes());
        bytes[8..].copy_from_slice(&self.request.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; LENGTH]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk()?;
        let (limit, request) = rest.split_first_chunk()?;
        let limit = *LIMITS.get(u32::from_le_bytes(*limit) as usize)?;
        let request = u64::from_le_bytes(*request.first_chunk()?);
        (u32::from_le_bytes(*magic) == MAGIC).then_some(Self { limit, request })
    }

    /// Reads what a child that has ended had to say, after all that its program may have printed
    /// before it served.
    pub(crate) fn read(pipe: impl Read) -> Option<Self> {
        let mut bytes = Vec::new();
        // An error comes where there is nothing more, if somebody else still holds the pipe.
        let _ = pipe.take(MOST_PRINTED).read_to_end(&mut bytes);
        Self::from_bytes(bytes.last_chunk::<LENGTH>()?)
    }
}

/// The child's end of the pipe; set in child processes only.
static PIPE: OnceLock<OwnedFd> = OnceLock::new();

thread_local! {
    /// The request whose turn this thread runs, or 0.
    static RUNNING: Cell<u64> = const { Cell::new(0) };
}

/// Notes which request's turn begins on this thread; 0 when it ends.
pub(crate) fn note_turn(request: u64) {
    RUNNING.set(request);
}

/// Makes this process one that explains its death.
pub(crate) fn prepare(pipe: OwnedFd) {
    // There is one call in a process: that of `child::serve`.
    let _ = PIPE.set(pipe);
    rescue::set_last_resort(give_up_process);
}

/// Has an isolate report that it runs out of memory, where this process is a child.
pub(crate) fn watch(isolate: &mut v8::Isolate) {
    if PIPE.get().is_some() {
        isolate.set_oom_error_handler(on_out_of_memory);
    }
}

/// Ends this process, if it is a child, on account of a request that nothing else ends.
///
/// The watchdog calls it where a turn goes on although it was terminated: the request ends with its limit's
/// code, the others of the pool with `ERR_ISOLATE_CRASHED`, and a new child takes over.
fn give_up_process(request: u64, limit: LimitKind) {
    if PIPE.get().is_some() {
        die(LastWords { limit, request });
    }
}

/// Ends this process at once: nothing of it runs on, and no destructors run.
pub(crate) fn end_process() -> ! {
    loop {
        // The process ends before the call returns; a failure can only be temporary.
        let _ = kill_process(getpid(), Signal::KILL);
    }
}

fn die(words: LastWords) -> ! {
    if let Some(pipe) = PIPE.get() {
        // Shorter than what a pipe takes at once. Unsaid, the request ends with the general code.
        let _ = rustix::io::write(pipe, &words.to_bytes());
    }
    end_process()
}

unsafe extern "C" fn on_out_of_memory(_location: *const c_char, _details: &v8::OomDetails) {
    die(LastWords {
        limit: LimitKind::Heap,
        request: RUNNING.get(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_understood() {
        for limit in LIMITS {
            let words = LastWords { limit, request: 7 };
            let said = [b"running\n".as_slice(), &words.to_bytes()].concat();
            assert_eq!(LastWords::read(&said[..]), Some(words));
        }
    }

    #[test]
    fn silence_and_babble_are_not_last_words() {
        assert_eq!(LastWords::read(&b""[..]), None);
        assert_eq!(LastWords::read(&[1_u8; LENGTH][..]), None);
        let limit = LimitKind::Heap;
        let mut unknown = LastWords { limit, request: 7 }.to_bytes();
        unknown[4] = 99;
        assert_eq!(LastWords::read(&unknown[..]), None);
    }
}
