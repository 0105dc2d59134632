//! Headers between guests and HTTP: which ones a guest may set, and how bytes become strings.
//!
//! Guests hold header values as WebIDL ByteStrings, one character a byte.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::FetchError;

/// Headers that describe one connection (RFC 9110, section 7.6.1), or that we set ourselves.
const FORBIDDEN_IN_REQUESTS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers of a response that describe the connection it came over, not the response.
const HOP_BY_HOP_IN_RESPONSES: &[&str] = &[
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Makes the headers to send of those a guest gave, without the ones guests may not set.
pub(crate) fn for_request(headers: &[(String, String)]) -> Result<HeaderMap, FetchError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| FetchError::InvalidHeader)?;
        if is_forbidden(name.as_str()) {
            continue;
        }
        let bytes: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(c).ok()).collect();
        let value = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
        map.append(name, value.ok_or(FetchError::InvalidHeader)?);
    }
    Ok(map)
}

fn is_forbidden(name: &str) -> bool {
    FORBIDDEN_IN_REQUESTS.contains(&name) || name.starts_with("proxy-")
}

/// Makes the headers that a guest sees of those that arrived.
pub(crate) fn of_response(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| !HOP_BY_HOP_IN_RESPONSES.contains(&name.as_str()))
        .map(|(name, value)| {
            let value = value
                .as_bytes()
                .iter()
                .map(|&byte| char::from(byte))
                .collect();
            (name.as_str().to_owned(), value)
        })
        .collect()
}
