//! Redirects, as the fetch standard's "HTTP-redirect fetch" has them; no I/O.
//!
//! Every hop is checked against the outbound policy before it is sent, the first one included.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE,
    HeaderMap, HeaderValue,
};
use http::{Method, StatusCode};
use url::Url;

use crate::address_policy::Destinations;
use crate::idle::Progress;
use crate::{Body, BodyReader, FetchError, FetchRequest, content_coding, http_headers};

/// How many redirects one fetch may follow.
const MAX_REDIRECTS: u32 = 20;

/// The next request to send, on the way to the response.
pub(crate) struct Hop {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: HopBody,
    pub(crate) redirects: u32,
}

/// A body that may have to be sent again.
pub(crate) enum HopBody {
    Empty,
    Bytes(Bytes),
    Stream(BodyReader),
    /// It was a stream and has been sent.
    Spent,
}

impl HopBody {
    /// Takes what to send now, leaving behind what can be sent again.
    pub(crate) fn take(&mut self, progress: &Arc<Progress>) -> Option<reqwest::Body> {
        match std::mem::replace(self, Self::Spent) {
            Self::Empty => {
                *self = Self::Empty;
                None
            }
            Self::Bytes(bytes) => {
                *self = Self::Bytes(bytes.clone());
                Some(bytes.into())
            }
            Self::Stream(reader) => Some(reqwest::Body::wrap_stream(progress.watch(reader))),
            Self::Spent => None,
        }
    }
}

impl From<Body> for HopBody {
    fn from(body: Body) -> Self {
        match body {
            Body::Empty => Self::Empty,
            Body::Bytes(bytes) => Self::Bytes(bytes),
            Body::Text(text) => Self::Bytes(text.into()),
            Body::Stream(reader) => Self::Stream(reader),
        }
    }
}

impl Hop {
    /// Checks a guest's request and makes the first hop of it.
    pub(crate) fn first(
        request: FetchRequest,
        destinations: &Destinations,
    ) -> Result<Hop, FetchError> {
        let url = Url::parse(&request.url).map_err(|_| FetchError::InvalidUrl)?;
        destinations.check(&url)?;
        let method =
            Method::from_bytes(request.method.as_bytes()).map_err(|_| FetchError::InvalidMethod)?;
        if ["CONNECT", "TRACE", "TRACK"].contains(&method.as_str().to_ascii_uppercase().as_str()) {
            return Err(FetchError::InvalidMethod);
        }
        let mut headers = http_headers::for_request(&request.headers)?;
        content_coding::ask_for_known(&mut headers);
        Ok(Hop {
            method,
            url,
            headers,
            body: request.body.into(),
            redirects: 0,
        })
    }

    /// Turns this hop, which was answered by a redirect, into the next one.
    pub(crate) fn redirect(
        &mut self,
        status: StatusCode,
        location: &HeaderValue,
        destinations: &Destinations,
    ) -> Result<(), FetchError> {
        let target = self.target(location)?;
        destinations.check(&target).map_err(|error| match error {
            FetchError::Blocked => FetchError::Blocked,
            _ => FetchError::InvalidRedirect,
        })?;
        if self.redirects == MAX_REDIRECTS {
            return Err(FetchError::TooManyRedirects);
        }
        self.redirects += 1;
        let same_origin = self.url.origin() == target.origin();
        if !same_origin && (!target.username().is_empty() || target.password().is_some()) {
            return Err(FetchError::InvalidRedirect);
        }
        if status != StatusCode::SEE_OTHER && matches!(self.body, HopBody::Spent) {
            return Err(FetchError::BodyNotReplayable);
        }
        if becomes_get(status, &self.method) {
            self.method = Method::GET;
            self.body = HopBody::Empty;
            for name in [
                CONTENT_ENCODING,
                CONTENT_LANGUAGE,
                CONTENT_LOCATION,
                CONTENT_TYPE,
            ] {
                self.headers.remove(name);
            }
        }
        if !same_origin {
            // The standard names only Authorization; a browser's cookies are never in these
            // headers, but a guest may have put some there.
            self.headers.remove(AUTHORIZATION);
            self.headers.remove(COOKIE);
        }
        self.url = target;
        Ok(())
    }

    fn target(&self, location: &HeaderValue) -> Result<Url, FetchError> {
        let location = std::str::from_utf8(location.as_bytes());
        let location = location.map_err(|_| FetchError::InvalidRedirect)?;
        let mut target = self
            .url
            .join(location)
            .map_err(|_| FetchError::InvalidRedirect)?;
        if target.fragment().is_none() {
            target.set_fragment(self.url.fragment());
        }
        Ok(target)
    }
}

/// Tells whether the status is one that a `location` header makes a redirect.
pub(crate) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status.as_u16() {
        301 | 302 => *method == Method::POST,
        303 => *method != Method::GET && *method != Method::HEAD,
        _ => false,
    }
}
