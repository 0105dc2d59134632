//! The algorithms behind `crypto.subtle`, without V8: plain values in, plain values out.
//!
//! Short work runs on the isolate's thread, long work on the scheduler's threads; whatever may take
//! long asks its [`Control`] now and then whether it is to go on.

mod aes;
mod control;
mod derive;
mod ec;
mod export;
mod fault;
mod generate;
mod hash;
mod import;
mod import_jwk;
mod jwk;
mod key;
mod mac;
mod okp;
mod random;
mod rsa_keys;
mod rsa_primes;
mod rsa_schemes;
mod task;

pub(crate) use control::Control;
pub(crate) use derive::Derivation;
pub(crate) use export::{export, export_jwk};
pub(crate) use fault::Fault;
pub(crate) use generate::Generation;
pub(crate) use hash::Hash;
pub(crate) use import::{Format, Import, KeyData};
pub(crate) use jwk::Jwk;
pub(crate) use key::{Algorithm, Curve, Key, Kind, Secret};
pub(crate) use random::fill_random;
pub(crate) use task::{Cipher, Output, Scheme, Task};
