//! Streams in both directions, and that they push back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use isolane_scheduler::{
    Body, BodyReader, CallbackMessage, ForwardEnd, SchedulerMessage, StreamError, TrySendError,
    WriteOutcome,
};

use crate::guest::{Guest, within};

#[tokio::test]
async fn an_incoming_stream_is_read_chunk_by_chunk_to_its_end() {
    let mut guest = Guest::new();
    let (writer, reader) = BodyReader::channel(2);
    let stream = guest.handle.register_stream(reader);
    let writing = tokio::spawn(async move {
        for chunk in ["one", "two", "three"] {
            writer.send(chunk.into()).await.unwrap();
        }
    });
    for chunk in ["one", "two", "three"] {
        assert_eq!(guest.read(stream).await.unwrap().unwrap(), chunk);
    }
    assert!(guest.read(stream).await.unwrap().is_none());
    writing.await.unwrap();
}

/// No other thread has to run in between, nor a task.
#[tokio::test]
async fn a_chunk_that_is_there_is_answered_at_once() {
    let mut guest = Guest::on_one_thread();
    let (writer, reader) = BodyReader::channel(2);
    let stream = guest.handle.register_stream(reader);
    writer.try_send("here".into()).unwrap();
    drop(writer);
    for expected in [Some(Bytes::from("here")), None] {
        let read = guest.start_read(stream);
        match guest.callbacks.try_recv() {
            Some(CallbackMessage::StreamChunk { id, chunk, .. }) => {
                assert_eq!((id, chunk), (read, expected));
            }
            other => panic!("not a chunk: {other:?}"),
        }
    }
}

#[tokio::test]
async fn reads_are_answered_in_the_order_they_were_asked() {
    let mut guest = Guest::new();
    let (writer, reader) = BodyReader::channel(8);
    let stream = guest.handle.register_stream(reader);
    let (first, second) = (guest.start_read(stream), guest.start_read(stream));
    writer.send("a".into()).await.unwrap();
    writer.send("b".into()).await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..2 {
        match guest.answer().await {
            CallbackMessage::StreamChunk { id, chunk, .. } => answers.push((id, chunk.unwrap())),
            other => panic!("not a chunk: {other:?}"),
        }
    }
    answers.sort();
    assert_eq!(
        answers,
        [(first, Bytes::from("a")), (second, Bytes::from("b"))]
    );
}

#[tokio::test]
async fn a_failed_stream_gives_its_error_and_nothing_unread() {
    let mut guest = Guest::new();
    let (writer, reader) = BodyReader::channel(2);
    let stream = guest.handle.register_stream(reader);
    writer.send("unread".into()).await.unwrap();
    writer.fail(StreamError::Host("disk /dev/secret".into()));
    let error = guest.read(stream).await.unwrap_err();
    assert!(matches!(error, StreamError::Host(_)));
    assert_eq!(error.guest_message(), "The stream failed");
    assert!(matches!(
        guest.read(stream).await,
        Err(StreamError::NotOpen)
    ));
}

#[tokio::test]
async fn a_channel_takes_no_more_than_its_capacity() {
    let (writer, mut reader) = BodyReader::channel(2);
    writer.try_send("1".into()).unwrap();
    writer.try_send("2".into()).unwrap();
    let Err(TrySendError::Full(back)) = writer.try_send("3".into()) else {
        panic!("a third chunk was taken");
    };
    assert_eq!(back, "3");
    assert_eq!(reader.next().await.unwrap().unwrap(), "1");
    writer.try_send(back).unwrap();
}

#[tokio::test]
async fn a_waiting_sender_learns_that_the_reader_is_gone() {
    let (writer, reader) = BodyReader::channel(1);
    writer.try_send("1".into()).unwrap();
    let sending = tokio::spawn(async move {
        let sent = writer.send("2".into()).await;
        writer.closed().await;
        sent
    });
    drop(reader);
    assert!(within("the sender", sending).await.unwrap().is_err());
}

#[tokio::test]
async fn a_stream_is_pulled_only_when_it_is_read() {
    let mut guest = Guest::new();
    let pulled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&pulled);
    let source = futures_util::stream::repeat_with(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(Bytes::from("chunk"))
    });
    let stream = guest
        .handle
        .register_stream(BodyReader::from_stream(source));
    for read in 1..=3 {
        guest.read(stream).await.unwrap().unwrap();
        assert_eq!(pulled.load(Ordering::SeqCst), read);
    }
}

