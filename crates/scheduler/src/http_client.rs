//! The HTTP client that carries out fetches: HTTP/1.1 and HTTP/2, decoded and streamed.
//!
//! It keeps no cookies, uses no proxy from the environment and follows redirects itself. It runs
//! on the scheduler's threads.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::LOCATION;
use hyper::ext::ReasonPhrase;
use rustls::RootCertStore;

use crate::address_policy::Destinations;
use crate::http_headers::{MAX_HEADER_BYTES, MAX_HEADERS};
use crate::idle::Progress;
use crate::origins::{IDLE_TIMEOUT, MAX_IDLE_PER_ORIGIN, Origins};
use crate::redirects::{Hop, is_redirect};
use crate::resolver::{NameResolver, PolicyResolver, Refused, SystemResolver, Unresolved};
use crate::response::Arrived;
use crate::{
    FetchClient, FetchError, FetchRequest, FetchResponse, OutboundPolicy, RedirectMode,
    StreamError, http_headers, tls, web_socket,
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
    /// How long an exchange may stand still before it fails; 5 minutes by default.
    ///
    /// It stands still while the server takes nothing of the request's body, sends no response, or
    /// no more of the response's body although the guest reads it.
    pub idle_timeout: Duration,
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
            idle_timeout: Duration::from_secs(300),
            resolver: Arc::new(SystemResolver::default()),
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
    idle_timeout: Duration,
    resolver: Arc<dyn NameResolver>,
    extra_roots: RootCertStore,
    origins: Arc<Origins>,
    clients: OnceLock<Result<Clients, FetchError>>,
}

/// The HTTP library's client, in three ways.
struct Clients {
    /// Keeps connections for later fetches from the same origin.
    keeping: reqwest::Client,
    /// Closes them after use.
    closing: reqwest::Client,
    /// Speaks HTTP/1.1 only, which is what WebSockets are opened with.
    upgrading: reqwest::Client,
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
            idle_timeout: options.idle_timeout,
            resolver: options.resolver,
            extra_roots: tls::parse_roots(&options.extra_root_certificates_pem)?,
            origins: Arc::default(),
            clients: OnceLock::new(),
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
        if let Some(opening) = web_socket::Opening::of(&request)? {
            return self.open_web_socket(request, opening).await;
        }
        let mode = request.redirect;
        let mut hop = Hop::first(request, &self.destinations)?;
        loop {
            let arrived = self.send(&mut hop).await?;
            let status = arrived.response.status();
            let location = match arrived.response.headers().get(LOCATION) {
                Some(location) if is_redirect(status) => location.clone(),
                _ => return arrived.into_response(hop, self.idle_timeout),
            };
            match mode {
                RedirectMode::Manual => return arrived.into_response(hop, self.idle_timeout),
                RedirectMode::Error => return Err(FetchError::UnexpectedRedirect),
                RedirectMode::Follow => hop.redirect(status, &location, &self.destinations)?,
            }
        }
    }

    /// Opens a WebSocket by an HTTP/1.1 request that asks for it; nothing is followed or kept.
    async fn open_web_socket(
        &self,
        request: FetchRequest,
        opening: web_socket::Opening,
    ) -> Result<FetchResponse, FetchError> {
        self.destinations.check(opening.url())?;
        let clients = self.clients.get_or_init(|| self.build());
        let clients = clients.as_ref().map_err(Clone::clone)?;
        let sent = opening.request(&clients.upgrading).send();
        let sent = tokio::time::timeout(self.idle_timeout, sent).await;
        let response = sent
            .map_err(|_| FetchError::TimedOut)?
            .map_err(fetch_error)?;
        opening.accept(response, request.body).await
    }

    async fn send(&self, hop: &mut Hop) -> Result<Arrived, FetchError> {
        let clients = self.clients.get_or_init(|| self.build());
        let clients = clients.as_ref().map_err(Clone::clone)?;
        let place = self.origins.claim(&hop.url, Instant::now());
        let client = match place {
            Some(_) => &clients.keeping,
            None => &clients.closing,
        };
        let progress = Progress::new();
        let mut request = client
            .request(hop.method.clone(), hop.url.clone())
            .headers(hop.headers.clone());
        if let Some(body) = hop.body.take(&progress) {
            request = request.body(body);
        }
        let sent = progress.limit(self.idle_timeout, request.send()).await;
        let response = sent.ok_or(FetchError::TimedOut)?.map_err(fetch_error)?;
        let reason = response.extensions().get::<ReasonPhrase>();
        let reason = reason.map_or(&b""[..], |phrase| phrase.as_bytes());
        http_headers::check_response(response.headers(), reason)?;
        Ok(Arrived { response, place })
    }

    fn build(&self) -> Result<Clients, FetchError> {
        let tls = tls::client_config(&self.extra_roots)?;
        let resolver = Arc::new(PolicyResolver {
            policy: self.destinations.policy,
            resolver: Arc::clone(&self.resolver),
        });
        let builder = |max_idle, tls: &rustls::ClientConfig| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .dns_resolver(resolver.clone())
                .connect_timeout(self.connect_timeout)
                .pool_max_idle_per_host(max_idle)
                .pool_idle_timeout(IDLE_TIMEOUT)
                .http1_max_headers(MAX_HEADERS)
                .http2_max_header_list_size(MAX_HEADER_BYTES as u32)
                .user_agent(concat!("isolane/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .no_proxy()
        };
        let build = |builder: reqwest::ClientBuilder| {
            let client = builder.build();
            client.map_err(|error| FetchError::Setup(describe(&error).into()))
        };
        let mut tls1 = tls.clone();
        tls1.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Clients {
            keeping: build(builder(MAX_IDLE_PER_ORIGIN, &tls))?,
            closing: build(builder(0, &tls))?,
            upgrading: build(builder(0, &tls1).http1_only())?,
        })
    }
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
pub(crate) fn describe(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
