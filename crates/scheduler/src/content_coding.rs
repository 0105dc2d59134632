//! Content codings of responses: which are undone, in which order, and how far a body may expand.
//!
//! Bodies are decoded on the scheduler's threads while they are pulled, a buffer at a time, so what
//! nobody reads is neither decoded nor held.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, RANGE};

use crate::decoders::{Coding, Decoder, Step};
use crate::{FetchError, StreamError};

/// How many codings one response may be wrapped in.
const MAX_CODINGS: usize = 5;

/// How many bytes a body may decode to whatever its length was on the wire.
const FREE_BYTES: u64 = 32 << 20;

/// How many more bytes each byte on the wire may become beyond [`FREE_BYTES`].
const MAX_RATIO: u64 = 100;

/// How many bytes a decoded body may have in all.
const MAX_DECODED_BYTES: u64 = 1 << 30;

/// How much is decoded at a time, and of how much.
const BUFFER_BYTES: usize = 32 * 1024;

/// How many steps without output a stream takes before other tasks get the thread.
const FRUITLESS_STEPS: usize = 8;

type Chunks = BoxStream<'static, Result<Bytes, StreamError>>;

/// Asks for the codings that are known here, unless the guest asked for some itself.
pub(crate) fn ask_for_known(headers: &mut HeaderMap) {
    // A part of an encoded body could not be decoded.
    let known = if headers.contains_key(RANGE) {
        "identity"
    } else {
        "gzip, deflate, br"
    };
    headers
        .entry(ACCEPT_ENCODING)
        .or_insert(HeaderValue::from_static(known));
}

/// Reads which codings a response has, in the order they were applied.
///
/// None where one is unknown: then the body is the guest's to decode.
///
/// # Errors
/// [`FetchError::TooManyCodings`] above [`MAX_CODINGS`], known or not.
pub(crate) fn of_response(headers: &HeaderMap) -> Result<Vec<Coding>, FetchError> {
    let mut codings = Vec::new();
    let mut all_known = true;
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let names = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    for name in names
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty())
    {
        if codings.len() == MAX_CODINGS {
            return Err(FetchError::TooManyCodings);
        }
        let coding = Coding::named(name);
        all_known &= coding.is_some();
        codings.push(coding);
    }
    if !all_known {
        return Ok(Vec::new());
    }
    Ok(codings.into_iter().flatten().flatten().collect())
}

impl Coding {
    /// The coding of that name; an inner `None` for the one that changes nothing.
    fn named(name: &[u8]) -> Option<Option<Self>> {
        match name.to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => Some(Some(Self::Gzip)),
            b"deflate" => Some(Some(Self::Deflate)),
            b"br" => Some(Some(Self::Brotli)),
            b"identity" => Some(None),
            _ => None,
        }
    }
}

/// Undoes the codings of a body; its chunks are decoded when they are asked for.
pub(crate) fn decode(body: Chunks, codings: &[Coding]) -> Chunks {
    let arrived = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&arrived);
    let counted = body.inspect(move |chunk| {
        let length = chunk.as_ref().map_or(0, Bytes::len);
        counter.fetch_add(length as u64, Ordering::Relaxed);
    });
    codings
        .iter()
        .rev()
        .fold(counted.boxed(), |source, &coding| {
            let layer = Layer {
                source,
                arriving: Bytes::new(),
                decoder: Some(Decoder::new(coding)),
                fed: false,
                arrived: Arc::clone(&arrived),
                produced: 0,
                buffer: vec![0; BUFFER_BYTES].into(),
            };
            layer.boxed()
        })
}

/// One coding of a body and what it wraps.
struct Layer {
    source: Chunks,
    /// What the source has given and the decoder has not.
    arriving: Bytes,
    /// Gone at the end, with all that it holds.
    decoder: Option<Decoder>,
    fed: bool,
    /// Bytes of the body that came over the wire.
    arrived: Arc<AtomicU64>,
    /// Bytes that this layer gave, which the next may turn into none at all.
    produced: u64,
    buffer: Box<[u8]>,
}

impl Stream for Layer {
    type Item = Result<Bytes, StreamError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = ready!(self.poll_chunk(cx));
        if !matches!(polled, Some(Ok(_))) {
            self.decoder = None;
        }
        Poll::Ready(polled)
    }
}

impl Layer {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        let Self {
            source,
            arriving,
            decoder: Some(decoder),
            fed,
            arrived,
            produced,
            buffer,
        } = self
        else {
            return Poll::Ready(None);
        };
        for _ in 0..FRUITLESS_STEPS {
            match decoder.step(buffer).map_err(|error| undecodable(&error))? {
                Step::Output(length) => {
                    *produced += length as u64;
                    check_expansion(*produced, arrived.load(Ordering::Relaxed))?;
                    let chunk = Bytes::copy_from_slice(&buffer[..length]);
                    return Poll::Ready(Some(Ok(chunk)));
                }
                Step::Starved if !arriving.is_empty() => {
                    let length = arriving.len().min(BUFFER_BYTES);
                    decoder.feed(arriving.split_to(length));
                }
                Step::Starved => match ready!(source.poll_next_unpin(cx)) {
                    Some(chunk) => {
                        *fed = true;
                        *arriving = chunk?;
                    }
                    // Servers announce codings for bodies that they then leave empty.
                    None if !*fed => return Poll::Ready(None),
                    None => decoder.finish(),
                },
                Step::End => return Poll::Ready(None),
            }
        }
        // Input that decodes to nothing must not hold the thread.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn check_expansion(produced: u64, arrived: u64) -> Result<(), StreamError> {
    let allowed = FREE_BYTES.saturating_add(arrived.saturating_mul(MAX_RATIO));
    if produced > allowed.min(MAX_DECODED_BYTES) {
        return Err(StreamError::Undecodable("the body expands too far".into()));
    }
    Ok(())
}

fn undecodable(error: &std::io::Error) -> StreamError {
    StreamError::Undecodable(error.to_string().into())
}