#[tokio::test]
async fn writing_says_when_to_wait_and_the_wait_ends_when_there_is_room() {
    let mut guest = Guest::new();
    let (stream, mut reader) = guest.handle.open_stream(2);
    assert_eq!(
        guest.handle.write(stream, "1".into()),
        WriteOutcome::Accepted
    );
    assert_eq!(guest.handle.write(stream, "2".into()), WriteOutcome::Full);
    let wait = guest.start_wait(stream);
    assert_eq!(reader.next().await.unwrap().unwrap(), "1");
    match guest.answer().await {
        CallbackMessage::StreamWritable { id, open, .. } => assert_eq!((id, open), (wait, true)),
        other => panic!("not an answer to the wait: {other:?}"),
    }
    assert_eq!(reader.next().await.unwrap().unwrap(), "2");
    guest.handle.close_stream(stream);
    assert!(reader.next().await.is_none());
}

#[tokio::test]
async fn what_was_written_before_the_close_is_still_read() {
    let guest = Guest::new();
    let (stream, reader) = guest.handle.open_stream(1);
    for chunk in ["a", "b", "c"] {
        guest.handle.write(stream, chunk.into());
    }
    guest.handle.close_stream(stream);
    assert_eq!(guest.handle.write(stream, "d".into()), WriteOutcome::Closed);
    assert_eq!(Body::Stream(reader).into_bytes(100).await.unwrap(), "abc");
}

#[tokio::test]
async fn a_stream_is_full_by_bytes_too() {
    let mut guest = Guest::new();
    let (stream, mut reader) = guest.handle.open_stream(16);
    let small = Bytes::from(vec![7; 512 * 1024]);
    let large = Bytes::from(vec![7; 32 << 20]);
    assert_eq!(
        guest.handle.write(stream, small.clone()),
        WriteOutcome::Accepted
    );
    assert_eq!(guest.handle.write(stream, large), WriteOutcome::Full);

    let wait = guest.start_wait(stream);
    assert_eq!(reader.next().await.unwrap().unwrap().len(), small.len());
    let timer = guest.start_timer(Duration::from_millis(20));
    let first = guest.answer().await;
    assert!(
        matches!(first, CallbackMessage::TimerFired { id, .. } if id == timer),
        "the large chunk still fills it: {first:?}"
    );
    assert_eq!(reader.next().await.unwrap().unwrap().len(), 32 << 20);
    let second = guest.answer().await;
    assert!(
        matches!(second, CallbackMessage::StreamWritable { id, open: true, .. } if id == wait),
        "{second:?}"
    );
}

#[tokio::test]
async fn a_source_that_panics_fails_its_read() {
    let mut guest = Guest::new();
    let source = futures_util::stream::poll_fn(|_| panic!("on purpose"));
    let stream = guest
        .handle
        .register_stream(BodyReader::from_stream(source));
    let error = guest.read(stream).await.unwrap_err();
    assert_eq!(error.guest_message(), "The stream failed");
}

#[tokio::test]
async fn a_writer_whose_reader_is_gone_is_told_so() {
    let mut guest = Guest::new();
    let (stream, reader) = guest.handle.open_stream(1);
    assert_eq!(guest.handle.write(stream, "1".into()), WriteOutcome::Full);
    drop(reader);
    assert!(!guest.writable(stream).await);
    assert_eq!(guest.handle.write(stream, "2".into()), WriteOutcome::Closed);
}

#[tokio::test]
async fn a_guest_can_fail_its_outgoing_stream() {
    let guest = Guest::new();
    let (stream, mut reader) = guest.handle.open_stream(4);
    guest.handle.write(stream, "lost".into());
    guest
        .handle
        .fail_stream(stream, StreamError::Guest("no more".into()));
    assert_eq!(
        reader.next().await.unwrap().unwrap_err().guest_message(),
        "no more"
    );
    assert!(reader.next().await.is_none());
}

#[tokio::test]
async fn cancelling_a_stream_closes_its_source_and_answers_the_read_under_way() {
    let mut guest = Guest::new();
    let (writer, reader) = BodyReader::channel(1);
    let stream = guest.handle.register_stream(reader);
    guest.start_read(stream);
    guest.handle.send(SchedulerMessage::CancelStream { stream });
    let answer = guest.answer().await;
    assert!(
        matches!(
            answer,
            CallbackMessage::StreamFailed {
                error: StreamError::Aborted,
                ..
            }
        ),
        "{answer:?}"
    );
    within("the source to be closed", writer.closed()).await;
}

#[tokio::test]
async fn a_stream_is_forwarded_to_its_end() {
    for mut guest in [Guest::new(), Guest::on_one_thread()] {
        let (writer, source) = BodyReader::channel(1);
        let from = guest.handle.register_stream(source);
        let (to, reader) = guest.handle.open_stream(1);
        guest.start_forward(from, to, None);
        let sending = tokio::spawn(async move {
            for number in 0..100 {
                writer.send(format!("{number} ").into()).await.unwrap();
            }
        });
        let text = crate::guest::text(Body::Stream(reader)).await;
        assert_eq!(text.split_whitespace().count(), 100);
        assert!(text.ends_with(" 98 99 "));
        assert!(matches!(guest.forwarded().await, ForwardEnd::Sent));
        sending.await.unwrap();
        assert_eq!(guest.handle.write(to, "more".into()), WriteOutcome::Closed);
    }
}

