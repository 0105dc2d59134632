//! Real HTTP servers on 127.0.0.1, whose answers each test gives.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use isolane_scheduler::{BodyReader, StreamError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

pub(crate) type Request = hyper::Request<Incoming>;
pub(crate) type Response = hyper::Response<BoxBody<Bytes, StreamError>>;

/// A server that listens until its test ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) async fn start<F, R>(answer: F) -> Server
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: Future<Output = Response> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&answer)));
            }
        });
        Server { address }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// A server for `localhost` over TLS, with a certificate of its own.
pub(crate) struct TlsServer {
    pub(crate) port: u16,
    pub(crate) root_certificate_pem: String,
}

impl TlsServer {
    pub(crate) async fn start<F, R>(protocols: &[&str], answer: F) -> TlsServer
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: Future<Output = Response> + Send + 'static,
    {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let mut config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("the key is the certificate's");
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
                tokio::spawn(async move {
                    if let Ok(connection) = acceptor.accept(connection).await {
                        serve(connection, answer).await;
                    }
                });
            }
        });
        TlsServer {
            port,
            root_certificate_pem: made.cert.pem(),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }
}

async fn serve<F, R>(connection: impl AsyncRead + AsyncWrite + Unpin + 'static, answer: Arc<F>)
where
    F: Fn(Request) -> R + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    // A client that goes away is an error here, and what some tests are about.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(connection), service)
        .await;
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response {
    respond(
        status,
        headers,
        Full::new(body.into())
            .map_err(|never| match never {})
            .boxed(),
    )
}

pub(crate) fn ok(body: impl Into<Bytes>) -> Response {
    answer(200, &[], body)
}

/// A response whose body arrives as the test writes it.
pub(crate) fn streamed(status: u16, headers: &[(&str, &str)], body: BodyReader) -> Response {
    respond(
        status,
        headers,
        BodyExt::boxed(StreamBody::new(body.map(|chunk| chunk.map(Frame::data)))),
    )
}

fn respond(status: u16, headers: &[(&str, &str)], body: BoxBody<Bytes, StreamError>) -> Response {
    let mut response = hyper::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body).expect("the response is valid")
}

/// Describes a request in its answer: method, path, then one line a header, then the body.
pub(crate) async fn echo(request: Request) -> Response {
    let mut text = format!("{} {}\n", request.method(), request.uri().path());
    for (name, value) in request.headers() {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    let body = request
        .into_body()
        .collect()
        .await
        .expect("the request is whole")
        .to_bytes();
    ok(format!("{text}\n{}", String::from_utf8_lossy(&body)))
}
