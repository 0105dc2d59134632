//! Checks what hosts pass in before anything of it reaches an isolate.

use url::Url;

use crate::error::Error;
use crate::request::Request;

/// A request with its URL normalised, or why it cannot be used.
///
/// # Errors
///
/// `ERR_INVALID_ARG` that names the part.
pub(crate) fn request(mut request: Request) -> Result<Request, Error> {
    if !is_plain_url(&request.url) {
        let parsed = Url::parse(&request.url).map_err(|error| {
            Error::invalid_arg(
                "request.url",
                "an absolute URL",
                format!("{:?} ({error})", shortened(&request.url)),
            )
        })?;
        if parsed.as_str() != request.url {
            request.url = parsed.into();
        }
    }
    if !is_token(&request.method) {
        let got = format!("{:?}", shortened(&request.method));
        return Err(Error::invalid_arg("request.method", "an HTTP method", got));
    }
    normalize_method(&mut request.method);
    for (name, value) in &request.headers {
        if !is_token(name) {
            let got = format!("{:?}", shortened(name));
            return Err(Error::invalid_arg(
                "request.headers",
                "valid header names",
                got,
            ));
        }
        if value.contains(['\0', '\r', '\n']) {
            let got = format!("a value of {name:?} with a line break or NUL");
            return Err(Error::invalid_arg(
                "request.headers",
                "valid header values",
                got,
            ));
        }
    }
    Ok(request)
}

/// Whether a URL is so plain that parsing it would give it back as it is: `http` or `https`, a host of
/// labels in lower case, no port, and a path and query of which nothing is escaped, shortened or dropped.
///
/// It spares most requests the parser. What it says no to may be as good.
pub(crate) fn is_plain_url(url: &str) -> bool {
    let bytes = url.as_bytes();
    let Some(rest) = bytes
        .strip_prefix(b"http://")
        .or_else(|| bytes.strip_prefix(b"https://"))
    else {
        return false;
    };
    let host_ends = rest.iter().position(|byte| *byte == b'/');
    let (host, path) = rest.split_at(host_ends.unwrap_or(rest.len()));
    is_plain_host(host) && is_plain_path(path)
}

/// A last label that begins with a letter is no number, so that the host is no IPv4 address. Labels with
/// hyphens may be Punycode, which is looked into.
fn is_plain_host(host: &[u8]) -> bool {
    let is_label = |label: &[u8]| {
        let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        !label.is_empty() && label.len() <= 63 && label.iter().all(is_plain)
    };
    let mut labels = host.split(|byte| *byte == b'.');
    let is_name = host
        .rsplit(|byte| *byte == b'.')
        .next()
        .is_some_and(|last| last.first().is_some_and(u8::is_ascii_lowercase));
    host.len() <= 253 && is_name && labels.all(is_label)
}

/// Begins with `/`, has no escapes, and nowhere a segment that begins with a dot, which may mean one above.
fn is_plain_path(path: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/?-_.~=&+:;,@!$*()".contains(byte);
    path.first() == Some(&b'/')
        && path.iter().all(is_plain)
        && !path.windows(2).any(|pair| pair == b"/.")
}

/// The Fetch standard's normalisation: only these six are matched without regard to case.
fn normalize_method(method: &mut str) {
    const NORMALIZED: [&str; 6] = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
    if NORMALIZED
        .iter()
        .any(|known| known.eq_ignore_ascii_case(method))
    {
        method.make_ascii_uppercase();
    }
}

/// RFC 9110's token: what methods and header names are made of.
pub(crate) fn is_token(text: &str) -> bool {
    let symbol = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || symbol(byte))
}

fn shortened(text: &str) -> &str {
    let end = text
        .char_indices()
        .nth(80)
        .map_or(text.len(), |(end, _)| end);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_urls_are_plain() {
        for url in [
            "http://hello.test/",
            "https://api.example.com/v1/users/17?sort=name&page=2",
            "http://x/a.b/c_d-e~f?x=1/2",
        ] {
            assert!(is_plain_url(url), "{url}");
        }
    }

    #[test]
    fn what_parsing_would_change_or_refuse_is_not_plain() {
        for url in [
            "",
            "http:/x/",
            "HTTP://x/",
            "http:///",
            "http://x",
            "http://X/",
            "http://x:80/",
            "http://u@x/",
            "http://127.0.0.1/",
            "http://1.2/",
            "http://0x7f.1/",
            "http://x.0x7f/",
            "http://xn--a/",
            "http://a..b/",
            "http://a.b./",
            "http://x/../y",
            "http://x/./y",
            "http://x/a/..",
            "http://x/%2e%2e/y",
            "http://x/a b",
            "http://x/\\y",
            "http://x/#a",
            "http://x/?'",
            "http://x/\u{e9}",
            "ftp://x/",
        ] {
            assert!(!is_plain_url(url), "{url}");
        }
    }

    /// Every text of a few characters that matter, behind every beginning that does.
    #[test]
    fn plain_urls_are_what_the_parser_gives_back() {
        let beginnings = [
            "http://x/",
            "https://x",
            "http://",
            "http://a.b/c?",
            "http://1",
        ];
        let alphabet = b"a0.-/?:@+~;%";
        let mut plain = 0;
        for beginning in beginnings {
            for mut number in 0..alphabet.len().pow(4) {
                let mut url = beginning.to_owned();
                while number > 0 {
                    url.push(char::from(alphabet[number % alphabet.len()]));
                    number /= alphabet.len();
                }
                if is_plain_url(&url) {
                    plain += 1;
                    let parsed = Url::parse(&url).map(String::from);
                    assert_eq!(parsed.as_ref(), Ok(&url));
                }
            }
        }
        assert!(plain > 10_000, "only {plain} were plain");
    }
}
