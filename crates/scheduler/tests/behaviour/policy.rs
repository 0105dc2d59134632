//! The outbound policy: which destinations are refused, and that no detour leads to them.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use isolane_scheduler::{
    FetchError, FetchRequest, HttpClient, HttpClientOptions, NameResolver, OutboundPolicy,
};

use crate::guest::Guest;
use crate::server::{Server, answer, ok};

const REFUSED: &[(&str, &str)] = &[
    ("unspecified", "0.0.0.0"),
    ("this network", "0.1.2.3"),
    ("private", "10.0.0.1"),
    ("private", "172.16.0.1"),
    ("private", "172.31.255.255"),
    ("private", "192.168.1.1"),
    ("carrier-grade NAT", "100.64.0.1"),
    ("carrier-grade NAT", "100.127.255.255"),
    ("loopback", "127.0.0.1"),
    ("loopback", "127.255.255.254"),
    ("link-local", "169.254.0.1"),
    ("metadata", "169.254.169.254"),
    ("metadata", "100.100.100.200"),
    ("metadata", "168.63.129.16"),
    ("protocol assignments", "192.0.0.192"),
    ("documentation", "192.0.2.1"),
    ("benchmarking", "198.19.255.255"),
    ("multicast", "224.0.0.1"),
    ("multicast", "239.255.255.255"),
    ("reserved", "240.0.0.1"),
    ("broadcast", "255.255.255.255"),
    ("unspecified", "::"),
    ("loopback", "::1"),
    ("IPv4-compatible", "::127.0.0.1"),
    ("IPv4-mapped", "::ffff:127.0.0.1"),
    ("IPv4-mapped public", "::ffff:1.1.1.1"),
    ("NAT64", "64:ff9b::7f00:1"),
    ("local NAT64", "64:ff9b:1::7f00:1"),
    ("discard", "100::1"),
    ("Teredo", "2001::1"),
    ("documentation", "2001:db8::1"),
    ("6to4", "2002:7f00:1::1"),
    ("unique-local", "fc00::1"),
    ("unique-local, metadata", "fd00:ec2::254"),
    ("link-local", "fe80::1"),
    ("site-local", "fec0::1"),
    ("multicast", "ff02::1"),
    ("ISATAP", "2a00:1450::5efe:7f00:1"),
];

const ALLOWED: &[&str] = &[
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "2001:200::1",
];

fn literal(address: &str) -> String {
    if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    }
}

/// Knows one answer to every name.
struct Always(Vec<IpAddr>);

impl NameResolver for Always {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        ready(Ok(self.0.clone())).boxed()
    }
}

fn guest_that_resolves(policy: OutboundPolicy, addresses: &[&str]) -> Guest {
    let addresses = addresses
        .iter()
        .map(|address| address.parse().unwrap())
        .collect();
    let resolver = Arc::new(Always(addresses));
    let options = HttpClientOptions {
        policy,
        resolver,
        ..HttpClientOptions::default()
    };
    Guest::with_client(HttpClient::with_options(options).unwrap())
}

fn public_guest() -> Guest {
    Guest::with_client(HttpClient::new(OutboundPolicy::Public).unwrap())
}

async fn assert_refused(guest: &mut Guest, url: String) {
    let error = guest
        .fetch(FetchRequest::get(url.clone()))
        .await
        .expect_err(&url);
    assert!(matches!(error, FetchError::Blocked), "{url}: {error:?}");
    assert_eq!(
        error.guest_message(),
        "fetch failed: destination not allowed"
    );
}

#[test]
fn public_addresses_are_allowed() {
    for address in ALLOWED {
        assert!(
            OutboundPolicy::Public.allows(address.parse().unwrap()),
            "{address}"
        );
    }
}

#[tokio::test]
async fn every_special_address_is_refused_as_a_literal() {
    let mut guest = public_guest();
    for (_, address) in REFUSED {
        assert_refused(&mut guest, format!("http://{}/", literal(address))).await;
    }
}

#[tokio::test]
async fn every_special_address_is_refused_after_resolution() {
    for (_, address) in REFUSED {
        let mut guest = guest_that_resolves(OutboundPolicy::Public, &[address]);
        assert_refused(&mut guest, "http://innocent.example/".to_owned()).await;
    }
}

#[tokio::test]
async fn an_address_in_disguise_is_still_refused() {
    let mut guest = public_guest();
    for host in [
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
    ] {
        assert_refused(&mut guest, format!("http://{host}/")).await;
    }
}

#[tokio::test]
async fn the_name_of_this_machine_is_refused() {
    let server = Server::start(|_| async { ok("internal") }).await;
    let port = server.address.port();
    assert_refused(&mut public_guest(), format!("http://localhost:{port}/")).await;
}

#[tokio::test]
async fn only_the_allowed_addresses_of_a_name_are_tried() {
    // The server is the only one that listens; were its address tried, it would answer.
    let server = Server::start(|_| async { ok("internal") }).await;
    let mut guest = guest_that_resolves(OutboundPolicy::Public, &["127.0.0.1", "10.0.0.1"]);
    let url = format!("http://innocent.example:{}/", server.address.port());
    assert_refused(&mut guest, url.clone()).await;

    let mut guest = guest_that_resolves(OutboundPolicy::Any, &["127.0.0.1"]);
    assert_eq!(
        guest.fetch(FetchRequest::get(url)).await.unwrap().status,
        200
    );
}

#[tokio::test]
async fn ports_of_other_protocols_are_refused() {
    let mut guest = public_guest();
    for port in [22, 25, 6667] {
        assert_refused(&mut guest, format!("http://1.1.1.1:{port}/")).await;
    }
}

#[tokio::test]
async fn a_redirect_leads_to_no_refused_address_however_it_is_spelled() {
    let internal = Server::start(|_| async { ok("internal") }).await;
    let port = internal.address.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
    ] {
        let location = format!("http://{host}:{port}/");
        let entrance = Server::start(move |_| {
            let response = answer(302, &[("location", &location)], "");
            async move { response }
        })
        .await;
        // The entrance stands for a public server that an attacker owns.
        let exceptions = vec![entrance.address];
        let options = HttpClientOptions {
            exceptions,
            ..HttpClientOptions::default()
        };
        let mut guest = Guest::with_client(HttpClient::with_options(options).unwrap());
        assert_refused(&mut guest, entrance.url("/")).await;
    }
}

#[tokio::test]
async fn a_name_without_addresses_is_not_resolved() {
    let mut guest = guest_that_resolves(OutboundPolicy::Public, &[]);
    let error = guest
        .fetch(FetchRequest::get("http://nowhere.example/"))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Resolve(_)), "{error:?}");
}
