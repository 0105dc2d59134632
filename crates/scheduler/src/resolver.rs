//! Name resolution that only ever gives addresses which the outbound policy allows.
//!
//! What is filtered here is what is connected to, so a name that changes its address between a
//! check and the connection gains nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use crate::OutboundPolicy;

/// Resolves the names that guests fetch from, in place of the system's resolver.
pub trait NameResolver: Send + Sync {
    /// Resolves a name to its addresses; the outbound policy is applied to what it returns.
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// How many lookups the system's resolver has under way at once.
///
/// Each holds a thread for as long as the slowest name server likes, also after its fetch has ended.
const MAX_LOOKUPS: usize = 128;

/// The system's resolver, on tokio's blocking threads; more than [`MAX_LOOKUPS`] wait their turn.
pub(crate) struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        let lookups = Arc::new(Semaphore::new(MAX_LOOKUPS));
        Self { lookups }
    }
}

impl NameResolver for SystemResolver {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        let lookups = Arc::clone(&self.lookups);
        async move {
            let turn = lookups.acquire_owned().await.map_err(io::Error::other)?;
            let lookup = move || {
                // Held until the system has answered: that cannot be cancelled.
                let _turn = turn;
                let addresses = (name.as_str(), 0).to_socket_addrs()?;
                Ok(addresses.map(|address| address.ip()).collect())
            };
            tokio::task::spawn_blocking(lookup)
                .await
                .map_err(io::Error::other)?
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Mixed;

    impl NameResolver for Mixed {
        fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let addresses = ["127.0.0.1", "1.1.1.1", "::1", "2606:4700::1", "10.0.0.1"];
            let addresses = addresses.map(|address| address.parse().unwrap()).to_vec();
            std::future::ready(Ok(addresses)).boxed()
        }
    }

    #[tokio::test]
    async fn what_is_connected_to_is_what_was_checked() {
        let resolver = PolicyResolver {
            policy: OutboundPolicy::Public,
            resolver: Arc::new(Mixed),
        };
        let name = "mixed.example".parse().unwrap();
        let found: Vec<_> = resolver.resolve(name).await.unwrap().collect();
        let found: Vec<_> = found
            .iter()
            .map(|address| address.ip().to_string())
            .collect();
        assert_eq!(found, ["1.1.1.1", "2606:4700::1"]);
    }

    #[tokio::test]
    async fn lookups_beyond_the_bound_wait_and_those_given_up_take_no_place() {
        let resolver = SystemResolver::default();
        let all = u32::try_from(MAX_LOOKUPS).unwrap();
        let taken = Arc::clone(&resolver.lookups).acquire_many_owned(all).await;
        let mut waiting = resolver.resolve("localhost");
        assert!((&mut waiting).now_or_never().is_none(), "it did not wait");
        drop(waiting);
        drop(taken);
        assert!(!resolver.resolve("localhost").await.unwrap().is_empty());
        assert_eq!(resolver.lookups.available_permits(), MAX_LOOKUPS);
    }
}
