//! How the pool's isolates are run without contention: lanes, the threads that run them, and the
//! reaper that drops what left the pool.

mod agenda;
pub(crate) mod batch;
pub(crate) mod closing;
mod cooling;
pub(crate) mod core;
mod counts;
mod forgetting;
pub(crate) mod lane;
mod lost;
mod mean;
pub(crate) mod options;
mod pace;
pub(crate) mod placement;
pub(crate) mod reaper;
pub(crate) mod registry;
mod threads;
mod turn_times;
mod waiting;
