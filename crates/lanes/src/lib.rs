//! Queues of work that one thread at a time runs, and the threads that run them.
//!
//! A [`Lane`] is anything that one thread at a time may run: it owns a [`LaneQueue`], and whoever
//! finds that idle puts the lane on a run queue of [`Threads`]. This crate knows neither V8 nor what
//! a lane does, so that its protocols can be tested by models: with `--cfg loom` all atomics, locks
//! and threads are loom's (see `sync.rs`), and `tests/loom.rs` goes through every interleaving.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test --release -p isolane-lanes --test loom --target-dir target/loom
//! ```

#![forbid(unsafe_code)]

mod dispatch;
mod items;
mod lane;
mod processor;
mod queue;
mod slot;
mod sync;
mod threads;

pub use lane::{Lane, Pace, Pushed};
pub use processor::LastSeenOn;
pub use queue::{Abandoned, LaneQueue};
pub use slot::ThreadId;
pub use threads::{Body, Options, Role, Spawner, Threads};
