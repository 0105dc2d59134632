//! What ends when a fetch, a request or a context ends: everything it had, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use isolane_scheduler::{
    Body, BodyReader, BodyWriter, CallbackMessage, FetchError, FetchRequest, HostCallError,
    SchedulerMessage, StreamError, WriteOutcome, next_id,
};
use tokio::sync::{mpsc, oneshot};

use crate::guest::{Guest, scheduler, within};
use crate::server::{Server, streamed};

/// A server whose responses never end by themselves; each request gives the test its writer.
async fn endless() -> (Server, mpsc::UnboundedReceiver<BodyWriter>) {
    let (writers, opened) = mpsc::unbounded_channel();
    let server = Server::start(move |_| {
        let (writer, reader) = BodyReader::channel(1);
        writer.try_send("first".into()).unwrap();
        writers.send(writer).unwrap();
        async move { streamed(200, &[], reader) }
    })
    .await;
    (server, opened)
}

/// A server that never answers; each request gives the test what tells of its end.
async fn silent() -> (Server, mpsc::UnboundedReceiver<oneshot::Receiver<()>>) {
    let (requests, arrived) = mpsc::unbounded_channel();
    let server = Server::start(move |_| {
        let (alive, ended) = oneshot::channel::<()>();
        requests.send(ended).unwrap();
        async move {
            let _alive = alive;
            std::future::pending().await
        }
    })
    .await;
    (server, arrived)
}

/// Sends a host call that never ends, and gives what tells of its drop.
fn start_endless_call(guest: &Guest) -> oneshot::Receiver<()> {
    let (alive, ended) = oneshot::channel::<()>();
    let call = async move {
        let _alive = alive;
        std::future::pending().await
    };
    let (request, id) = (guest.request, next_id());
    guest.handle.send(SchedulerMessage::HostCall {
        request,
        id,
        call: call.boxed(),
        is_light: false,
    });
    ended
}

#[tokio::test]
async fn aborting_a_fetch_that_waits_closes_its_connection() {
    let (server, mut arrived) = silent().await;
    let mut guest = Guest::new();
    let id = guest.start_fetch(FetchRequest::get(server.url("/")));
    let ended = within("the request", arrived.recv()).await.unwrap();
    guest.handle.send(SchedulerMessage::CancelFetch { id });
    assert!(within("the connection's end", ended).await.is_err());

    let timer = guest.start_timer(Duration::from_millis(1));
    let answer = guest.answer().await;
    assert!(
        matches!(answer, CallbackMessage::TimerFired { id, .. } if id == timer),
        "{answer:?}"
    );
}

#[tokio::test]
async fn cancelling_the_stream_of_a_body_closes_its_connection() {
    let (server, mut opened) = endless().await;
    let mut guest = Guest::new();
    let response = guest
        .fetch(FetchRequest::get(server.url("/")))
        .await
        .unwrap();
    let writer = within("the request", opened.recv()).await.unwrap();
    let Body::Stream(body) = response.body else {
        panic!("not a stream")
    };
    let stream = guest.handle.register_stream(body);
    assert_eq!(guest.read(stream).await.unwrap().unwrap(), "first");
    guest.handle.send(SchedulerMessage::CancelStream { stream });
    within("the connection's end", writer.closed()).await;
}

#[tokio::test]
async fn dropping_a_body_unread_closes_its_connection() {
    let (server, mut opened) = endless().await;
    let mut guest = Guest::new();
    let response = guest
        .fetch(FetchRequest::get(server.url("/")))
        .await
        .unwrap();
    let writer = within("the request", opened.recv()).await.unwrap();
    drop(response);
    within("the connection's end", writer.closed()).await;
}

#[tokio::test]
async fn cancelling_a_request_ends_all_it_has_and_nothing_of_another() {
    let (server, mut arrived) = silent().await;
    let mut guest = Guest::new();
    guest.start_fetch(FetchRequest::get(server.url("/")));
    let fetch_ended = within("the request", arrived.recv()).await.unwrap();
    let call_ended = start_endless_call(&guest);
    guest.start_timer(Duration::from_millis(30));
    let (writer, reader) = BodyReader::channel(1);
    let incoming = guest.handle.register_stream(reader);
    guest.start_read(incoming);
    let (outgoing, mut sent) = guest.handle.open_stream_for(guest.request, 1);
    assert_eq!(
        guest.handle.write(outgoing, "half".into()),
        WriteOutcome::Full
    );
    guest.start_wait(outgoing);

    guest.cancel_request();
    assert!(within("the fetch's end", fetch_ended).await.is_err());
    assert!(within("the call's end", call_ended).await.is_err());
    within("the incoming stream's end", writer.closed()).await;
    let failed = within("the outgoing stream's end", sent.next())
        .await
        .unwrap();
    assert!(
        matches!(failed, Err(StreamError::Aborted)),
        "a half was taken for the whole"
    );

    guest.request = next_id();
    let timer = guest.start_timer(Duration::from_millis(60));
    let answer = guest.answer().await;
    assert!(
        matches!(answer, CallbackMessage::TimerFired { id, .. } if id == timer),
        "{answer:?}"
    );
}

#[tokio::test]
async fn nothing_is_answered_after_a_request_was_cancelled() {
    let mut guest = Guest::new();
    for _ in 0..200 {
        let (request, id) = (guest.request, next_id());
        let call = futures_util::future::ready(Ok(Bytes::new())).boxed();
        guest.handle.send(SchedulerMessage::HostCall {
            request,
            id,
            call,
            is_light: false,
        });
        guest.start_timer(Duration::ZERO);
        guest.cancel_request();
        // Answers that came before the cancellation are there already; none may come after.
        while guest.callbacks.try_recv().is_some() {}
        guest.request = next_id();
        let timer = guest.start_timer(Duration::from_millis(1));
        let answer = guest.answer().await;
        assert!(matches!(answer, CallbackMessage::TimerFired { id, .. } if id == timer));
    }
}

