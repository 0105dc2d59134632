//! The outbound policy: which destinations are refused, and that no detour leads to them.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use isolane_scheduler::{
    FetchError, FetchRequest, HttpClient, HttpClientOptions, NameResolver, OutboundPolicy,
};

use crate::guest::{Guest, text};
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
    ("IPv4-mapped metadata", "::ffff:169.254.169.254"),
    ("IPv4-translated", "::ffff:0:127.0.0.1"),
    ("IPv4-compatible private", "::10.0.0.1"),
    ("NAT64 public", "64:ff9b::1.1.1.1"),
    ("NAT64 metadata", "64:ff9b::169.254.169.254"),
    ("local NAT64, last", "64:ff9b:1:ffff:ffff:ffff:7f00:1"),
    (
        "Teredo with a private client",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    ),
    ("ORCHID", "2001:10::1"),
    ("ORCHIDv2", "2001:20::1"),
    ("benchmarking", "2001:2::1"),
    ("6to4 private", "2002:c0a8:101::1"),
    ("6to4 public", "2002:101:101::1"),
    ("AS112", "2620:4f:8000::1"),
    ("documentation, new", "3fff:fff::1"),
    ("segment routing", "5f00::1"),
    (
        "unique-local, last",
        "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ),
    ("link-local, last", "febf::1"),
    ("multicast, wide", "ff0e::1"),
    ("ISATAP, global bit", "2a00:1450::200:5efe:c0a8:101"),
    ("6to4 relay", "192.88.99.1"),
    ("AS112", "192.175.48.6"),
    ("AS112", "192.31.196.1"),
    ("tunnelling", "192.52.193.1"),
    ("documentation", "198.51.100.7"),
    ("documentation", "203.0.113.7"),
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
    "192.0.1.1",
    "198.17.255.255",
    "198.20.0.0",
    "168.63.129.15",
    "3ffe::1",
    "2003::1",
];

fn literal(address: &str) -> String {
    if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    }
}

/// Answers the first lookup with one address and later ones with another.
struct Rebinding {
    first: IpAddr,
    then: IpAddr,
    lookups: Arc<AtomicUsize>,
}

impl NameResolver for Rebinding {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let before = self.lookups.fetch_add(1, Ordering::SeqCst);
        let address = if before == 0 { self.first } else { self.then };
        ready(Ok(vec![address])).boxed()
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
        "0",
        "00",
        "0x0",
        "0.0",
        "0x7f000001",
        "0x7F.0x0.0x0.0x1",
        "017700000001",
        "127.0.1",
        "127.0x1",
        "127。0。0。1",
        "①②⑦.⓪.⓪.①",
        "１２７.0.0.1",
        "127.0.0.1\t",
        "12\n7.0.0.1",
        "user:password@127.0.0.1",
        "1.1.1.1@127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1\\@1.1.1.1",
        "127.0.0.1#@1.1.1.1",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000:0000::0001]",
        "[::127.0.0.1]",
        "[::7f00:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::FFFF:7F00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
    ] {
        assert_refused(&mut guest, format!("http://{host}/")).await;
    }
}

#[tokio::test]
async fn a_host_that_no_address_may_be_spelled_as_is_not_a_url() {
    let mut guest = public_guest();
    for host in [
        "[fe80::1%eth0]",
        "[fe80::1%25eth0]",
        "[::1",
        "::1",
        "[127.0.0.1]",
        "[::ffff:0x7f.1]",
        "256.0.0.1",
        "127.0.0.0.1",
        "0x100000000",
        "127.0.0.08",
        "4294967296",
        "",
        "a b",
        "127.0.0.1%00",
    ] {
        let fetched = guest.fetch(FetchRequest::get(format!("http://{host}/")));
        let error = fetched.await.expect_err(host);
        assert!(matches!(error, FetchError::InvalidUrl), "{host}: {error:?}");
    }
}

#[tokio::test]
async fn a_name_that_changes_its_address_leads_to_the_one_that_was_checked() {
    let checked = Server::start(|_| async { ok("checked") }).await;
    let port = checked.address.port();
    // Nothing listens on the second address: a second lookup could not be answered.
    let lookups = Arc::new(AtomicUsize::new(0));
    let resolver = Rebinding {
        first: checked.address.ip(),
        then: "127.0.0.77".parse().unwrap(),
        lookups: Arc::clone(&lookups),
    };
    let options = HttpClientOptions {
        policy: OutboundPolicy::Any,
        resolver: Arc::new(resolver),
        ..HttpClientOptions::default()
    };
    let mut guest = Guest::with_client(HttpClient::with_options(options).unwrap());
    let url = format!("http://rebinding.example:{port}/");
    let response = guest.fetch(FetchRequest::get(url)).await.unwrap();
    assert_eq!(text(response.body).await, "checked");
    assert_eq!(lookups.load(Ordering::SeqCst), 1, "one lookup a connection");
}

#[tokio::test]
async fn a_name_is_judged_at_each_hop_by_what_it_resolves_to_then() {
    let internal = Server::start(|_| async { ok("internal") }).await;
    let location = format!("http://rebinding.example:{}/", internal.address.port());
    let entrance = Server::start(move |_| {
        let response = answer(302, &[("location", &location)], "");
        async move { response }
    })
    .await;
    for address in ["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"] {
        let options = HttpClientOptions {
            exceptions: vec![entrance.address],
            resolver: Arc::new(Always(vec![address.parse().unwrap()])),
            ..HttpClientOptions::default()
        };
        let mut guest = Guest::with_client(HttpClient::with_options(options).unwrap());
        assert_refused(&mut guest, entrance.url("/")).await;
    }
}

#[tokio::test]
async fn an_exception_is_for_its_address_and_port_and_no_name_for_it() {
    let server = Server::start(|_| async { ok("allowed") }).await;
    let port = server.address.port();
    let options = HttpClientOptions {
        exceptions: vec![server.address],
        resolver: Arc::new(Always(vec![server.address.ip()])),
        ..HttpClientOptions::default()
    };
    let mut guest = Guest::with_client(HttpClient::with_options(options).unwrap());
    let response = guest.fetch(FetchRequest::get(server.url("/"))).await;
    assert_eq!(response.unwrap().status, 200);
    let other_port = if port == u16::MAX { port - 1 } else { port + 1 };
    for url in [
        format!("http://name.example:{port}/"),
        format!("http://127.0.0.1:{other_port}/"),
        format!("http://127.0.0.2:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
    ] {
        assert_refused(&mut guest, url).await;
    }
}

#[tokio::test]
async fn the_name_of_this_machine_is_refused() {
    let server = Server::start(|_| async { ok("internal") }).await;
    let port = server.address.port();
    for name in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "loc\talhost",
        "any.localhost",
        "any.localhost.",
    ] {
        assert_refused(&mut public_guest(), format!("http://{name}:{port}/")).await;
    }
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
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::]",
        "localhost.",
        "u:p@127.0.0.1",
        "127。0。0。1",
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
