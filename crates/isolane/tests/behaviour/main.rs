//! What workers, contexts and pools do, from the outside. One binary, because each links V8.

mod compression;
mod corpus;
mod crypto;
mod fairness;
mod limits;
mod pool;
#[cfg(unix)]
mod prepared;
mod process;
mod soak;
mod spinning;
mod stuck;
mod support;
mod web;
mod workers;
