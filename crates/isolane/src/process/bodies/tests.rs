//! What streams between processes promise, and what breaks the protocol.

use futures_util::FutureExt;

use super::*;

type Sent = Arc<Mutex<Vec<(Flow, usize)>>>;

fn streams() -> (Arc<Streams>, Sent) {
    let sent = Sent::default();
    let record = sent.clone();
    let send = move |flow, payload: Bytes| record.lock().push((flow, payload.len()));
    (Streams::new(send), sent)
}

fn reader_of(body: Body) -> BodyReader {
    match body {
        Body::Stream(reader) => reader,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sender_without_credit_breaks_the_protocol() {
    let (streams, _) = streams();
    let body = streams.receive(WireBody::Stream(1), Bytes::new());
    let _reader = reader_of(body.expect("a stream"));
    let chunk = || streams.take_in(Flow::Chunk { stream: 1 }, Bytes::from_static(&[0; 1000]));
    for _ in 0..WINDOW {
        chunk().expect("there is room");
    }
    assert!(chunk().is_err());
}

#[test]
fn a_chunk_that_is_too_long_breaks_the_protocol() {
    let (streams, _) = streams();
    let body = streams.receive(WireBody::Stream(1), Bytes::new());
    let _reader = reader_of(body.expect("a stream"));
    let long = Bytes::from(vec![0; LONGEST_CHUNK + 1]);
    assert!(streams.take_in(Flow::Chunk { stream: 1 }, long).is_err());
}

#[test]
fn an_id_that_is_in_use_and_a_payload_for_nothing_break_the_protocol() {
    let (streams, _) = streams();
    let first = streams.receive(WireBody::Stream(1), Bytes::new());
    assert!(streams.receive(WireBody::Stream(1), Bytes::new()).is_err());
    drop(first);
    let payload = Bytes::from_static(b"x");
    assert!(streams.receive(WireBody::Empty, payload.clone()).is_err());
    assert!(streams.receive(WireBody::Stream(2), payload).is_err());
    let not_text = Bytes::from_static(&[0xff]);
    assert!(streams.receive(WireBody::Text, not_text).is_err());
}

#[test]
fn reading_gives_credit_and_going_says_so() {
    let (streams, sent) = streams();
    let body = streams.receive(WireBody::Stream(7), Bytes::new());
    let mut reader = reader_of(body.expect("a stream"));
    let chunk = Bytes::from(vec![0; 2 * UNIT]);
    streams
        .take_in(Flow::Chunk { stream: 7 }, chunk)
        .expect("there is room");
    let read = reader.next().now_or_never().flatten();
    assert!(matches!(read, Some(Ok(chunk)) if chunk.len() == 2 * UNIT));
    drop(reader);
    let sent = sent.lock();
    let [
        (
            Flow::Credit {
                stream: 7,
                units: 2,
            },
            0,
        ),
        (Flow::Cancel { stream: 7 }, 0),
    ] = sent[..]
    else {
        panic!("{sent:?}");
    };
}

#[test]
fn a_reader_that_goes_before_the_first_chunk_gives_up_the_source() {
    let (streams, sent) = streams();
    let (writer, reader) = BodyReader::channel(1);
    let (kind, _, announced) = streams.announce(Body::Stream(reader));
    let WireBody::Stream(stream) = kind else {
        panic!("{kind:?}");
    };
    streams
        .take_in(Flow::Cancel { stream }, Bytes::new())
        .expect("allowed");
    streams.start(announced);
    assert!(writer.closed().now_or_never().is_some());
    assert!(sent.lock().is_empty());
}
