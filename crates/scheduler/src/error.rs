//! The errors that cross from tokio to a context: of fetches, of streams and of host calls.
//!
//! All are values that any thread may clone. `Display` is for the host and may name addresses;
//! `guest_message` is what guest code may see and never does.

use std::sync::Arc;

use thiserror::Error;

/// Why a fetch gave no response.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL could not be parsed.
    #[error("the URL is not valid")]
    InvalidUrl,
    /// The URL's scheme is neither `http` nor `https`.
    #[error("the URL's scheme is not supported")]
    UnsupportedScheme,
    /// The method is not an HTTP token, or is one that fetch forbids.
    #[error("the method is not valid")]
    InvalidMethod,
    /// The named request header has a name or a value that HTTP does not allow.
    #[error("a request header is not valid")]
    InvalidHeader,
    /// The request has more headers, or longer ones, than may be sent.
    #[error("the request's headers are too many or too long")]
    RequestHeadersTooLarge,
    /// The outbound policy does not allow this destination.
    #[error("the outbound policy refuses this destination")]
    Blocked,
    /// The host gives its guests no network at all.
    #[error("the network is switched off")]
    Denied,
    /// The name could not be resolved.
    #[error("the name could not be resolved: {0}")]
    Resolve(Arc<str>),
    /// No connection could be made, or its TLS handshake failed.
    #[error("the connection failed: {0}")]
    Connect(Arc<str>),
    /// The connection broke, or the server did not speak HTTP.
    #[error("the exchange failed: {0}")]
    Protocol(Arc<str>),
    /// The server took nothing and sent nothing for longer than is allowed.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The response has more headers, or longer ones, than are accepted.
    #[error("the response's headers are too many or too long")]
    ResponseHeadersTooLarge,
    /// The response's body is wrapped in more content codings than are undone.
    #[error("the response has too many content codings")]
    TooManyCodings,
    /// The server answered with a redirect and the redirect mode is `error`.
    #[error("the server answered with a redirect")]
    UnexpectedRedirect,
    /// More redirects were answered than the fetch standard allows.
    #[error("too many redirects")]
    TooManyRedirects,
    /// A redirect named a URL that may not be followed.
    #[error("the server redirected to a URL that may not be followed")]
    InvalidRedirect,
    /// A redirect asked for a streamed request body to be sent again.
    #[error("a streamed request body cannot be sent again after a redirect")]
    BodyNotReplayable,
    /// The stream of the request's body failed.
    #[error("the request's body failed: {0}")]
    RequestBody(StreamError),
    /// The client could not be set up, for instance because a root certificate is not valid.
    #[error("the client could not be set up: {0}")]
    Setup(Arc<str>),
    /// A host's own [`FetchClient`](crate::FetchClient) failed; the text stays with the host.
    #[error("the fetch client failed: {0}")]
    Client(Arc<str>),
}

impl FetchError {
    /// Returns the text that guest code may see; it names no address and holds no host text.
    pub fn guest_message(&self) -> &'static str {
        match self {
            Self::InvalidUrl => "fetch failed: invalid URL",
            Self::UnsupportedScheme => "fetch failed: URL scheme must be http or https",
            Self::InvalidMethod => "fetch failed: invalid method",
            Self::InvalidHeader => "fetch failed: invalid header",
            Self::RequestHeadersTooLarge => "fetch failed: the request headers are too large",
            Self::Blocked => "fetch failed: destination not allowed",
            Self::Denied => "fetch failed: network access is not allowed",
            Self::Resolve(_) => "fetch failed: name not resolved",
            Self::Connect(_) => "fetch failed: connection failed",
            Self::TimedOut => "fetch failed: the server did not answer in time",
            Self::ResponseHeadersTooLarge => "fetch failed: the response headers are too large",
            Self::TooManyCodings => "fetch failed: too many content encodings",
            Self::UnexpectedRedirect => "fetch failed: unexpected redirect",
            Self::TooManyRedirects => "fetch failed: too many redirects",
            Self::InvalidRedirect => "fetch failed: invalid redirect",
            Self::BodyNotReplayable => "fetch failed: a streamed body cannot follow a redirect",
            Self::RequestBody(_) => "fetch failed: the request body failed",
            Self::Protocol(_) | Self::Setup(_) | Self::Client(_) => "fetch failed",
        }
    }
}

/// Why a stream ended before its end.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The other side gave up the stream, or the request that owned it ended.
    #[error("the stream was aborted")]
    Aborted,
    /// The stream is not, or no longer, known to this context.
    #[error("the stream is not open")]
    NotOpen,
    /// More bytes arrived than the reader allowed.
    #[error("the body is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit that was given, in bytes.
        limit_bytes: u64,
    },
    /// The connection that carried the stream failed.
    #[error("the connection failed: {0}")]
    Connection(Arc<str>),
    /// The body is not what its content coding says, or expands further than is allowed.
    #[error("the body could not be decoded: {0}")]
    Undecodable(Arc<str>),
    /// The guest that writes the stream failed it with this message.
    #[error("{0}")]
    Guest(Arc<str>),
    /// The host that writes the stream failed it; the text stays with the host.
    #[error("the host's stream failed: {0}")]
    Host(Arc<str>),
}

impl StreamError {
    /// Returns the text that guest code may see; it names no address and holds no host text.
    pub fn guest_message(&self) -> &str {
        match self {
            Self::Aborted => "The stream was aborted",
            Self::NotOpen => "The stream is not open",
            Self::TooLarge { .. } => "The body is too large",
            Self::Connection(_) => "The connection was lost",
            Self::Undecodable(_) => "The body could not be decoded",
            Self::Guest(message) => message,
            Self::Host(_) => "The stream failed",
        }
    }
}

/// Why a host function gave no value.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum HostCallError {
    /// The host refuses the call and chose this text for the guest.
    #[error("{message}")]
    Rejected {
        /// The `name` of the guest's error, such as `Error` or `TypeError`.
        name: String,
        /// The `message` of the guest's error.
        message: String,
    },
    /// The host function failed; the text stays with the host.
    #[error("the host function failed: {0}")]
    Failed(Arc<str>),
}

impl HostCallError {
    /// Makes an error whose message the guest sees as that of an `Error`.
    pub fn rejected(message: impl Into<String>) -> Self {
        Self::Rejected {
            name: "Error".to_owned(),
            message: message.into(),
        }
    }

    /// Returns the text that guest code may see: the host's own choice, or a fixed one.
    pub fn guest_message(&self) -> &str {
        match self {
            Self::Rejected { message, .. } => message,
            Self::Failed(_) => "The host function failed",
        }
    }
}
