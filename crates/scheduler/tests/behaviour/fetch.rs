//! Fetches over HTTP/1.1: what is sent, what comes back, and that bodies push back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt;
use isolane_scheduler::{
    Body, BodyReader, CallbackMessage, DenyAll, FetchError, FetchRequest, StreamError, WriteOutcome,
};
use std::io::Write;
use tokio::sync::{Mutex, oneshot};

use crate::guest::{Guest, header, text, within};
use crate::server::{Server, answer, echo, ok, streamed};

fn post(url: String, body: impl Into<Body>) -> FetchRequest {
    FetchRequest {
        method: "POST".to_owned(),
        body: body.into(),
        ..FetchRequest::get(url)
    }
}

fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_get_gives_the_status_the_headers_and_the_body() {
    let server = Server::start(|_| async {
        answer(
            404,
            &[("x-one", "1"), ("set-cookie", "a=1"), ("set-cookie", "b=2")],
            "nothing",
        )
    })
    .await;
    let mut guest = Guest::new();
    let url = server.url("/path?query");
    let response = guest
        .fetch(FetchRequest::get(format!("{url}#part")))
        .await
        .unwrap();
    assert_eq!(
        (response.status, response.status_text.as_str()),
        (404, "Not Found")
    );
    assert_eq!((response.url, response.redirected), (url, false));
    let cookies = response
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    assert_eq!(
        cookies.map(|(_, value)| value.as_str()).collect::<Vec<_>>(),
        ["a=1", "b=2"]
    );
    assert_eq!(text(response.body).await, "nothing");
}

