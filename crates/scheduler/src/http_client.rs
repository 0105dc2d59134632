//! The HTTP client that carries out fetches: HTTP/1.1 and HTTP/2, decoded and streamed.
//!
//! It keeps no cookies, uses no proxy from the environment and follows redirects itself. It runs
//! on the scheduler's threads.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryStreamExt};
use http::Method;
use http::header::LOCATION;
use hyper::ext::ReasonPhrase;
use rustls::RootCertStore;

use crate::address_policy::Destinations;
use crate::redirects::{Hop, is_redirect};
use crate::resolver::{NameResolver, PolicyResolver, Refused, SystemResolver, Unresolved};
use crate::{
    Body, BodyReader, FetchClient, FetchError, FetchRequest, FetchResponse, OutboundPolicy,
    RedirectMode, StreamError, http_headers, tls,
};

/// How an [`HttpClient`] is set up.
pub struct HttpClientOptions {
    /// Which destinations guests may reach; the public internet by default.
    pub policy: OutboundPolicy,
    /// Addresses that may be reached in spite of the policy, such as a service of the host's own.
    ///
    /// They count only where a URL spells the address; names always follow the policy, whatever
    /// they resolve to.
    pub exceptions: Vec<SocketAddr>,
    /// Root certificates in PEM that are trusted beside the built-in web roots.
    pub extra_root_certificates_pem: Vec<u8>,
    /// How long a connection may take to be made, TLS included; 30 seconds by default.
    pub connect_timeout: Duration,
    /// Who resolves names; the system by default.
    pub resolver: Arc<dyn NameResolver>,
}

impl Default for HttpClientOptions {
    fn default() -> Self {
        Self {
            policy: OutboundPolicy::Public,
            exceptions: Vec::new(),
            extra_root_certificates_pem: Vec::new(),
            connect_timeout: Duration::from_secs(30),
            resolver: Arc::new(SystemResolver),
        }
    }
}

/// Fetches over HTTP/1.1 and HTTP/2 under an outbound policy.
///
/// Clones share their connections. Nothing is set up before the first fetch, because workers that
/// never fetch should not pay for TLS.
#[derive(Clone)]
pub struct HttpClient {
    shared: Arc<Shared>,
}

struct Shared {
    destinations: Destinations,
    connect_timeout: Duration,
    resolver: Arc<dyn NameResolver>,
    extra_roots: RootCertStore,
    client: OnceLock<Result<reqwest::Client, FetchError>>,
}

impl HttpClient {
    /// Makes a client with the given policy and defaults for the rest.
    ///
    /// # Errors
    /// None today; see [`Self::with_options`].
    pub fn new(policy: OutboundPolicy) -> Result<HttpClient, FetchError> {
        Self::with_options(HttpClientOptions {
            policy,
            ..HttpClientOptions::default()
        })
    }

    /// Makes a client with the given options.
    ///
    /// # Errors
    /// [`FetchError::Setup`] if an extra root certificate is not valid.
    pub fn with_options(options: HttpClientOptions) -> Result<HttpClient, FetchError> {
        let shared = Shared {
            destinations: Destinations {
                policy: options.policy,
                exceptions: options.exceptions,
            },
            connect_timeout: options.connect_timeout,
            resolver: options.resolver,
            extra_roots: tls::parse_roots(&options.extra_root_certificates_pem)?,
            client: OnceLock::new(),
        };
        Ok(HttpClient {
            shared: Arc::new(shared),
        })
    }
}

impl FetchClient for HttpClient {
    fn fetch(
        &self,
        request: FetchRequest,
    ) -> BoxFuture<'static, Result<FetchResponse, FetchError>> {
        let shared = Arc::clone(&self.shared);
        async move { shared.fetch(request).await }.boxed()
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("policy", &self.shared.destinations.policy)
            .finish_non_exhaustive()
    }
}

