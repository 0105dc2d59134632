//! The binding of Isolane to Node: it converts between JavaScript and the crate `isolane`, and
//! decides nothing.
//!
//! Everything here is called on the JavaScript thread of a Node environment, but for
//! [`Connection::push`](connection::Connection::push), through which other threads hand over what
//! they have. No guest code runs on a thread of Node's. Failures cross as data: see [`failure`].

mod binding_body_reader;
mod binding_body_writer;
mod binding_connection;
mod binding_context;
mod binding_definition;
mod binding_limits;
mod binding_pool;
mod binding_pool_options;
mod binding_pool_stats;
mod binding_run_options;
mod binding_runtime;
mod binding_shared_isolate;
mod binding_target;
mod binding_worker;
mod connection;
mod delivery;
mod failure;
mod function_ref;
mod host_functions;
mod inbox;
mod keep_alive;
mod local_tasks;
mod log_backlog;
mod message_head;
mod outbound_client;
mod patience;
