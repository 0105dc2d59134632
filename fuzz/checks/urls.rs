//! The URL API of guests: parsing, setters, and the offsets that the guest side slices by.
//!
//! Lines: the URL, its base or nothing, and then a part's digit and its new value each.

use isolane::fuzz_support::{parse_url, set_url};

const MAX_SETTERS: usize = 16;

pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let input = lines.next().unwrap_or_default();
    let base = lines.next().filter(|base| !base.is_empty());
    let Some((mut url, offsets)) = parse_url(input, base) else {
        return;
    };
    check_parts(&url, &offsets);
    if !has_host_and_drive(&url) {
        assert_eq!(
            parse_url(&url, None).map(|(again, _)| again).as_deref(),
            Some(url.as_str()),
            "it is not what it says it is"
        );
    }
    for line in lines.take(MAX_SETTERS) {
        let mut characters = line.chars();
        let part = characters.next().and_then(|part| part.to_digit(10));
        let changed = set_url(&url, part.unwrap_or(9) as i32, characters.as_str());
        if let Some((changed, offsets)) = changed {
            check_parts(&changed, &offsets);
            url = changed;
        }
    }
}

/// The parser drops a host before a drive letter, but looks before it has dropped empty segments of the
/// path, and not at `C|`: what it makes of those then names a drive only when it is read again.
fn has_host_and_drive(url: &str) -> bool {
    let after_scheme = url.strip_prefix("file://").unwrap_or_default();
    let mut parts = after_scheme.split(['/', '?', '#']);
    let host = parts.next().unwrap_or_default();
    let first = parts.next().unwrap_or_default().as_bytes();
    !host.is_empty() && matches!(first, [letter, b':' | b'|'] if letter.is_ascii_alphabetic())
}

/// Offsets never go back, and stay within what they cut.
fn check_parts(url: &str, offsets: &[u32]) {
    assert!(url.is_ascii(), "{url}");
    assert!(offsets.is_sorted(), "{url}: {offsets:?}");
    let end = u32::try_from(url.len()).expect("a short URL");
    assert!(
        offsets.iter().all(|&offset| offset <= end),
        "{url}: {offsets:?}"
    );
}
