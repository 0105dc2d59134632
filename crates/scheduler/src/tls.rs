//! TLS for outgoing connections: who is trusted, and which protocols are offered.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::FetchError;

/// Reads the host's own root certificates, so that a bad one is reported early.
pub(crate) fn parse_roots(pem: &[u8]) -> Result<RootCertStore, FetchError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| setup(&error))?;
        roots.add(certificate).map_err(|error| setup(&error))?;
    }
    Ok(roots)
}

/// Makes the configuration that trusts the web's roots beside the given ones.
pub(crate) fn client_config(extra_roots: &RootCertStore) -> Result<ClientConfig, FetchError> {
    let mut roots = extra_roots.clone();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| setup(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn setup(error: &dyn std::error::Error) -> FetchError {
    FetchError::Setup(error.to_string().into())
}
