//! Content codings: what is decoded for a guest, how far, and at whose pace.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use futures_util::stream;
use isolane_scheduler::{Body, BodyReader, FetchError, FetchRequest, FetchResponse, StreamError};

use crate::guest::{Guest, header, text, within};
use crate::server::{Server, answer, ok, streamed};

const MIB: usize = 1 << 20;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn brotli(data: &[u8]) -> Vec<u8> {
    brotli_with(data, |_| {})
}

fn brotli_with(mut data: &[u8], set: impl FnOnce(&mut BrotliEncoderParams)) -> Vec<u8> {
    let mut params = BrotliEncoderParams {
        quality: 5,
        ..BrotliEncoderParams::default()
    };
    set(&mut params);
    let mut encoded = Vec::new();
    brotli::BrotliCompress(&mut data, &mut encoded, &params).unwrap();
    encoded
}

/// Fetches a body that a server sends under the given codings.
async fn fetch(
    guest: &mut Guest,
    codings: &str,
    body: impl Into<Bytes>,
) -> Result<FetchResponse, FetchError> {
    let (codings, body) = (codings.to_owned(), body.into());
    let server = Server::start(move |_| {
        let response = answer(200, &[("content-encoding", &codings)], body.clone());
        async move { response }
    })
    .await;
    guest.fetch(FetchRequest::get(server.url("/"))).await
}

async fn whole(codings: &str, body: impl Into<Bytes>) -> Result<Bytes, StreamError> {
    let mut guest = Guest::new();
    let response = fetch(&mut guest, codings, body).await.unwrap();
    within("the body", response.body.into_bytes(u64::MAX)).await
}

#[tokio::test]
async fn each_coding_and_each_spelling_of_it_is_decoded() {
    let data = b"hello hello hello hello".as_slice();
    for (coding, body) in [
        ("gzip", gzip(data)),
        ("x-gzip", gzip(data)),
        ("GZip", gzip(data)),
        ("deflate", zlib(data)),
        ("deflate", raw_deflate(data)),
        ("br", brotli(data)),
        ("identity", data.to_vec()),
        (" , gzip,", gzip(data)),
    ] {
        assert_eq!(whole(coding, body).await.unwrap(), data, "{coding}");
    }
}

#[tokio::test]
async fn a_large_body_is_decoded_whole_whatever_pieces_it_comes_in() {
    let mut guest = Guest::new();
    let data: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    for (coding, body) in [
        ("gzip", gzip(&data)),
        ("deflate", zlib(&data)),
        ("deflate", raw_deflate(&data)),
        ("br", brotli(&data)),
        ("deflate, gzip", gzip(&zlib(&data))),
        ("gzip, br", brotli(&gzip(&data))),
    ] {
        for size in [1021, 65_536] {
            let body = body.clone();
            let server = Server::start(move |_| {
                let pieces: Vec<_> = body.chunks(size).map(Bytes::copy_from_slice).collect();
                let reader = BodyReader::from_stream(stream::iter(pieces.into_iter().map(Ok)));
                async move { streamed(200, &[("content-encoding", coding)], reader) }
            })
            .await;
            let request = FetchRequest::get(server.url("/"));
            let response = guest.fetch(request).await.unwrap();
            let decoded = within("the body", response.body.into_bytes(u64::MAX)).await;
            assert!(decoded.unwrap() == data, "{coding} in pieces of {size}");
        }
    }
}

#[tokio::test]
async fn the_members_of_a_gzip_file_are_one_body() {
    let body = [gzip(b"one "), gzip(b""), gzip(b"two")].concat();
    assert_eq!(whole("gzip", body).await.unwrap(), "one two");
}

#[tokio::test]
async fn a_gzip_file_may_have_many_members_but_not_of_nothing() {
    let blocks = gzip(&[7; 4096]).repeat(3000);
    assert_eq!(whole("gzip", blocks).await.unwrap().len(), 3000 * 4096);
    assert_eq!(
        whole("gzip", gzip(b"").repeat(1000)).await.unwrap().len(),
        0
    );
    let error = whole("gzip", gzip(b"").repeat(100_000)).await.unwrap_err();
    assert!(matches!(error, StreamError::Undecodable(_)), "{error:?}");
}