#[tokio::test]
async fn what_is_forwarded_is_pulled_by_its_reader() {
    let guest = Guest::on_one_thread();
    let pulled = Arc::new(AtomicUsize::new(0));
    let counting = pulled.clone();
    let source = futures_util::stream::repeat_with(move || {
        counting.fetch_add(1, Ordering::SeqCst);
        Ok(Bytes::from_static(b"x"))
    });
    let from = guest
        .handle
        .register_stream(BodyReader::from_stream(source));
    let (to, mut reader) = guest.handle.open_stream(2);
    guest.start_forward(from, to, None);
    for _ in 0..10 {
        reader.next().await.unwrap().unwrap();
    }
    // What was read, what the stream holds, and one that waits for room.
    assert!(pulled.load(Ordering::SeqCst) <= 10 + 2 + 1);
}

#[tokio::test]
async fn forwarding_ends_with_its_reader_also_while_the_source_is_silent() {
    let mut guest = Guest::new();
    let (writer, source) = BodyReader::channel(1);
    let from = guest.handle.register_stream(source);
    let (to, reader) = guest.handle.open_stream(1);
    guest.start_forward(from, to, None);
    drop(reader);
    assert!(matches!(guest.forwarded().await, ForwardEnd::ReaderGone));
    guest
        .handle
        .send(SchedulerMessage::CancelStream { stream: from });
    within("the source to be closed", writer.closed()).await;
}

#[tokio::test]
async fn no_more_is_forwarded_than_was_to_be() {
    let mut guest = Guest::new();
    let from =
        guest
            .handle
            .register_stream(BodyReader::from_stream(futures_util::stream::repeat_with(
                || Ok(Bytes::from_static(b"1234")),
            )));
    let (to, mut reader) = guest.handle.open_stream(16);
    guest.start_forward(from, to, Some(10));
    assert!(matches!(guest.forwarded().await, ForwardEnd::TooLong));
    for _ in 0..2 {
        assert_eq!(reader.next().await.unwrap().unwrap(), "1234");
    }
    guest.cancel_request();
    assert!(reader.next().await.unwrap().is_err());
}

#[tokio::test]
async fn a_source_that_fails_leaves_the_failure_to_the_guest() {
    let mut guest = Guest::new();
    let (writer, source) = BodyReader::channel(4);
    writer.send("some".into()).await.unwrap();
    let from = guest.handle.register_stream(source);
    let (to, mut reader) = guest.handle.open_stream(4);
    guest.start_forward(from, to, None);
    assert_eq!(reader.next().await.unwrap().unwrap(), "some");
    writer.fail(StreamError::Host("a secret".into()));
    match guest.forwarded().await {
        ForwardEnd::Failed(error) => assert_eq!(error.guest_message(), "The stream failed"),
        other => panic!("not a failure: {other:?}"),
    }
    assert_eq!(
        guest.handle.write(to, "rest".into()),
        WriteOutcome::Accepted
    );
}

#[tokio::test]
async fn forwarding_ends_with_its_request() {
    let guest = Guest::new();
    let (writer, source) = BodyReader::channel(1);
    let from = guest.handle.register_stream(source);
    let (to, mut reader) = guest.handle.open_stream(1);
    guest.start_forward(from, to, None);
    writer.send("first".into()).await.unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap(), "first");
    guest.cancel_request();
    assert!(matches!(
        reader.next().await,
        Some(Err(StreamError::Aborted))
    ));
    within("the source to be closed", writer.closed()).await;
}

#[tokio::test]
async fn streams_that_are_not_there_are_not_forwarded() {
    let mut guest = Guest::new();
    let (to, _reader) = guest.handle.open_stream(1);
    guest.start_forward(to, to, None);
    assert!(matches!(
        guest.forwarded().await,
        ForwardEnd::Failed(StreamError::NotOpen)
    ));
}

#[tokio::test]
async fn a_body_larger_than_allowed_is_refused_as_soon_as_it_is() {
    let (writer, reader) = BodyReader::channel(4);
    writer.try_send("12345".into()).unwrap();
    writer.try_send("678".into()).unwrap();
    // The writer stays open: the refusal must not wait for the end.
    let refused = within("the refusal", Body::Stream(reader).into_bytes(7)).await;
    assert!(matches!(
        refused,
        Err(StreamError::TooLarge { limit_bytes: 7 })
    ));
    assert!(Body::from("12345").into_bytes(4).await.is_err());
    assert_eq!(Body::from("1234").into_bytes(4).await.unwrap(), "1234");
    assert!(Body::Empty.into_bytes(0).await.unwrap().is_empty());
}
