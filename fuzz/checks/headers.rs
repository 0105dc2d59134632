//! Header names, values and content-coding lists, as guests and servers give them.
//!
//! Each line of the input is a header; names and values are split at the first colon and hold any
//! bytes, one character a byte.

use http::{HeaderMap, HeaderName, HeaderValue};
use isolane_scheduler::BodyReader;
use isolane_scheduler::fuzz_support::{decoded, request_headers, response_headers};

const MAX_HEADERS: usize = 256;
const MAX_BYTES: usize = 64 * 1024;
const MAX_CODINGS: usize = 5;

pub(crate) fn check(data: &[u8]) {
    let given = parse(data);
    check_request(&given);
    check_response(&given);
}

fn parse(data: &[u8]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|&byte| char::from(byte))
            .collect::<String>()
    };
    let lines = data.split(|&byte| byte == b'\n');
    lines
        .map(|line| {
            let colon = line.iter().position(|&byte| byte == b':');
            let (name, value) = line.split_at(colon.unwrap_or(line.len()));
            (text(name), text(value.get(1..).unwrap_or_default()))
        })
        .collect()
}

/// What is sent is what was given, or less, and cannot break out of its header.
fn check_request(given: &[(String, String)]) {
    let Ok(sent) = request_headers(given) else {
        return;
    };
    assert!(sent.len() <= given.len() && sent.len() <= MAX_HEADERS);
    let mut total = 0;
    for (name, value) in &sent {
        let name = name.as_str();
        total += name.len() + value.len();
        assert!(
            !value
                .as_bytes()
                .iter()
                .any(|byte| matches!(byte, b'\r' | b'\n' | 0))
        );
        let connection = [
            "host",
            "connection",
            "content-length",
            "transfer-encoding",
            "te",
        ];
        assert!(
            !connection.contains(&name) && !name.starts_with("proxy-"),
            "{name}"
        );
        assert!(given.iter().any(|(from, to)| {
            from.eq_ignore_ascii_case(name) && as_bytes(to) == value.as_bytes()
        }));
    }
    assert!(total <= MAX_BYTES);
}

fn as_bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| c as u8).collect()
}

/// What a guest sees is what was sent, one character a byte, and codings are bounded.
fn check_response(given: &[(String, String)]) {
    let mut arrived = HeaderMap::new();
    for (name, value) in given.iter().take(2 * MAX_HEADERS) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(&as_bytes(value)),
        ) {
            arrived.append(name, value);
        }
    }
    match response_headers(&arrived) {
        Ok(seen) => {
            assert!(seen.len() <= arrived.len() && seen.len() <= MAX_HEADERS);
            for (name, value) in seen {
                let mut values = arrived.get_all(name.as_str()).iter();
                assert!(values.any(|arrived| arrived.as_bytes() == as_bytes(&value)));
            }
        }
        Err(_) => assert!(arrived.len() > MAX_HEADERS || data_length(&arrived) > MAX_BYTES),
    }
    let nothing = BodyReader::from_stream(futures_util::stream::empty());
    if let Ok((codings, _)) = decoded(&arrived, nothing) {
        assert!(codings <= MAX_CODINGS);
    }
}

fn data_length(headers: &HeaderMap) -> usize {
    let lengths = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    lengths.sum()
}
