//! URLs, the outbound policy, and where redirects lead.
//!
//! The first line of the input is the guest's URL; each further line is a redirect: a byte that
//! chooses the status, then the `location`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{HeaderValue, StatusCode, Uri};
use isolane_scheduler::fuzz_support::Redirects;
use isolane_scheduler::{Body, FetchRequest, OutboundPolicy};
use url::{Host, Url};

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];
const MAX_REDIRECTS: u32 = 20;

pub fn check(data: &[u8]) {
    let mut lines = data.split(|&byte| byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let request = FetchRequest {
        method: "POST".to_owned(),
        headers: ["authorization", "cookie", "x-kept"]
            .map(|name| (name.to_owned(), "secret".to_owned()))
            .to_vec(),
        body: Body::from("body"),
        ..FetchRequest::get(String::from_utf8_lossy(first))
    };
    let Ok(mut redirects) = Redirects::begin(request, OutboundPolicy::Public) else {
        return;
    };
    check_destination(redirects.url());
    for line in lines {
        let Some((&choice, location)) = line.split_first() else {
            continue;
        };
        let Ok(location) = HeaderValue::from_bytes(location) else {
            continue;
        };
        let status = STATUSES[usize::from(choice) % STATUSES.len()];
        let status = StatusCode::from_u16(status).unwrap();
        let before = redirects.url().clone();
        if redirects.follow(status, &location).is_err() {
            return;
        }
        check_destination(redirects.url());
        check_hop(&before, &redirects);
    }
}

fn check_hop(before: &Url, redirects: &Redirects) {
    assert!(redirects.count() <= MAX_REDIRECTS);
    assert!(["GET", "POST"].contains(&redirects.method().as_str()));
    assert!(redirects.headers().contains_key("x-kept"));
    if before.origin() != redirects.url().origin() {
        assert!(!redirects.headers().contains_key("authorization"));
        assert!(!redirects.headers().contains_key("cookie"));
    }
}

/// A URL that was let through means the same host to whoever connects, and that host is public.
fn check_destination(url: &Url) {
    assert!(["http", "https"].contains(&url.scheme()), "{url}");
    if let Ok(uri) = url.as_str().parse::<Uri>() {
        assert_eq!(uri.host(), url.host_str(), "{url}");
        assert_eq!(uri.scheme_str(), Some(url.scheme()), "{url}");
        assert_eq!(uri.port_u16(), url.port(), "{url}");
    }
    match url.host().expect("it has a host") {
        Host::Ipv4(address) => assert!(is_global_v4(address), "{url}"),
        Host::Ipv6(address) => assert!(is_global_v6(address), "{url}"),
        Host::Domain(name) => {
            let bare = name.strip_suffix('.').unwrap_or(name);
            assert!(bare.parse::<IpAddr>().is_err(), "{url}");
            assert!(
                bare != "localhost" && !bare.ends_with(".localhost"),
                "{url}"
            );
            let last = bare.rsplit('.').next().unwrap_or_default();
            assert!(!is_number(last), "{url}");
        }
    }
}

/// Whether the system's resolver would take a name's last part for that of an address.
fn is_number(part: &str) -> bool {
    match part.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || address.is_unspecified()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
        || (a == 192 && b == 0 && c == 0))
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let global_unicast = (0x2000..0x4000).contains(&segments[0]);
    let teredo = segments[0] == 0x2001 && segments[1] == 0;
    let six_to_four = segments[0] == 0x2002;
    global_unicast && !teredo && !six_to_four && address.to_ipv4().is_none()
}