#[tokio::test]
async fn an_empty_body_is_empty_under_any_coding() {
    let mut guest = Guest::new();
    for coding in ["gzip", "deflate", "br", "gzip, br"] {
        let server = Server::start(move |_| async move {
            let nothing = BodyReader::from_stream(stream::empty());
            streamed(200, &[("content-encoding", coding)], nothing)
        })
        .await;
        let request = FetchRequest::get(server.url("/"));
        let response = guest.fetch(request).await.unwrap();
        assert_eq!(text(response.body).await, "", "{coding}");
    }
}

#[tokio::test]
async fn an_unknown_coding_is_left_to_the_guest() {
    let mut guest = Guest::new();
    for codings in ["zstd", "gzip, exotic"] {
        let response = fetch(&mut guest, codings, gzip(b"hello")).await.unwrap();
        assert_eq!(header(&response, "content-encoding"), Some(codings));
        let body = response.body.into_bytes(u64::MAX).await.unwrap();
        assert_eq!(body, gzip(b"hello"));
    }
}

#[tokio::test]
async fn a_guest_that_asks_for_a_part_or_names_its_codings_is_not_overruled() {
    let server = Server::start(|request| async move {
        let accepted = request.headers()["accept-encoding"].clone();
        ok(Bytes::copy_from_slice(accepted.as_bytes()))
    })
    .await;
    let mut guest = Guest::new();
    for (given, accepted) in [
        (None, "gzip, deflate, br"),
        (Some(("range", "bytes=0-9")), "identity"),
        (Some(("accept-encoding", "br")), "br"),
    ] {
        let headers = given
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        let request = FetchRequest {
            headers: headers.collect(),
            ..FetchRequest::get(server.url("/"))
        };
        let response = guest.fetch(request).await.unwrap();
        assert_eq!(text(response.body).await, accepted);
    }
}

#[tokio::test]
async fn five_codings_are_undone_and_no_more() {
    let wrapped = |layers| (0..layers).fold(b"core".to_vec(), |data, _| gzip(&data));
    let list = |layers| vec!["gzip"; layers].join(", ");
    assert_eq!(whole(&list(5), wrapped(5)).await.unwrap(), "core");
    for layers in [6, 1000] {
        let mut guest = Guest::new();
        let fetched = fetch(&mut guest, &list(layers), wrapped(6)).await;
        let error = fetched.unwrap_err();
        assert!(matches!(error, FetchError::TooManyCodings), "{error:?}");
    }
}

#[tokio::test]
async fn the_codings_of_many_headers_count_together() {
    let server = Server::start(|_| async { answer(200, &[("content-encoding", "gzip"); 6], "") });
    let request = FetchRequest::get(server.await.url("/"));
    let error = Guest::new().fetch(request).await.unwrap_err();
    assert!(matches!(error, FetchError::TooManyCodings), "{error:?}");
}

#[tokio::test]
async fn what_is_not_in_its_coding_or_breaks_off_is_an_error() {
    let data: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).collect();
    for (coding, body) in [
        ("gzip", gzip(&data)),
        ("deflate", zlib(&data)),
        ("deflate", raw_deflate(&data)),
        ("br", brotli(&data)),
    ] {
        let half = body[..body.len() / 2].to_vec();
        let mut wrong = body.clone();
        wrong[0] ^= 0x55;
        for bad in [half, wrong, b"not encoded at all".to_vec()] {
            let error = whole(coding, bad).await.unwrap_err();
            assert!(
                matches!(error, StreamError::Undecodable(_)),
                "{coding}: {error:?}"
            );
            assert_eq!(error.guest_message(), "The body could not be decoded");
        }
    }
}

#[tokio::test]
async fn a_brotli_window_beyond_the_standards_is_refused() {
    let body = brotli_with(b"hello", |params| {
        params.large_window = true;
        params.lgwin = 30;
    });
    let error = whole("br", body).await.unwrap_err();
    assert!(matches!(error, StreamError::Undecodable(_)), "{error:?}");
}

#[tokio::test]
async fn an_honest_body_may_shrink_to_almost_nothing() {
    let data = vec![b' '; 24 * MIB];
    for (coding, body) in [("gzip", gzip(&data)), ("br", brotli(&data))] {
        assert!(body.len() < data.len() / 500, "{coding} {}", body.len());
        assert_eq!(
            whole(coding, body).await.unwrap().len(),
            data.len(),
            "{coding}"
        );
    }
}

/// Blocks of no bytes, which decode to nothing.
fn hollow_deflate(length: usize) -> Vec<u8> {
    let block = [0, 0, 0, 0xff, 0xff];
    let mut blocks = block.repeat(length / block.len());
    blocks.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    blocks
}

