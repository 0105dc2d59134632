//! Encoded bodies: whatever arrives decodes to the same bytes, or fails, however it is cut.
//!
//! The first byte chooses the codings, the second how the rest is cut into chunks.

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue};
use isolane_scheduler::BodyReader;
use isolane_scheduler::fuzz_support::decoded;

const CODINGS: [&str; 8] = [
    "gzip",
    "deflate",
    "br",
    "gzip, gzip",
    "deflate, gzip",
    "gzip, br",
    "br, deflate",
    "gzip, deflate, br, gzip, deflate",
];

/// Enough to see what a body becomes; the bound on its expansion is a test of its own.
const ENOUGH_BYTES: usize = 1 << 20;

/// The decoder's buffer, which no chunk is longer than.
const MAX_CHUNK_BYTES: usize = 32 * 1024;

pub(crate) fn check(data: &[u8]) {
    let [codings, size, body @ ..] = data else {
        return;
    };
    let codings = CODINGS[usize::from(*codings) % CODINGS.len()];
    let whole = decode(codings, body, body.len().max(1));
    let cut = decode(codings, body, usize::from(*size).max(1));
    let same = match (&whole, &cut) {
        // A decoder may meet its error in the very step that would have completed the rest: the
        // inner coding of several then never gets what came before it.
        (Outcome::Error, Outcome::Whole(_)) | (Outcome::Whole(_), Outcome::Error) => {
            codings.contains(',')
        }
        (Outcome::Error, Outcome::Start(_)) | (Outcome::Start(_), Outcome::Error) => true,
        _ => whole == cut,
    };
    assert!(same, "{codings} in chunks of {size}");
}

/// What came of decoding a body.
#[derive(PartialEq, Eq)]
enum Outcome {
    Whole(Vec<u8>),
    /// It is longer than is looked at.
    Start(Vec<u8>),
    /// What came before depends on how the body was cut.
    Error,
}

fn decode(codings: &'static str, body: &[u8], size: usize) -> Outcome {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(codings));
    let chunks: Vec<_> = body
        .chunks(size)
        .map(Bytes::copy_from_slice)
        .map(Ok)
        .collect();
    let source = BodyReader::from_stream(stream::iter(chunks));
    let (_, mut reader) = decoded(&headers, source).expect("these codings are known");
    let mut bytes = Vec::new();
    loop {
        if bytes.len() >= ENOUGH_BYTES {
            bytes.truncate(ENOUGH_BYTES);
            return Outcome::Start(bytes);
        }
        // All is there: where the reader is pending, it only lets others go before it.
        let next = std::iter::repeat_with(|| reader.next().now_or_never());
        match next.flatten().next().expect("it has no end") {
            Some(Ok(chunk)) => {
                assert!(!chunk.is_empty() && chunk.len() <= MAX_CHUNK_BYTES);
                bytes.extend_from_slice(&chunk);
            }
            Some(Err(_)) => return Outcome::Error,
            None => return Outcome::Whole(bytes),
        }
    }
}
