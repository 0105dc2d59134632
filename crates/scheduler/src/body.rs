//! Bodies of requests and responses, whichever way they go.

use bytes::{Bytes, BytesMut};

use crate::{BodyReader, StreamError};

/// A body: nothing, all of it at once, or a stream.
#[derive(Debug, Default)]
pub enum Body {
    /// No body at all, which differs from one without bytes.
    #[default]
    Empty,
    /// All the bytes.
    Bytes(Bytes),
    /// All the text, sent as UTF-8.
    Text(String),
    /// Bytes that are still arriving.
    Stream(BodyReader),
}

impl Body {
    /// Reads the body to its end.
    ///
    /// # Errors
    /// [`StreamError::TooLarge`] as soon as more than `limit_bytes` have arrived, or the stream's
    /// own error.
    pub async fn into_bytes(self, limit_bytes: u64) -> Result<Bytes, StreamError> {
        let too_large = StreamError::TooLarge { limit_bytes };
        let fits = |length: usize| u64::try_from(length).is_ok_and(|length| length <= limit_bytes);
        let whole = match self {
            Self::Empty => Bytes::new(),
            Self::Bytes(bytes) => bytes,
            Self::Text(text) => Bytes::from(text),
            Self::Stream(mut reader) => {
                let mut collected = BytesMut::new();
                while let Some(chunk) = reader.next().await {
                    let chunk = chunk?;
                    if !fits(collected.len().saturating_add(chunk.len())) {
                        return Err(too_large);
                    }
                    collected.extend_from_slice(&chunk);
                }
                collected.freeze()
            }
        };
        if fits(whole.len()) {
            Ok(whole)
        } else {
            Err(too_large)
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<BodyReader> for Body {
    fn from(reader: BodyReader) -> Self {
        Self::Stream(reader)
    }
}