#[tokio::test]
async fn dropping_the_last_handle_ends_all_of_the_context() {
    let (server, mut arrived) = silent().await;
    let scheduler = scheduler();
    let guest = Guest::on(&scheduler);
    guest.start_fetch(FetchRequest::get(server.url("/")));
    let fetch_ended = within("the request", arrived.recv()).await.unwrap();
    let call_ended = start_endless_call(&guest);
    guest.start_timer(Duration::from_secs(3600));
    let (writer, reader) = BodyReader::channel(1);
    guest.handle.register_stream(reader);
    let (_, mut sent) = guest.handle.open_stream(1);

    let Guest {
        handle,
        mut callbacks,
        ..
    } = guest;
    let clone = handle.clone();
    drop(handle);
    assert!(callbacks.try_recv().is_none());
    clone.send(SchedulerMessage::Timer {
        request: 1,
        id: next_id(),
        delay: Duration::ZERO,
    });
    let answer = within("the clone's timer", callbacks.recv()).await;
    assert!(
        matches!(answer, Some(CallbackMessage::TimerFired { .. })),
        "a clone keeps it open"
    );

    drop(clone);
    assert!(
        within("the receiver's end", callbacks.recv())
            .await
            .is_none()
    );
    assert!(within("the fetch's end", fetch_ended).await.is_err());
    assert!(within("the call's end", call_ended).await.is_err());
    within("the incoming stream's end", writer.closed()).await;
    let failed = within("the outgoing stream's end", sent.next())
        .await
        .unwrap();
    assert!(matches!(failed, Err(StreamError::Aborted)));
}

#[tokio::test]
async fn a_finished_outgoing_stream_outlives_its_request() {
    let guest = Guest::new();
    let (stream, body) = guest.handle.open_stream_for(guest.request, 4);
    guest.handle.write(stream, "whole".into());
    guest.handle.close_stream(stream);
    guest.cancel_request();
    assert_eq!(Body::Stream(body).into_bytes(10).await.unwrap(), "whole");
}

#[tokio::test]
async fn an_aborted_upload_tells_the_guest_that_writes_it() {
    let (server, mut arrived) = silent().await;
    let mut guest = Guest::new();
    let (stream, body) = guest.handle.open_stream(1);
    let request = FetchRequest {
        method: "POST".to_owned(),
        ..FetchRequest::get(server.url("/"))
    };
    let id = guest.start_fetch(FetchRequest {
        body: Body::Stream(body),
        ..request
    });
    within("the request", arrived.recv()).await.unwrap();
    guest.handle.send(SchedulerMessage::CancelFetch { id });
    while guest.writable(stream).await {
        guest.handle.write(stream, "chunk".into());
    }
    assert_eq!(
        guest.handle.write(stream, "chunk".into()),
        WriteOutcome::Closed
    );
}

#[tokio::test]
async fn a_host_call_gives_its_value_or_its_error() {
    let mut guest = Guest::new();
    let refusal = HostCallError::rejected("no such key");
    for given in [Ok(Bytes::from("value")), Err(refusal)] {
        let (request, id) = (guest.request, next_id());
        let call = futures_util::future::ready(given.clone()).boxed();
        guest.handle.send(SchedulerMessage::HostCall {
            request,
            id,
            call,
            is_light: false,
        });
        let CallbackMessage::HostCallDone {
            id: answered,
            result,
            ..
        } = guest.answer().await
        else {
            panic!("not the call's answer");
        };
        assert_eq!(answered, id);
        match (given, result) {
            (Ok(given), Ok(value)) => assert_eq!(value, given),
            (Err(_), Err(error)) => assert_eq!(error.guest_message(), "no such key"),
            (given, result) => panic!("gave {given:?}, got {result:?}"),
        }
    }
}

#[tokio::test]
async fn a_panic_in_the_hosts_code_is_an_answer_without_its_text() {
    let mut guest = Guest::new();
    let (request, id) = (guest.request, next_id());
    let call = async { panic!("secret") }.boxed();
    guest.handle.send(SchedulerMessage::HostCall {
        request,
        id,
        call,
        is_light: false,
    });
    match guest.answer().await {
        CallbackMessage::HostCallDone {
            result: Err(error), ..
        } => {
            assert_eq!(error.guest_message(), "The host function failed");
        }
        other => panic!("{other:?}"),
    }

    struct Panics;
    impl isolane_scheduler::FetchClient for Panics {
        fn fetch(
            &self,
            _: FetchRequest,
        ) -> futures_util::future::BoxFuture<
            'static,
            Result<isolane_scheduler::FetchResponse, FetchError>,
        > {
            panic!("secret")
        }
    }
    guest.client = Arc::new(Panics);
    let error = guest
        .fetch(FetchRequest::get("http://127.0.0.1/"))
        .await
        .unwrap_err();
    assert_eq!(error.guest_message(), "fetch failed");
}

#[tokio::test]
async fn an_embedders_future_runs_on_the_schedulers_threads() {
    let scheduler = scheduler();
    let name = scheduler.spawn(async { std::thread::current().name().map(str::to_owned) });
    assert_eq!(
        within("the future", name).await.unwrap().as_deref(),
        Some("test-io")
    );
}

#[tokio::test]
async fn a_scheduler_may_be_dropped_inside_a_runtime() {
    let scheduler = scheduler();
    let guest = Guest::on(&scheduler);
    let ended = start_endless_call(&guest);
    drop(scheduler);
    assert!(within("the call's end", ended).await.is_err());
    // Nobody carries this out any more, but it does no harm either.
    guest.start_timer(Duration::ZERO);
}