#[tokio::test]
async fn a_post_sends_its_method_headers_and_body() {
    let server = Server::start(echo).await;
    let mut guest = Guest::new();
    let mut request = post(server.url("/form"), "a=1");
    request.headers = pairs(&[
        ("Content-Type", "text/plain"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
    ]);
    let echoed = text(guest.fetch(request).await.unwrap().body).await;
    assert!(echoed.starts_with("POST /form\n"), "{echoed}");
    for part in [
        "content-type: text/plain",
        "x-twice: 1",
        "x-twice: 2",
        "content-length: 3",
    ] {
        assert!(echoed.contains(part), "{part} is missing in {echoed}");
    }
    assert!(echoed.ends_with("\n\na=1"), "{echoed}");
}

#[tokio::test]
async fn headers_that_govern_the_connection_are_not_the_guests_to_set() {
    let server = Server::start(echo).await;
    let mut guest = Guest::new();
    let mut request = FetchRequest::get(server.url("/"));
    let forbidden = [
        "Host",
        "Connection",
        "Content-Length",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Upgrade",
        "Keep-Alive",
        "Expect",
        "Proxy-Authorization",
        "Proxy-Connection",
    ];
    request.headers = forbidden
        .iter()
        .map(|name| ((*name).to_owned(), "7".to_owned()))
        .collect();
    let echoed = text(guest.fetch(request).await.unwrap().body).await;
    assert!(
        echoed.contains(&format!("host: {}", server.address)),
        "{echoed}"
    );
    assert!(!echoed.contains(": 7\n"), "{echoed}");
}

#[tokio::test]
async fn header_values_are_bytes_both_ways() {
    let server = Server::start(|request| async move {
        let mut response = ok("");
        response
            .headers_mut()
            .insert("x-back", request.headers()["x-bytes"].clone());
        response
    })
    .await;
    let mut guest = Guest::new();
    let mut request = FetchRequest::get(server.url("/"));
    request.headers = pairs(&[("x-bytes", "caf\u{e9}\u{ff}")]);
    let response = guest.fetch(request).await.unwrap();
    assert_eq!(header(&response, "x-back"), Some("caf\u{e9}\u{ff}"));
}

#[tokio::test]
async fn what_http_cannot_carry_is_refused() {
    let mut guest = Guest::new();
    let to = |url: &str| FetchRequest::get(url);
    let with_header = |name: &str, value: &str| FetchRequest {
        headers: pairs(&[(name, value)]),
        ..FetchRequest::get("http://127.0.0.1:9/")
    };
    let with_method = |method: &str| FetchRequest {
        method: method.to_owned(),
        ..FetchRequest::get("http://127.0.0.1:9/")
    };
    use FetchError::{InvalidHeader, InvalidMethod, InvalidUrl, UnsupportedScheme};
    for (request, expected) in [
        (to("no url"), InvalidUrl),
        (to("file:///etc/passwd"), UnsupportedScheme),
        (to("ftp://127.0.0.1/"), UnsupportedScheme),
        (with_header("na me", "v"), InvalidHeader),
        (with_header("name", "a\r\nb: c"), InvalidHeader),
        (with_header("name", "\u{100}"), InvalidHeader),
        (with_method("GE T"), InvalidMethod),
        (with_method("connect"), InvalidMethod),
        (with_method("TRACE"), InvalidMethod),
    ] {
        let error = guest.fetch(request).await.unwrap_err();
        assert_eq!(error.to_string(), expected.to_string());
    }
}

#[tokio::test]
async fn headers_beyond_measure_are_refused_before_anything_is_sent() {
    let mut guest = Guest::new();
    let many = |count: usize| {
        (0..count)
            .map(|i| (format!("x-{i}"), "v".to_owned()))
            .collect()
    };
    let cookies = vec![("set-cookie".to_owned(), "a=1".to_owned()); 100_000];
    let long = vec![("x-long".to_owned(), "v".repeat(100 << 20))];
    for headers in [many(257), many(1_000_000), cookies, long] {
        let request = FetchRequest {
            headers,
            ..FetchRequest::get("http://127.0.0.1:9/")
        };
        let error = guest.fetch(request).await.unwrap_err();
        assert!(
            matches!(error, FetchError::RequestHeadersTooLarge),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn as_many_headers_as_are_allowed_are_sent() {
    let server = Server::start(|request| async move { ok(request.headers().len().to_string()) });
    let server = server.await;
    let mut guest = Guest::new();
    let request = FetchRequest {
        headers: (0..90)
            .map(|i| (format!("x-{i}"), "v".repeat(100)))
            .collect(),
        ..FetchRequest::get(server.url("/"))
    };
    let sent = text(guest.fetch(request).await.unwrap().body).await;
    // With host, accept, accept-encoding and user-agent.
    assert_eq!(sent, "94");
}

#[tokio::test]
async fn a_url_beyond_measure_is_refused() {
    let mut guest = Guest::new();
    let server = Server::start(echo).await;
    let url = server.url(&format!("/{}", "a".repeat(1 << 20)));
    let error = guest.fetch(FetchRequest::get(url)).await.unwrap_err();
    assert!(matches!(error, FetchError::InvalidUrl), "{error:?}");
}

#[tokio::test]
async fn a_body_that_http_forbids_is_none_at_all() {
    let server = Server::start(|request| async move {
        match request.uri().path() {
            "/204" => answer(204, &[], ""),
            "/304" => answer(304, &[], ""),
            _ => ok("hello"),
        }
    })
    .await;
    let mut guest = Guest::new();
    for path in ["/204", "/304"] {
        let response = guest
            .fetch(FetchRequest::get(server.url(path)))
            .await
            .unwrap();
        assert!(matches!(response.body, Body::Empty), "{path}");
    }
    let head = FetchRequest {
        method: "HEAD".to_owned(),
        ..FetchRequest::get(server.url("/"))
    };
    let response = guest.fetch(head).await.unwrap();
    assert!(matches!(response.body, Body::Empty));
    assert_eq!(header(&response, "content-length"), Some("5"));
}

#[tokio::test]
async fn an_encoded_body_arrives_decoded_and_its_headers_say_so() {
    let server = Server::start(|request| async move {
        assert!(
            request.headers()["accept-encoding"]
                .to_str()
                .unwrap()
                .contains("gzip")
        );
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"hello hello hello hello").unwrap();
        answer(
            200,
            &[("content-encoding", "gzip")],
            encoder.finish().unwrap(),
        )
    })
    .await;
    let mut guest = Guest::new();
    let response = guest
        .fetch(FetchRequest::get(server.url("/")))
        .await
        .unwrap();
    assert_eq!(header(&response, "content-encoding"), None);
    assert_eq!(header(&response, "content-length"), None);
    assert_eq!(text(response.body).await, "hello hello hello hello");
}

#[tokio::test]
async fn a_response_streams_while_it_is_made() {
    let (writer, reader) = BodyReader::channel(1);
    let body = Arc::new(Mutex::new(Some(reader)));
    let server = Server::start(move |_| {
        let body = Arc::clone(&body);
        async move { streamed(200, &[], body.lock().await.take().expect("asked once")) }
    })
    .await;
    let mut guest = Guest::new();
    let response = guest
        .fetch(FetchRequest::get(server.url("/")))
        .await
        .unwrap();
    let Body::Stream(body) = response.body else {
        panic!("not a stream")
    };
    let stream = guest.handle.register_stream(body);
    // Each chunk is read before the next is written, so nothing waits for the whole.
    for chunk in ["one", "two", "three"] {
        writer.send(chunk.into()).await.unwrap();
        assert_eq!(guest.read(stream).await.unwrap().unwrap(), chunk);
    }
    drop(writer);
    assert!(guest.read(stream).await.unwrap().is_none());
}

#[tokio::test]
async fn a_request_streams_while_the_guest_writes_it() {
    let (seen, mut chunks) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start(move |request| {
        let seen = seen.clone();
        async move {
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await {
                seen.send(frame.unwrap().into_data().unwrap()).unwrap();
            }
            ok("all of it")
        }
    })
    .await;
    let mut guest = Guest::new();
    let (stream, body) = guest.handle.open_stream(4);
    guest.start_fetch(post(server.url("/"), body));
    for chunk in ["one", "two", "three"] {
        assert_eq!(
            guest.handle.write(stream, chunk.into()),
            WriteOutcome::Accepted
        );
        assert_eq!(within("the chunk", chunks.recv()).await.unwrap(), chunk);
    }
    guest.handle.close_stream(stream);
    match guest.answer().await {
        CallbackMessage::FetchDone { response, .. } => {
            assert_eq!(text(response.body).await, "all of it");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_body_that_fails_fails_the_fetch_and_is_not_taken_for_whole() {
    let (seen, mut events) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start(move |request| {
        let seen = seen.clone();
        async move {
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await {
                seen.send(frame.map(|frame| frame.into_data().unwrap()).ok())
                    .unwrap();
            }
            ok("")
        }
    })
    .await;
    let mut guest = Guest::new();
    let (stream, body) = guest.handle.open_stream(4);
    guest.start_fetch(post(server.url("/"), body));
    guest.handle.write(stream, "half".into());
    let first = within("the half", events.recv()).await.unwrap();
    assert_eq!(first.unwrap(), "half");
    guest
        .handle
        .fail_stream(stream, StreamError::Guest("changed my mind".into()));
    match guest.answer().await {
        CallbackMessage::FetchFailed {
            error: FetchError::RequestBody(_),
            ..
        } => {}
        other => panic!("{other:?}"),
    }
    let second = within("the server to see the failure", events.recv()).await;
    assert_eq!(second, Some(None), "the server took the half for the whole");
}

#[tokio::test]
async fn a_response_that_breaks_off_is_an_error_and_not_an_end() {
    let (writer, reader) = BodyReader::channel(2);
    let body = Arc::new(Mutex::new(Some(reader)));
    let server = Server::start(move |_| {
        let body = Arc::clone(&body);
        async move { streamed(200, &[], body.lock().await.take().expect("asked once")) }
    })
    .await;
    let mut guest = Guest::new();
    let response = guest
        .fetch(FetchRequest::get(server.url("/")))
        .await
        .unwrap();
    let Body::Stream(mut body) = response.body else {
        panic!("not a stream")
    };
    writer.send("half".into()).await.unwrap();
    assert_eq!(
        within("the half", body.next()).await.unwrap().unwrap(),
        "half"
    );
    writer.fail(StreamError::Aborted);
    let error = within("the failure", body.next())
        .await
        .expect("not an end")
        .unwrap_err();
    assert_eq!(error.guest_message(), "The connection was lost");
}

#[tokio::test]
async fn a_slow_reader_bounds_what_the_server_can_send() {
    const CHUNK: u64 = 64 * 1024;
    const TOTAL: u64 = 64 * 1024 * 1024;
    let sent = Arc::new(AtomicU64::new(0));
    let (stalled, stall) = oneshot::channel();
    let stalled = Arc::new(Mutex::new(Some(stalled)));
    let counter = Arc::clone(&sent);
    let server = Server::start(move |_| {
        let (writer, reader) = BodyReader::channel(1);
        let (sent, stalled) = (Arc::clone(&counter), Arc::clone(&stalled));
        tokio::spawn(async move {
            let chunk = Bytes::from(vec![7; CHUNK as usize]);
            while sent.load(Ordering::SeqCst) < TOTAL {
                let mut sending = std::pin::pin!(writer.send(chunk.clone()));
                // Stalled is what has not moved for a while, or else never will by itself.
                let moved = tokio::time::timeout(Duration::from_millis(700), &mut sending).await;
                if moved.is_err() {
                    if let Some(stalled) = stalled.lock().await.take() {
                        stalled.send(()).unwrap();
                    }
                    sending.await.unwrap();
                }
                sent.fetch_add(CHUNK, Ordering::SeqCst);
            }
        });
        async move { streamed(200, &[], reader) }
    })
    .await;
    let mut guest = Guest::new();
    let response = guest
        .fetch(FetchRequest::get(server.url("/")))
        .await
        .unwrap();
    within("the server to stall", stall)
        .await
        .expect("the server never had to wait");
    let before_reading = sent.load(Ordering::SeqCst);
    assert!(
        before_reading < TOTAL / 2,
        "{before_reading} bytes were taken that nobody read"
    );
    let body = within("the rest", response.body.into_bytes(TOTAL))
        .await
        .unwrap();
    assert_eq!(body.len() as u64, TOTAL);
}

#[tokio::test]
async fn a_slow_server_bounds_what_the_guest_should_write() {
    let (release, released) = oneshot::channel::<()>();
    let released = Arc::new(Mutex::new(Some(released)));
    let server = Server::start(move |request| {
        let released = Arc::clone(&released);
        async move {
            released
                .lock()
                .await
                .take()
                .expect("asked once")
                .await
                .unwrap();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            ok(body.len().to_string())
        }
    })
    .await;
    let mut guest = Guest::new();
    let (stream, body) = guest.handle.open_stream(1);
    guest.start_fetch(post(server.url("/"), body));
    let chunk = Bytes::from(vec![7; 1024 * 1024]);
    let mut written = 0;
    let wait = loop {
        guest.handle.write(stream, chunk.clone());
        written += 1;
        assert!(written < 64, "64 MiB were taken that no server read");
        let wait = guest.start_wait(stream);
        if tokio::time::timeout(Duration::from_millis(700), guest.callbacks.recv())
            .await
            .is_err()
        {
            break wait;
        }
    };
    release.send(()).unwrap();
    match guest.answer().await {
        CallbackMessage::StreamWritable { id, open: true, .. } => assert_eq!(id, wait),
        other => panic!("{other:?}"),
    }
    guest.handle.close_stream(stream);
    match guest.answer().await {
        CallbackMessage::FetchDone { response, .. } => {
            assert_eq!(
                text(response.body).await,
                (written * 1024 * 1024).to_string()
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn errors_tell_a_guest_neither_addresses_nor_the_systems_words() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut guest = Guest::new();
    let error = guest
        .fetch(FetchRequest::get(format!("http://{closed}/")))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Connect(_)), "{error:?}");
    assert_eq!(error.guest_message(), "fetch failed: connection failed");
}

#[tokio::test]
async fn a_worker_without_network_has_none() {
    let mut guest = Guest::with_client(DenyAll);
    let error = guest
        .fetch(FetchRequest::get("http://127.0.0.1/"))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Denied));
}
