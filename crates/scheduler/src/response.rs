//! What a guest gets of a response that has arrived: its head, and its body as a decoded stream.
//!
//! Runs on the scheduler's threads; the body is pulled by whoever reads it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http::Method;
use hyper::ext::ReasonPhrase;

use crate::decoders::Coding;
use crate::http_client::describe;
use crate::origins::Place;
use crate::redirects::Hop;
use crate::{
    Body, BodyReader, FetchError, FetchResponse, StreamError, content_coding, http_headers, idle,
};

/// A response whose head is there, and the place that its connection takes.
pub(crate) struct Arrived {
    pub(crate) response: reqwest::Response,
    pub(crate) place: Option<Place>,
}

impl Arrived {
    /// Makes what the guest gets of it.
    ///
    /// # Errors
    /// [`FetchError::TooManyCodings`] if the body is wrapped in more than are undone.
    pub(crate) fn into_response(
        self,
        hop: Hop,
        idle_timeout: Duration,
    ) -> Result<FetchResponse, FetchError> {
        let response = &self.response;
        let codings = if has_body(response, &hop.method) {
            content_coding::of_response(response.headers())?
        } else {
            Vec::new()
        };
        let mut url = hop.url;
        url.set_fragment(None);
        Ok(FetchResponse {
            status: response.status().as_u16(),
            status_text: reason(response),
            headers: http_headers::of_response(response.headers(), !codings.is_empty()),
            url: url.into(),
            redirected: hop.redirects > 0,
            body: self.into_body(&hop.method, &codings, idle_timeout),
        })
    }

    fn into_body(self, method: &Method, codings: &[Coding], idle_timeout: Duration) -> Body {
        let Self { response, place } = self;
        if !has_body(&response, method) {
            return Body::Empty;
        }
        if response.content_length() == Some(0) {
            return Body::Bytes(Bytes::new());
        }
        let failed = |error| StreamError::Connection(describe(&error).into());
        let chunks = response.bytes_stream().map_err(failed).boxed();
        let chunks = idle::limit_chunks(chunks, idle_timeout);
        // The place is given up with the stream, at its end at the latest.
        let chunks = content_coding::decode(chunks, codings).inspect(move |_| {
            let _place = &place;
        });
        Body::Stream(BodyReader::from_stream(chunks))
    }
}

fn has_body(response: &reqwest::Response, method: &Method) -> bool {
    let null_body_status = matches!(response.status().as_u16(), 101 | 103 | 204 | 205 | 304);
    !null_body_status && *method != Method::HEAD
}

/// The reason phrase the server sent, or the usual one; HTTP/2 has none.
fn reason(response: &reqwest::Response) -> String {
    if let Some(phrase) = response.extensions().get::<ReasonPhrase>() {
        return phrase
            .as_bytes()
            .iter()
            .map(|&byte| char::from(byte))
            .collect();
    }
    if response.version() >= http::Version::HTTP_2 {
        return String::new();
    }
    response
        .status()
        .canonical_reason()
        .unwrap_or_default()
        .to_owned()
}
