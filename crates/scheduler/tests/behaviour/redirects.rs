//! Redirects, as the fetch standard has them.

use bytes::Bytes;
use isolane_scheduler::{Body, BodyReader, FetchError, FetchRequest, RedirectMode};

use crate::guest::{Guest, header, text};
use crate::server::{Server, answer, echo};

/// Redirects `/STATUS/TARGET` to `/TARGET`, and echoes everything else.
async fn redirecting() -> Server {
    Server::start(|request| async move {
        let path = request.uri().path().to_owned();
        let mut parts = path[1..].splitn(2, '/');
        match (
            parts.next().and_then(|part| part.parse().ok()),
            parts.next(),
        ) {
            (Some(status), Some(target)) => {
                answer(status, &[("location", &format!("/{target}"))], "moved")
            }
            _ => echo(request).await,
        }
    })
    .await
}

/// Redirects everything to one place.
async fn redirecting_to(status: u16, location: String) -> Server {
    Server::start(move |_| {
        let response = answer(status, &[("location", &location)], "moved");
        async move { response }
    })
    .await
}

fn request(method: &str, url: String, body: impl Into<Body>) -> FetchRequest {
    let headers = [
        ("content-type", "text/plain"),
        ("x-kept", "1"),
        ("authorization", "secret"),
    ];
    FetchRequest {
        method: method.to_owned(),
        url,
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        body: body.into(),
        redirect: RedirectMode::Follow,
    }
}

#[tokio::test]
async fn redirects_are_followed_to_their_end() {
    let server = redirecting().await;
    let mut guest = Guest::new();
    let start = server.url("/301/302/303/307/308/end#part");
    let response = guest.fetch(FetchRequest::get(start)).await.unwrap();
    assert_eq!(response.status, 200);
    assert!(response.redirected);
    assert_eq!(response.url, server.url("/end"));
}

#[tokio::test]
async fn each_status_keeps_or_changes_the_method_and_the_body() {
    let server = redirecting().await;
    let mut guest = Guest::new();
    for (method, status, becomes) in [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("POST", 307, "POST"),
        ("POST", 308, "POST"),
        ("PUT", 301, "PUT"),
        ("PUT", 302, "PUT"),
        ("PUT", 303, "GET"),
        ("PUT", 307, "PUT"),
    ] {
        let url = server.url(&format!("/{status}/end"));
        let echoed = text(
            guest
                .fetch(request(method, url, "data"))
                .await
                .unwrap()
                .body,
        )
        .await;
        let case = format!("{method} after {status} gave {echoed}");
        assert!(echoed.starts_with(&format!("{becomes} /end\n")), "{case}");
        let keeps_body = method == becomes;
        assert_eq!(echoed.ends_with("\n\ndata"), keeps_body, "{case}");
        assert_eq!(echoed.contains("content-type"), keeps_body, "{case}");
        assert!(echoed.contains("x-kept: 1"), "{case}");
        assert!(echoed.contains("authorization: secret"), "{case}");
    }
}

