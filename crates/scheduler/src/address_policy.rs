//! Where guests may connect to: the outbound policy, and which addresses it lets through.
//!
//! Names are judged by the addresses they resolve to, because anybody may publish a name for
//! `127.0.0.1`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

use crate::FetchError;

/// Which destinations guests may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutboundPolicy {
    /// The public internet only: no loopback, private, link-local or otherwise special address.
    #[default]
    Public,
    /// Everything that the host itself can reach.
    Any,
}

impl OutboundPolicy {
    /// Tells whether a connection to the address is allowed.
    ///
    /// # Examples
    /// ```
    /// # use isolane_scheduler::OutboundPolicy;
    /// assert!(!OutboundPolicy::Public.allows("169.254.169.254".parse()?));
    /// assert!(OutboundPolicy::Public.allows("1.1.1.1".parse()?));
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn allows(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Any, _) => true,
            (Self::Public, IpAddr::V4(address)) => is_public_v4(address),
            (Self::Public, IpAddr::V6(address)) => is_public_v6(address),
        }
    }

    /// Tells whether a connection to the port is allowed.
    ///
    /// `Public` refuses the "bad ports" of the fetch standard, where other protocols listen that
    /// could take an HTTP request for their own commands.
    pub fn allows_port(self, port: u16) -> bool {
        self == Self::Any || !BAD_PORTS.contains(&port)
    }
}

/// How long a URL may be, which is what an HTTP message can carry here.
const MAX_URL_BYTES: usize = u16::MAX as usize - 1;

/// What a client lets its guests reach: a policy and the host's exceptions from it.
pub(crate) struct Destinations {
    pub(crate) policy: OutboundPolicy,
    pub(crate) exceptions: Vec<SocketAddr>,
}

impl Destinations {
    /// Checks what can be checked before a name is resolved: length, scheme, port, a literal
    /// address.
    pub(crate) fn check(&self, url: &Url) -> Result<(), FetchError> {
        if url.as_str().len() > MAX_URL_BYTES {
            return Err(FetchError::InvalidUrl);
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::UnsupportedScheme);
        }
        let port = url.port_or_known_default().unwrap_or_default();
        let allowed = match url.host().ok_or(FetchError::InvalidUrl)? {
            Host::Ipv4(address) => self.allows(SocketAddr::new(address.into(), port)),
            Host::Ipv6(address) => self.allows(SocketAddr::new(address.into(), port)),
            Host::Domain(name) => self.allows_name(name) && self.policy.allows_port(port),
        };
        if allowed {
            Ok(())
        } else {
            Err(FetchError::Blocked)
        }
    }

    /// Judges a name before it is resolved, which decides about all but this machine's own.
    fn allows_name(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        let is_local = name == "localhost" || name.ends_with(".localhost");
        self.policy == OutboundPolicy::Any || !is_local
    }

    fn allows(&self, address: SocketAddr) -> bool {
        let by_policy = self.policy.allows(address.ip()) && self.policy.allows_port(address.port());
        by_policy || self.exceptions.contains(&address)
    }
}

const BAD_PORTS: &[u16] = &[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
    102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427,
    465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990,
    993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 10080,
];

/// The special-purpose blocks of IPv4 (RFC 6890 and its registry), as address and prefix length.
const SPECIAL_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),       // this network, unspecified
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // carrier-grade NAT
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local, cloud metadata
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 31, 196, 0], 24), // AS112
    ([192, 52, 193, 0], 24), // automatic multicast tunnelling
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private
    ([192, 175, 48, 0], 24), // AS112
    ([198, 18, 0, 0], 15),   // benchmarking
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, broadcast
];

/// Addresses inside public blocks that clouds give to their metadata services.
const METADATA_V4: &[[u8; 4]] = &[[168, 63, 129, 16]];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    let special = SPECIAL_V4
        .iter()
        .any(|&(block, prefix)| (bits ^ u32::from_be_bytes(block)) >> (32 - prefix) == 0);
    !special && !METADATA_V4.contains(&address.octets())
}

/// Global unicast is `2000::/3`; all else is refused, so only exceptions within it are listed.
///
/// That leaves out loopback, unspecified, IPv4-mapped and -compatible addresses, NAT64
/// (`64:ff9b::/96` and `64:ff9b:1::/48`), discard, unique-local, link-local and multicast.
const SPECIAL_V6: &[([u16; 4], u32)] = &[
    ([0x2001, 0, 0, 0], 23), // protocol assignments: Teredo, benchmarking, ORCHID
    ([0x2001, 0xdb8, 0, 0], 32), // documentation
    ([0x2002, 0, 0, 0], 16), // 6to4, which carries any IPv4 address
    ([0x2620, 0x4f, 0x8000, 0], 48), // AS112
    ([0x3fff, 0, 0, 0], 20), // documentation
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let special = SPECIAL_V6.iter().any(|&(block, prefix)| {
        let (own, block) = (upper_half(&segments), upper_half(&block));
        (own ^ block) >> (64 - prefix) == 0
    });
    segments[0] & 0xe000 == 0x2000 && !special && !is_isatap(&segments)
}

fn upper_half(segments: &[u16]) -> u64 {
    segments
        .iter()
        .take(4)
        .fold(0, |bits, &segment| bits << 16 | u64::from(segment))
}

/// ISATAP interface ids carry an IPv4 address, whatever the prefix.
fn is_isatap(segments: &[u16; 8]) -> bool {
    segments[4] & 0xfdff == 0 && segments[5] == 0x5efe
}
