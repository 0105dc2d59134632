//! Name resolution that only ever gives addresses which the outbound policy allows.
//!
//! What is filtered here is what is connected to, so a name that changes its address between a
//! check and the connection gains nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::OutboundPolicy;

/// Resolves the names that guests fetch from, in place of the system's resolver.
pub trait NameResolver: Send + Sync {
    /// Resolves a name to its addresses; the outbound policy is applied to what it returns.
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver, on tokio's blocking threads.
pub(crate) struct SystemResolver;

impl NameResolver for SystemResolver {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        }
        .boxed()
    }
}

/// The name has addresses, but none that the policy allows.
#[derive(Debug)]
pub(crate) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the outbound policy refuses all addresses of this name")
    }
}

impl std::error::Error for Refused {}

/// The name could not be resolved.
#[derive(Debug)]
pub(crate) struct Unresolved(pub(crate) io::Error);

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Unresolved {}

/// A resolver under a policy, in the shape that the HTTP library asks for.
pub(crate) struct PolicyResolver {
    pub(crate) policy: OutboundPolicy,
    pub(crate) resolver: Arc<dyn NameResolver>,
}

impl Resolve for PolicyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy;
        let resolving = self.resolver.resolve(name.as_str());
        async move {
            let found = resolving.await.map_err(Unresolved)?;
            if found.is_empty() {
                let error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                return Err(Unresolved(error).into());
            }
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| policy.allows(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if allowed.is_empty() {
                return Err(Refused.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        }
        .boxed()
    }
}