#[tokio::test]
async fn a_head_stays_a_head() {
    let server = redirecting().await;
    let mut guest = Guest::new();
    let response = guest
        .fetch(request("HEAD", server.url("/303/end"), Body::Empty))
        .await
        .unwrap();
    assert!(response.redirected);
    assert!(matches!(response.body, Body::Empty));
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_origin() {
    let target = Server::start(echo).await;
    let server = redirecting_to(307, target.url("/end")).await;
    let mut guest = Guest::new();
    let mut request = request("POST", server.url("/"), "data");
    request
        .headers
        .push(("cookie".to_owned(), "session".to_owned()));
    let echoed = text(guest.fetch(request).await.unwrap().body).await;
    assert!(
        echoed.contains("x-kept: 1") && echoed.ends_with("\n\ndata"),
        "{echoed}"
    );
    assert!(
        !echoed.contains("authorization") && !echoed.contains("cookie"),
        "{echoed}"
    );
}

#[tokio::test]
async fn a_streamed_body_follows_only_where_it_is_not_sent_again() {
    let server = redirecting().await;
    let mut guest = Guest::new();
    for (status, follows) in [(303, true), (307, false), (308, false), (301, false)] {
        let chunks = futures_util::stream::iter([Ok(Bytes::from("data"))]);
        let url = server.url(&format!("/{status}/end"));
        match guest
            .fetch(request("POST", url, BodyReader::from_stream(chunks)))
            .await
        {
            Ok(response) => {
                assert!(follows, "{status} was followed");
                assert!(text(response.body).await.starts_with("GET /end"));
            }
            Err(FetchError::BodyNotReplayable) => assert!(!follows, "{status} was not followed"),
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn twenty_redirects_are_followed_and_no_more() {
    let server = redirecting().await;
    let mut guest = Guest::new();
    let after = |count: usize| server.url(&format!("/{}end", "302/".repeat(count)));
    assert_eq!(
        guest
            .fetch(FetchRequest::get(after(20)))
            .await
            .unwrap()
            .status,
        200
    );
    let error = guest.fetch(FetchRequest::get(after(21))).await.unwrap_err();
    assert!(matches!(error, FetchError::TooManyRedirects), "{error}");
}

#[tokio::test]
async fn a_loop_of_redirects_ends() {
    let server = redirecting_to(302, "/again".to_owned()).await;
    let mut guest = Guest::new();
    let error = guest.fetch(FetchRequest::get(server.url("/"))).await;
    let error = error.unwrap_err();
    assert!(matches!(error, FetchError::TooManyRedirects), "{error}");
    assert_eq!(error.guest_message(), "fetch failed: too many redirects");
}

#[tokio::test]
async fn a_location_that_grows_with_each_hop_ends() {
    let growth = "very-long-segment/".repeat(500);
    let server = redirecting_to(302, growth).await;
    let mut guest = Guest::new();
    let error = guest.fetch(FetchRequest::get(server.url("/"))).await;
    let error = error.unwrap_err();
    assert!(matches!(error, FetchError::InvalidRedirect), "{error}");
}

#[tokio::test]
async fn the_error_mode_fails_and_the_manual_mode_gives_the_redirect_itself() {
    let server = redirecting().await;
    let mut guest = Guest::new();
    let with = |redirect| FetchRequest {
        redirect,
        ..FetchRequest::get(server.url("/302/end"))
    };

    let error = guest.fetch(with(RedirectMode::Error)).await.unwrap_err();
    assert!(matches!(error, FetchError::UnexpectedRedirect), "{error}");

    let response = guest.fetch(with(RedirectMode::Manual)).await.unwrap();
    assert_eq!((response.status, response.redirected), (302, false));
    assert_eq!(header(&response, "location"), Some("/end"));
    assert_eq!(text(response.body).await, "moved");
}

#[tokio::test]
async fn a_redirect_without_a_location_is_the_response() {
    let server = Server::start(|_| async { answer(302, &[], "stay") }).await;
    let mut guest = Guest::new();
    let response = guest
        .fetch(FetchRequest::get(server.url("/")))
        .await
        .unwrap();
    assert_eq!((response.status, response.redirected), (302, false));
    assert_eq!(text(response.body).await, "stay");
}

#[tokio::test]
async fn a_redirect_leads_only_to_http() {
    let mut guest = Guest::new();
    let elsewhere = [
        "file:///etc/passwd",
        "file:relative",
        "FILE:///etc/passwd",
        "gopher://127.0.0.1/",
        "javascript:alert(1)",
        " javascript:alert(1)",
        "blob:http://127.0.0.1/id",
        "ws://127.0.0.1/",
        "about:blank",
        "http:///",
        "http://[::1%25lo]/",
        "http://127.0.0.1:99999/",
        "http://256.256.256.256/",
        "data:,hello",
        "ftp://127.0.0.1/",
        "http://",
        "http://u:p@127.0.0.2/",
    ];
    for location in elsewhere {
        let server = redirecting_to(302, location.to_owned()).await;
        let error = guest
            .fetch(FetchRequest::get(server.url("/")))
            .await
            .unwrap_err();
        assert!(
            matches!(error, FetchError::InvalidRedirect),
            "{location}: {error}"
        );
    }
}
