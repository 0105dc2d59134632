//! Why an operation failed, in the words of Web Cryptography's exceptions.

use std::borrow::Cow;

/// A `DOMException` that the guest is to get.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) message: Cow<'static, str>,
}

impl Fault {
    /// The algorithm cannot do that.
    pub(crate) fn not_supported(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("NotSupportedError", message)
    }

    /// The usages are not the algorithm's, or there are none.
    pub(crate) fn syntax(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("SyntaxError", message)
    }

    /// Data that should be a key is none.
    pub(crate) fn data(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("DataError", message)
    }

    /// The operation itself failed.
    pub(crate) fn operation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("OperationError", message)
    }

    /// The key is not one for this.
    pub(crate) fn invalid_access(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("InvalidAccessError", message)
    }

    /// The work was told to stop.
    pub(crate) fn stopped() -> Self {
        Self::new("AbortError", "The operation was stopped")
    }

    fn new(name: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name,
            message: message.into(),
        }
    }
}
