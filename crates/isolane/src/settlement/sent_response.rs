//! A response as it crosses from the isolate's thread to the caller's, which makes of it what the host is given.
//!
//! Memory that one thread allocates and another frees costs both: they share the allocator's lists, and each piece
//! is a line of the cache that changes sides. So a response that is short and usual crosses in one piece.

use isolane_scheduler::Body;

use super::Received;
use crate::request::{Response, Usage};

/// A response on its way.
pub struct SentResponse {
    pub(crate) status: u16,
    pub(crate) status_text: String,
    pub(crate) headers: SentHeaders,
    pub(crate) body: SentBody,
    pub(crate) usage: Usage,
}

/// The headers of a response on its way.
pub(crate) enum SentHeaders {
    Known(&'static [(&'static str, &'static str)]),
    Listed(Vec<(String, String)>),
}

/// The body of a response on its way.
pub(crate) enum SentBody {
    Short(ShortText),
    Other(Body),
}

/// A few ASCII characters.
pub(crate) struct ShortText {
    length: u8,
    bytes: [u8; Self::LONGEST],
}

impl ShortText {
    /// In bytes; a settlement with it and what it needs besides has no more lines of the cache than five.
    pub(crate) const LONGEST: usize = 95;

    /// A copy of the text; `None` where it is too long, or not ASCII.
    pub(crate) fn copy_of(text: &[u8]) -> Option<Self> {
        let length = u8::try_from(text.len()).ok()?;
        let mut bytes = [0; Self::LONGEST];
        let is_short = text.len() <= Self::LONGEST && text.is_ascii();
        is_short.then(|| {
            bytes[..text.len()].copy_from_slice(text);
            Self { length, bytes }
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.length.into()
    }

    fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.bytes[..self.len()]).into_owned()
    }
}

impl Received for Response {
    type Sent = SentResponse;

    fn receive(sent: SentResponse) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            status: sent.status,
            status_text: sent.status_text,
            headers: match sent.headers {
                SentHeaders::Known(headers) => headers.iter().map(owned).collect(),
                SentHeaders::Listed(headers) => headers,
            },
            body: match sent.body {
                SentBody::Short(text) => Body::Text(text.to_text()),
                SentBody::Other(body) => body,
            },
            usage: sent.usage,
        }
    }
}

impl From<Response> for SentResponse {
    fn from(response: Response) -> Self {
        Self {
            status: response.status,
            status_text: response.status_text,
            headers: SentHeaders::Listed(response.headers),
            body: SentBody::Other(response.body),
            usage: response.usage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_arrives_as_it_was_sent() {
        for length in [0, 1, ShortText::LONGEST] {
            let text = "x".repeat(length);
            let sent = ShortText::copy_of(text.as_bytes()).expect("short");
            assert_eq!((sent.len(), sent.to_text()), (length, text));
        }
    }

    #[test]
    fn a_text_that_is_longer_or_no_ascii_is_none() {
        for length in [ShortText::LONGEST + 1, 255, 256, 1 << 16] {
            assert!(ShortText::copy_of(&vec![b'x'; length]).is_none());
        }
        assert!(ShortText::copy_of("é".as_bytes()).is_none());
    }
}