impl Shared {
    async fn fetch(&self, request: FetchRequest) -> Result<FetchResponse, FetchError> {
        let mode = request.redirect;
        let mut hop = Hop::first(request, &self.destinations)?;
        loop {
            let response = self.send(&mut hop).await?;
            let status = response.status();
            let location = match response.headers().get(LOCATION) {
                Some(location) if is_redirect(status) => location.clone(),
                _ => return Ok(respond(response, hop)),
            };
            match mode {
                RedirectMode::Manual => return Ok(respond(response, hop)),
                RedirectMode::Error => return Err(FetchError::UnexpectedRedirect),
                RedirectMode::Follow => hop.redirect(status, &location, &self.destinations)?,
            }
        }
    }

    async fn send(&self, hop: &mut Hop) -> Result<reqwest::Response, FetchError> {
        let client = self
            .client
            .get_or_init(|| self.build())
            .as_ref()
            .map_err(Clone::clone)?;
        let mut request = client
            .request(hop.method.clone(), hop.url.clone())
            .headers(hop.headers.clone());
        if let Some(body) = hop.body.take() {
            request = request.body(body);
        }
        request.send().await.map_err(fetch_error)
    }

    fn build(&self) -> Result<reqwest::Client, FetchError> {
        let resolver = PolicyResolver {
            policy: self.destinations.policy,
            resolver: Arc::clone(&self.resolver),
        };
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&self.extra_roots)?)
            .dns_resolver(Arc::new(resolver))
            .connect_timeout(self.connect_timeout)
            .user_agent(concat!("isolane/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .build()
            .map_err(|error| FetchError::Setup(describe(&error).into()))
    }
}

fn respond(response: reqwest::Response, hop: Hop) -> FetchResponse {
    let status = response.status();
    let mut url = hop.url;
    url.set_fragment(None);
    FetchResponse {
        status: status.as_u16(),
        status_text: reason(&response),
        headers: http_headers::of_response(response.headers()),
        url: url.into(),
        redirected: hop.redirects > 0,
        body: response_body(response, &hop.method),
    }
}

fn response_body(response: reqwest::Response, method: &Method) -> Body {
    let null_body_status = matches!(response.status().as_u16(), 101 | 103 | 204 | 205 | 304);
    if null_body_status || *method == Method::HEAD {
        return Body::Empty;
    }
    if response.content_length() == Some(0) {
        return Body::Bytes(Bytes::new());
    }
    let chunks = response.bytes_stream();
    let chunks = chunks.map_err(|error| StreamError::Connection(describe(&error).into()));
    Body::Stream(BodyReader::from_stream(chunks))
}

/// The reason phrase the server sent, or the usual one; HTTP/2 has none.
fn reason(response: &reqwest::Response) -> String {
    if let Some(phrase) = response.extensions().get::<ReasonPhrase>() {
        return phrase
            .as_bytes()
            .iter()
            .map(|&byte| char::from(byte))
            .collect();
    }
    if response.version() >= http::Version::HTTP_2 {
        return String::new();
    }
    response
        .status()
        .canonical_reason()
        .unwrap_or_default()
        .to_owned()
}

fn fetch_error(error: reqwest::Error) -> FetchError {
    if find::<Refused>(&error).is_some() {
        return FetchError::Blocked;
    }
    if let Some(unresolved) = find::<Unresolved>(&error) {
        return FetchError::Resolve(unresolved.to_string().into());
    }
    if let Some(stream) = find::<StreamError>(&error) {
        return FetchError::RequestBody(stream.clone());
    }
    let text = describe(&error).into();
    if error.is_connect() {
        FetchError::Connect(text)
    } else {
        FetchError::Protocol(text)
    }
}

fn find<'error, E: Error + 'static>(error: &'error (dyn Error + 'static)) -> Option<&'error E> {
    std::iter::successors(Some(error), |&error| error.source())
        .find_map(|error| error.downcast_ref())
}

/// Joins an error and its causes into one line for the host.
fn describe(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