/// How many bytes of the body come through before it fails.
async fn expansion(codings: &str, body: Vec<u8>) -> (usize, StreamError) {
    let mut guest = Guest::new();
    let response = fetch(&mut guest, codings, body).await.unwrap();
    let Body::Stream(mut body) = response.body else {
        panic!("not a stream")
    };
    let mut decoded = 0;
    loop {
        match within("a chunk", body.next()).await.expect("not an end") {
            Ok(chunk) => {
                assert!(chunk.len() <= 64 * 1024, "a chunk of {} bytes", chunk.len());
                decoded += chunk.len();
            }
            Err(error) => return (decoded, error),
        }
    }
}

#[tokio::test]
async fn a_body_that_expands_too_far_is_cut_off() {
    let zeros = vec![0; 128 * MIB];
    for (codings, bomb) in [
        ("gzip", gzip(&zeros)),
        ("br", brotli(&zeros)),
        ("gzip, gzip", gzip(&gzip(&zeros))),
        ("br, gzip, deflate", zlib(&gzip(&brotli(&zeros)))),
    ] {
        assert!(bomb.len() < MIB);
        let (decoded, error) = expansion(codings, bomb).await;
        assert!(
            matches!(error, StreamError::Undecodable(_)),
            "{codings}: {error:?}"
        );
        assert!(
            (32 * MIB..64 * MIB).contains(&decoded),
            "{codings}: {decoded} bytes"
        );
    }
}

#[tokio::test]
async fn a_body_that_expands_inside_and_shrinks_again_is_cut_off_too() {
    let bomb = gzip(&hollow_deflate(64 * MIB));
    let (decoded, error) = expansion("deflate, gzip", bomb).await;
    assert!(matches!(error, StreamError::Undecodable(_)), "{error:?}");
    assert_eq!(decoded, 0);
}

#[tokio::test]
async fn a_body_that_decodes_to_nothing_leaves_the_thread_to_others() {
    // On one thread, as the library runs it: the timer fires while the body is being decoded.
    let hollow = Bytes::from(hollow_deflate(24 * MIB));
    let server = Server::start(move |_| {
        let response = answer(200, &[("content-encoding", "deflate")], hollow.clone());
        async move { response }
    })
    .await;
    let mut guest = Guest::on_one_thread();
    let response = guest
        .fetch(FetchRequest::get(server.url("/")))
        .await
        .unwrap();
    let Body::Stream(body) = response.body else {
        panic!("not a stream")
    };
    let stream = guest.handle.register_stream(body);
    // The timer first: on a busy machine this thread may not run again before the body has ended.
    let timer = guest.start_timer(Duration::from_millis(2));
    let read = guest.start_read(stream);
    let first = guest.answer().await;
    assert!(is_timer(&first, timer), "{first:?}");
    let second = guest.answer().await;
    assert!(is_end(&second, read), "{second:?}");
}

fn is_timer(answer: &isolane_scheduler::CallbackMessage, expected: u64) -> bool {
    use isolane_scheduler::CallbackMessage::TimerFired;
    matches!(answer, TimerFired { id, .. } if *id == expected)
}

fn is_end(answer: &isolane_scheduler::CallbackMessage, expected: u64) -> bool {
    use isolane_scheduler::CallbackMessage::StreamChunk;
    matches!(answer, StreamChunk { id, chunk: None, .. } if *id == expected)
}

#[tokio::test]
async fn nothing_is_decoded_that_nobody_reads() {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let server = Server::start(move |_| {
        let sent = Arc::clone(&counter);
        // Members of noise, so that the wire carries as much as the guest reads.
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .take(MIB)
        .collect();
        let member = Bytes::from(gzip(&noise));
        let members = stream::iter((0..256).map(move |_| {
            sent.fetch_add(1, Ordering::SeqCst);
            Ok(member.clone())
        }));
        async move {
            streamed(
                200,
                &[("content-encoding", "gzip")],
                BodyReader::from_stream(members),
            )
        }
    })
    .await;
    let mut guest = Guest::new();
    let request = FetchRequest::get(server.url("/"));
    let response = guest.fetch(request).await.unwrap();
    let Body::Stream(mut body) = response.body else {
        panic!("not a stream")
    };
    for _ in 0..4 {
        within("a chunk", body.next()).await.unwrap().unwrap();
    }
    // What is on its way: the sockets' buffers, and what the server has ready.
    assert!(
        sent.load(Ordering::SeqCst) < 64,
        "{sent:?} members were taken"
    );
}
