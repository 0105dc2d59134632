//! What the scheduler does, against real servers on this machine's loopback.

mod cancellation;
mod fetch;
mod guest;
mod http_versions;
mod policy;
mod redirects;
mod server;
mod streams;
mod timers;
