//! What a fetch is: its request, its response, and the trait of whoever carries it out.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use crate::{Body, FetchError};

/// What to do with a redirect, as in the fetch standard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedirectMode {
    /// Follow it, at most 20 times.
    #[default]
    Follow,
    /// Fail the fetch.
    Error,
    /// Give the redirect itself as the response.
    Manual,
}

/// A request that a guest makes.
#[derive(Debug, Default)]
pub struct FetchRequest {
    /// The method, in its normalised case.
    pub method: String,
    /// The absolute URL; that of a WebSocket is a `ws:` or `wss:` one, which a client of the host's own
    /// may refuse as any other that it does not know.
    pub url: String,
    /// The headers in order; values hold one byte a character (WebIDL's ByteString).
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// What to do with redirects.
    pub redirect: RedirectMode,
}

impl FetchRequest {
    /// Makes a GET request without headers that follows redirects.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET".to_owned(),
            url: url.into(),
            ..Self::default()
        }
    }
}

/// A response that a guest gets.
#[derive(Debug, Default)]
pub struct FetchResponse {
    /// The status code.
    pub status: u16,
    /// The reason phrase, empty where the protocol has none.
    pub status_text: String,
    /// The headers in order, names in lower case; values hold one byte a character.
    pub headers: Vec<(String, String)>,
    /// The URL that answered, without its fragment.
    pub url: String,
    /// Whether a redirect was followed.
    pub redirected: bool,
    /// The body, decoded; `Empty` where HTTP allows none.
    pub body: Body,
}

/// Carries out the fetches of guests.
///
/// The future runs on the scheduler's threads, unless the client [is light](FetchClient::is_light), and
/// is dropped when the guest aborts, its request ends or its context goes; an implementation must be fine
/// with being dropped at any await.
pub trait FetchClient: Send + Sync {
    /// Starts a fetch and returns its response once the headers have arrived.
    fn fetch(&self, request: FetchRequest)
    -> BoxFuture<'static, Result<FetchResponse, FetchError>>;

    /// Whether [`FetchClient::fetch`] and its futures do next to nothing, as those that await a channel.
    ///
    /// They are polled by whoever wakes them then, for the first time while the isolate is locked, and not
    /// by an executor: they may use no timers or sockets. That spares a fetch two changes of thread.
    fn is_light(&self) -> bool {
        false
    }
}

/// A client for workers without network: every fetch fails with [`FetchError::Denied`].
#[derive(Clone, Copy, Debug, Default)]
pub struct DenyAll;

impl FetchClient for DenyAll {
    fn fetch(&self, _: FetchRequest) -> BoxFuture<'static, Result<FetchResponse, FetchError>> {
        ready(Err(FetchError::Denied)).boxed()
    }

    fn is_light(&self) -> bool {
        true
    }
}
