//! A request as it crosses from the caller's thread to the isolate's.

use isolane_scheduler::Body;
use smallvec::SmallVec;

use crate::request::Request;

/// How many bytes of texts, with their lengths, cross without a block of memory of their own.
const INLINE_BYTES: usize = 112;

/// A request on its way.
///
/// Its texts are in one piece. Each string of a [`Request`] is a block of memory for itself, and so at least
/// one line of the cache that is waited for, one after the other.
pub(crate) struct SentRequest {
    /// The method, the URL, and names and values of headers in turn: each after its length.
    texts: SmallVec<[u8; INLINE_BYTES]>,
    pub(crate) body: Body,
}

impl SentRequest {
    /// The method, the URL, and names and values of headers in turn, as UTF-8.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.texts.as_slice();
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk()?;
            let (text, after) = after.split_at_checked(usize::from_ne_bytes(*length))?;
            rest = after;
            Some(text)
        })
    }

    /// At least as many bytes as its texts have.
    pub(crate) fn text_bytes(&self) -> usize {
        self.texts.len()
    }
}

impl From<Request> for SentRequest {
    fn from(request: Request) -> Self {
        let headers = || {
            request
                .headers
                .iter()
                .flat_map(|(name, value)| [name, value])
        };
        let all = || [&request.method, &request.url].into_iter().chain(headers());
        let length = |text: &String| size_of::<usize>() + text.len();
        let mut texts = SmallVec::with_capacity(all().map(length).sum());
        for text in all() {
            texts.extend_from_slice(&text.len().to_ne_bytes());
            texts.extend_from_slice(text.as_bytes());
        }
        Self {
            texts,
            body: request.body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts_of(headers: &[(&str, &str)]) -> Vec<String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let request = Request {
            headers: headers.iter().map(owned).collect(),
            ..Request::get("http://x/é")
        };
        let sent = SentRequest::from(request);
        sent.texts()
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect()
    }

    #[test]
    fn texts_arrive_as_they_were_sent() {
        assert_eq!(texts_of(&[]), ["GET", "http://x/é"]);
        let headers = [("a", ""), ("", "b"), ("long", &"x".repeat(1000))];
        let mut expected = vec!["GET", "http://x/é"];
        expected.extend(headers.iter().flat_map(|(name, value)| [*name, *value]));
        assert_eq!(texts_of(&headers), expected);
    }
}
