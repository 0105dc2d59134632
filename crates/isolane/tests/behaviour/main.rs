//! What workers, contexts and pools do, from the outside. One binary, because each links V8.

mod fairness;
mod limits;
mod pool;
#[cfg(unix)]
mod process;
mod stuck;
mod support;
mod workers;
