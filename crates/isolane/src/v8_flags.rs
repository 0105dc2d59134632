//! V8's command line flags, the same when the snapshot is made and when it is used.

/// Flags for `V8::set_flags_from_string`, before V8 is initialised.
pub(crate) const V8_FLAGS: &str = "--no-flush-bytecode --enable-sharedarraybuffer-per-context --no-verify-snapshot-checksum";
