//! Headers between guests and HTTP: which ones a guest may set, and how bytes become strings.
//!
//! Guests hold header values as WebIDL ByteStrings, one character a byte.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};

use crate::FetchError;

/// How many headers one message may have, in either direction.
pub(crate) const MAX_HEADERS: usize = 256;

/// How many bytes the names and values of one message's headers may have, in either direction.
pub(crate) const MAX_HEADER_BYTES: usize = 64 * 1024;

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
///
/// # Errors
/// [`FetchError::RequestHeadersTooLarge`] above [`MAX_HEADERS`] or [`MAX_HEADER_BYTES`],
/// [`FetchError::InvalidHeader`] for what HTTP cannot carry.
pub(crate) fn for_request(headers: &[(String, String)]) -> Result<HeaderMap, FetchError> {
    // Looked at first: a large value is not copied, and a map panics past 32,768 entries.
    let lengths = headers.iter().map(|(name, value)| name.len() + value.len());
    if headers.len() > MAX_HEADERS || lengths.sum::<usize>() > MAX_HEADER_BYTES {
        return Err(FetchError::RequestHeadersTooLarge);
    }
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

/// Checks the size of the headers and the reason phrase that arrived; what parsed them bounds them only loosely.
///
/// # Errors
/// [`FetchError::ResponseHeadersTooLarge`] above [`MAX_HEADERS`] or [`MAX_HEADER_BYTES`].
pub(crate) fn check_response(headers: &HeaderMap, reason: &[u8]) -> Result<(), FetchError> {
    let lengths = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    let bytes = reason.len() + lengths.sum::<usize>();
    if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        return Err(FetchError::ResponseHeadersTooLarge);
    }
    Ok(())
}

/// Makes the headers that a guest sees of those that arrived.
///
/// A body that is decoded for the guest has neither its coding nor its length on the wire.
pub(crate) fn of_response(headers: &HeaderMap, decoded: bool) -> Vec<(String, String)> {
    let describes_wire = |name| decoded && (name == CONTENT_ENCODING || name == CONTENT_LENGTH);
    headers
        .iter()
        .filter(|(name, _)| !HOP_BY_HOP_IN_RESPONSES.contains(&name.as_str()))
        .filter(|&(name, _)| !describes_wire(name))
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
