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
