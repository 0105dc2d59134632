//! TLS, who is trusted, and the version of HTTP that is agreed on.

use isolane_scheduler::{FetchError, FetchRequest, HttpClient, HttpClientOptions, OutboundPolicy};

use crate::guest::{Guest, text};
use crate::server::{Request, Response, TlsServer, ok};

async fn version(request: Request) -> Response {
    ok(format!("{:?}", request.version()))
}

fn guest_that_trusts(root_certificate_pem: &str) -> Guest {
    let options = HttpClientOptions {
        policy: OutboundPolicy::Any,
        extra_root_certificates_pem: root_certificate_pem.into(),
        ..HttpClientOptions::default()
    };
    Guest::with_client(HttpClient::with_options(options).unwrap())
}

#[tokio::test]
async fn http_2_is_spoken_where_the_server_offers_it() {
    let server = TlsServer::start(&["h2", "http/1.1"], version).await;
    let mut guest = guest_that_trusts(&server.root_certificate_pem);
    let response = guest
        .fetch(FetchRequest::get(server.url("/")))
        .await
        .unwrap();
    assert_eq!((response.status, response.status_text.as_str()), (200, ""));
    assert_eq!(text(response.body).await, "HTTP/2.0");
}

#[tokio::test]
async fn http_1_is_spoken_where_the_server_offers_nothing_else() {
    let server = TlsServer::start(&["http/1.1"], version).await;
    let mut guest = guest_that_trusts(&server.root_certificate_pem);
    let response = guest
        .fetch(FetchRequest::get(server.url("/")))
        .await
        .unwrap();
    assert_eq!(response.status_text, "OK");
    assert_eq!(text(response.body).await, "HTTP/1.1");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let server = TlsServer::start(&["h2"], version).await;
    let mut guest = guest_that_trusts("");
    let error = guest
        .fetch(FetchRequest::get(server.url("/")))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = TlsServer::start(&["h2"], version).await;
    let mut guest = guest_that_trusts(&server.root_certificate_pem);
    let url = format!("https://127.0.0.1:{}/", server.port);
    let error = guest.fetch(FetchRequest::get(url)).await.unwrap_err();
    assert!(matches!(error, FetchError::Connect(_)), "{error:?}");
}

#[test]
fn a_root_certificate_that_is_none_is_reported_when_the_client_is_made() {
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let options = HttpClientOptions {
        extra_root_certificates_pem: pem.into(),
        ..HttpClientOptions::default()
    };
    assert!(matches!(
        HttpClient::with_options(options),
        Err(FetchError::Setup(_))
    ));
}
