//! What the scheduler does, against real servers on this machine's loopback.

#![allow(
    clippy::unwrap_used,
    reason = "a panic is how a test reports, in its helpers too"
)]

mod cancellation;
mod codings;
mod compute;
mod fetch;
mod guest;
mod hostile_servers;
mod http_versions;
mod policy;
mod raw_server;
mod redirects;
mod server;
mod streams;
mod timers;
