//! Servers that mean harm: what they send is bounded, and what never ends is ended.

use std::time::Duration;

use isolane_scheduler::{
    Body, BodyReader, FetchError, FetchRequest, FetchResponse, HttpClient, HttpClientOptions,
    OutboundPolicy, StreamError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::guest::{Guest, header, text, within};
use crate::raw_server::{RawServer, repeat};
use crate::server::{TlsServer, answer, ok};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n";

async fn fetch(guest: &mut Guest, server: &RawServer) -> Result<FetchResponse, FetchError> {
    guest.fetch(FetchRequest::get(server.url("/"))).await
}

/// A guest whose exchanges may stand still for a moment only.
fn impatient_guest() -> Guest {
    let options = HttpClientOptions {
        policy: OutboundPolicy::Any,
        idle_timeout: Duration::from_millis(300),
        ..HttpClientOptions::default()
    };
    Guest::with_client(HttpClient::with_options(options).unwrap())
}

/// A server that sends `start` and then `piece` without end, and tells how often when it may stop.
async fn endless(
    start: &'static [u8],
    piece: Vec<u8>,
) -> (RawServer, mpsc::UnboundedReceiver<u64>) {
    let (ended, written) = mpsc::unbounded_channel();
    let server = RawServer::start(move |mut connection| {
        let (ended, piece) = (ended.clone(), piece.clone());
        async move {
            connection.write_all(start).await.unwrap();
            let written = repeat(&mut connection, &piece).await;
            let _ = ended.send(written);
        }
    })
    .await;
    (server, written)
}

fn head_with(headers: impl Iterator<Item = String>) -> Vec<u8> {
    let headers: String = headers.map(|header| header + "\r\n").collect();
    [HEAD, headers.as_bytes(), b"content-length: 2\r\n\r\nok"].concat()
}

#[tokio::test]
async fn many_headers_arrive_and_too_many_are_refused() {
    let mut guest = Guest::new();
    let numbered = |count| head_with((0..count).map(|i| format!("x-{i}: v")));
    let server = RawServer::saying(numbered(255)).await;
    let response = fetch(&mut guest, &server).await.unwrap();
    assert_eq!(response.headers.len(), 256, "with content-length");
    assert_eq!(header(&response, "x-254"), Some("v"));

    for count in [256, 5000] {
        let server = RawServer::saying(numbered(count)).await;
        let error = fetch(&mut guest, &server).await.unwrap_err();
        assert!(error.guest_message().starts_with("fetch failed"), "{error}");
    }
}

#[tokio::test]
async fn long_headers_arrive_and_too_long_ones_are_refused() {
    let mut guest = Guest::new();
    let long = |length| head_with([format!("x-long: {}", "v".repeat(length))].into_iter());
    let server = RawServer::saying(long(60 * 1024)).await;
    let response = fetch(&mut guest, &server).await.unwrap();
    assert_eq!(header(&response, "x-long").map(str::len), Some(60 * 1024));

    for length in [64 * 1024, 300 * 1024] {
        let server = RawServer::saying(long(length)).await;
        let error = fetch(&mut guest, &server).await.unwrap_err();
        let refused = matches!(error, FetchError::ResponseHeadersTooLarge);
        assert!(refused, "{length}: {error:?}");
    }
}

#[tokio::test]
async fn a_long_reason_phrase_counts_as_a_header() {
    let mut guest = Guest::new();
    let mut head = b"HTTP/1.1 200 ".to_vec();
    head.extend_from_slice(&[b'v'; 65 * 1024]);
    head.extend_from_slice(b"\r\ncontent-length: 0\r\n\r\n");
    let server = RawServer::saying(head).await;
    let error = fetch(&mut guest, &server).await.unwrap_err();
    assert!(
        matches!(error, FetchError::ResponseHeadersTooLarge),
        "{error:?}"
    );
}

#[tokio::test]
async fn headers_without_end_are_given_up() {
    let mut guest = Guest::new();
    for piece in ["x-more: and more\r\n".repeat(100), "v".repeat(4096)] {
        let (server, mut written) = endless(b"HTTP/1.1 200 OK\r\nx-first: ", piece.into()).await;
        let error = fetch(&mut guest, &server).await.unwrap_err();
        assert!(matches!(error, FetchError::Protocol(_)), "{error:?}");
        let pieces = within("the connection's end", written.recv())
            .await
            .unwrap();
        // The sockets' buffers take a few MiB; the client itself much less.
        assert!(pieces * 1800 < 32 << 20, "{pieces} pieces were taken");
    }
}

#[tokio::test]
async fn too_many_headers_over_http_2_are_refused() {
    let server = TlsServer::start(&["h2"], |request| async move {
        match request.uri().path() {
            "/few" => answer(200, &[("x-fine", "v")], "fine"),
            "/many" => answer(200, &[("x-same", "v"); 1000], ""),
            _ => answer(200, &[("x-long", &"v".repeat(70_000))], ""),
        }
    })
    .await;
    let options = HttpClientOptions {
        policy: OutboundPolicy::Any,
        extra_root_certificates_pem: server.root_certificate_pem.clone().into(),
        ..HttpClientOptions::default()
    };
    let mut guest = Guest::with_client(HttpClient::with_options(options).unwrap());
    for path in ["/many", "/long"] {
        let fetched = guest.fetch(FetchRequest::get(server.url(path))).await;
        let error = fetched.unwrap_err();
        assert!(
            matches!(
                error,
                FetchError::ResponseHeadersTooLarge | FetchError::Protocol(_)
            ),
            "{path}: {error:?}"
        );
    }
    let response = guest
        .fetch(FetchRequest::get(server.url("/few")))
        .await
        .unwrap();
    assert_eq!(text(response.body).await, "fine");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let server = RawServer::start(|mut connection| async move {
        // Until the client goes.
        let _ = connection.read_u8().await;
    })
    .await;
    let error = fetch(&mut impatient_guest(), &server).await.unwrap_err();
    assert!(matches!(error, FetchError::TimedOut), "{error:?}");
    assert_eq!(
        error.guest_message(),
        "fetch failed: the server did not answer in time"
    );
}

#[tokio::test]
async fn headers_that_drip_do_not_prolong_the_wait_for_them() {
    let server = RawServer::start(|mut connection| async move {
        connection.write_all(HEAD).await.unwrap();
        while connection.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let error = fetch(&mut impatient_guest(), &server).await.unwrap_err();
    assert!(matches!(error, FetchError::TimedOut), "{error:?}");
}

#[tokio::test]
async fn interim_responses_without_end_are_given_up() {
    let flood = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n".repeat(100);
    let (server, mut written) = endless(b"", flood).await;
    let error = fetch(&mut impatient_guest(), &server).await.unwrap_err();
    assert!(matches!(error, FetchError::TimedOut), "{error:?}");
    within("the connection's end", written.recv())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_few_interim_responses_are_skipped() {
    let mut bytes = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(5);
    bytes.extend_from_slice(&head_with(std::iter::empty()));
    let server = RawServer::saying(bytes).await;
    let mut guest = Guest::new();
    let response = fetch(&mut guest, &server).await.unwrap();
    assert_eq!(text(response.body).await, "ok");
}

/// Takes the stream of a response that has one.
fn stream_of(response: FetchResponse) -> BodyReader {
    match response.body {
        Body::Stream(reader) => reader,
        other => panic!("not a stream: {other:?}"),
    }
}

#[tokio::test]
async fn a_body_that_stops_arriving_is_given_up() {
    let server = RawServer::start(|mut connection| async move {
        let start = [HEAD, b"content-length: 100\r\n\r\nhalf"].concat();
        connection.write_all(&start).await.unwrap();
        let _ = connection.read_u8().await;
    })
    .await;
    let mut guest = impatient_guest();
    let mut body = stream_of(fetch(&mut guest, &server).await.unwrap());
    assert_eq!(
        within("the half", body.next()).await.unwrap().unwrap(),
        "half"
    );
    let error = within("the end", body.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, StreamError::Connection(_)), "{error:?}");
    assert!(within("nothing more", body.next()).await.is_none());
}

#[tokio::test]
async fn a_guest_may_take_its_time_with_a_body() {
    let (server, _written) = endless(
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n",
        vec![7; 1024],
    )
    .await;
    let mut guest = impatient_guest();
    let mut body = stream_of(fetch(&mut guest, &server).await.unwrap());
    for _ in 0..3 {
        within("a chunk", body.next()).await.unwrap().unwrap();
        // Longer than the server may be silent: nobody asks it for anything meanwhile.
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
}

#[tokio::test]
async fn an_upload_goes_on_for_as_long_as_the_server_takes_it() {
    let server = RawServer::start(|mut connection| async move {
        let mut taken = Vec::new();
        while !taken.ends_with(b"0\r\n\r\n") {
            taken.push(connection.read_u8().await.unwrap());
        }
        let answer = head_with(std::iter::empty());
        connection.write_all(&answer).await.unwrap();
    })
    .await;
    let mut guest = impatient_guest();
    let (stream, body) = guest.handle.open_stream(4);
    guest.start_fetch(FetchRequest {
        method: "POST".to_owned(),
        body: body.into(),
        ..FetchRequest::get(server.url("/"))
    });
    // Three times as long in all as the exchange may stand still.
    for _ in 0..10 {
        guest.handle.write(stream, "chunk".into());
        tokio::time::sleep(Duration::from_millis(90)).await;
    }
    guest.handle.close_stream(stream);
    let answer = guest.answer().await;
    let done = isolane_scheduler::CallbackMessage::request(&answer) == guest.request;
    assert!(
        done && format!("{answer:?}").starts_with("FetchDone"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_body_without_end_ends_with_its_request() {
    for start in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    ] {
        let (server, mut written) = endless(start.as_bytes(), b"4\r\nbody\r\n".repeat(100)).await;
        let mut guest = Guest::new();
        let body = stream_of(fetch(&mut guest, &server).await.unwrap());
        let stream = guest.handle.register_stream_for(guest.request, body);
        assert!(guest.read(stream).await.unwrap().is_some());
        guest.cancel_request();
        within("the connection's end", written.recv())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn chunks_with_absurd_extensions_or_sizes_are_refused() {
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".as_slice();
    let extended: &[u8] = &[
        b"1;",
        "x=y;".repeat(20_000).as_bytes(),
        b"\r\na\r\n0\r\n\r\n",
    ]
    .concat();
    let many: &[u8] = &b"1;name=value\r\na\r\n".repeat(2000);
    let trailers: &[u8] = &[b"0\r\n", "x: y\r\n".repeat(20_000).as_bytes(), b"\r\n"].concat();
    for (what, rest) in [
        ("one long extension", extended),
        ("an extension a chunk", many),
        ("a size of seventeen digits", b"11111111111111111\r\na\r\n"),
        ("a negative size", b"-1\r\na\r\n"),
        ("no size", b"\r\na\r\n"),
        ("trailers without measure", trailers),
    ] {
        let server = RawServer::saying([chunked, rest].concat()).await;
        let mut guest = Guest::new();
        let response = fetch(&mut guest, &server).await.unwrap();
        let body = within("the body", response.body.into_bytes(1 << 20)).await;
        let error = body.expect_err(what);
        assert!(
            matches!(error, StreamError::Connection(_)),
            "{what}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_content_length_that_lies_is_an_error_or_cuts_the_body() {
    let mut guest = Guest::new();
    for (headers, body, expected) in [
        ("content-length: 2", "okay", Some("ok")),
        ("content-length: 9", "okay", None),
        (
            "content-length: 4\r\ncontent-length: 4",
            "okay",
            Some("okay"),
        ),
    ] {
        let server =
            RawServer::saying([HEAD, headers.as_bytes(), b"\r\n\r\n", body.as_bytes()].concat());
        let response = fetch(&mut guest, &server.await).await.unwrap();
        let read = within("the body", response.body.into_bytes(1 << 20)).await;
        assert_eq!(
            read.ok().as_deref(),
            expected.map(str::as_bytes),
            "{headers}"
        );
    }
    for headers in [
        "content-length: 2\r\ncontent-length: 4",
        "content-length: -1",
        "content-length: 1e3",
        "content-length: 18446744073709551615",
        "content-length: 18446744073709551616",
    ] {
        let server = RawServer::saying([HEAD, headers.as_bytes(), b"\r\n\r\nokay"].concat());
        let error = fetch(&mut guest, &server.await).await.unwrap_err();
        assert!(
            matches!(error, FetchError::Protocol(_)),
            "{headers}: {error:?}"
        );
    }
}

#[tokio::test]
async fn what_is_not_http_is_an_error() {
    let mut guest = Guest::new();
    for bytes in [
        "",
        "\0\0\0\0",
        "SSH-2.0-OpenSSH_9.0\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/3.7 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nna me: v\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let server = RawServer::saying(bytes).await;
        let error = fetch(&mut guest, &server).await.expect_err(bytes);
        assert!(
            matches!(error, FetchError::Protocol(_)),
            "{bytes}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_second_response_that_nobody_asked_for_is_not_taken_for_the_next() {
    let smuggled = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled";
    let first = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst";
    let server = RawServer::start(move |mut connection: TcpStream| async move {
        let both = [first.as_slice(), smuggled].concat();
        connection.write_all(&both).await.unwrap();
        let _ = connection.read_u8().await;
    })
    .await;
    let mut guest = Guest::new();
    for _ in 0..3 {
        let response = fetch(&mut guest, &server).await.unwrap();
        assert_eq!(text(response.body).await, "first");
    }
}

#[tokio::test]
async fn a_tls_handshake_without_end_is_given_up() {
    let server = RawServer::start(|_| async {}).await;
    // Takes the connection and never says a word.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = HttpClientOptions {
        policy: OutboundPolicy::Any,
        connect_timeout: Duration::from_millis(300),
        ..HttpClientOptions::default()
    };
    let mut guest = Guest::with_client(HttpClient::with_options(options).unwrap());
    for address in [silent.local_addr().unwrap(), server.address] {
        let request = FetchRequest::get(format!("https://{address}/"));
        let error = guest.fetch(request).await.unwrap_err();
        assert!(matches!(error, FetchError::Connect(_)), "{error:?}");
    }
}

#[tokio::test]
async fn other_exchanges_go_on_beside_a_flood() {
    let (flood, _written) = endless(b"HTTP/1.1 200 OK\r\n\r\n", vec![7; 64 * 1024]).await;
    let calm = crate::server::Server::start(|_| async { ok("calm") }).await;
    let mut guest = Guest::on_one_thread();
    let body = stream_of(fetch(&mut guest, &flood).await.unwrap());
    let reading = tokio::spawn(async move {
        let mut body = body;
        while body.next().await.is_some_and(|chunk| chunk.is_ok()) {}
    });
    for _ in 0..20 {
        let response = guest.fetch(FetchRequest::get(calm.url("/"))).await.unwrap();
        assert_eq!(text(response.body).await, "calm");
    }
    reading.abort();
}
