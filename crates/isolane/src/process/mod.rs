//! Isolation by process: the pool's isolates live in a child process that a supervisor in this one
//! starts, watches and starts again. What V8 treats as fatal costs the child.
//!
//! | Side | Files |
//! |---|---|
//! | both | `frame`, `protocol`, `failures`, `definitions` (what is said); `outbox`, `inbox` (the socket); `bodies` (streams) |
//! | parent | `supervisor` (the pool's handle), `host`, `workers` (what is deployed), `generation` (one child and its requests), `answers` (what the child says), `host_calls`, `guard` (memory, time), `death` |
//! | child | `program` (how it starts), `child` (what the parent says), `requests`, `stand_ins` (host functions), `last_words` |
//!
//! The parent never initialises V8. It trusts nothing that the child sends: a guest that has broken
//! out of V8 speaks with the child's voice.

mod program;

#[cfg(unix)]
mod answers;
#[cfg(unix)]
mod bodies;
#[cfg(unix)]
mod child;
#[cfg(unix)]
mod death;
#[cfg(unix)]
mod definitions;
#[cfg(unix)]
mod failures;
#[cfg(unix)]
mod frame;
#[cfg(unix)]
mod generation;
#[cfg(unix)]
mod guard;
#[cfg(unix)]
mod host;
#[cfg(unix)]
mod host_calls;
#[cfg(unix)]
mod inbox;
#[cfg(unix)]
mod last_words;
#[cfg(unix)]
mod outbox;
#[cfg(unix)]
mod protocol;
#[cfg(unix)]
mod requests;
#[cfg(unix)]
mod stand_ins;
#[cfg(unix)]
pub(crate) mod supervisor;
#[cfg(unix)]
mod workers;

#[cfg(unix)]
pub(crate) use last_words::{note_turn, watch};
pub use program::{ChildProgram, Isolation, run_if_child};

#[cfg(not(unix))]
pub(crate) use elsewhere::{note_turn, watch};

#[cfg(not(unix))]
mod elsewhere {
    //! Where there are no child processes, there is nothing to explain.

    pub(crate) fn note_turn(_request: u64) {}

    pub(crate) fn watch(_isolate: &mut v8::Isolate) {}
}

/// Reads a frame as the parent reads those of its child; gives what it says, as text.
///
/// # Errors
///
/// Why it is not a frame.
#[cfg(unix)]
pub fn decode_from_child(content: &[u8]) -> Result<String, String> {
    let content = bytes::Bytes::copy_from_slice(content);
    match frame::decode::<protocol::FromChild>(&content) {
        Ok(frame) => Ok(format!("{frame:?}")),
        Err(malformed) => Err(malformed.to_string()),
    }
}
