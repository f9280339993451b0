//! Which servers are believed to be who they say they are.

use native_tls::{Certificate, Protocol, TlsConnector};

/// The system's trust store, and perhaps a certificate authority of the clinic's own. There is no way to trust less.
#[derive(Clone, Debug)]
pub struct Trust(TlsConnector);

/// The text is no PEM certificate, or the system's TLS library can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the certificate can't be used: {0}")]
pub struct BadCertificate(#[from] native_tls::Error);

impl Trust {
    /// What the system trusts.
    pub fn system() -> Result<Self, BadCertificate> {
        Self::of(&[])
    }

    /// What the system trusts, and the certificate authorities of a PEM text.
    pub fn with_authorities(pem: &[u8]) -> Result<Self, BadCertificate> {
        Self::of(&Certificate::stack_from_pem(pem)?)
    }

    fn of(authorities: &[Certificate]) -> Result<Self, BadCertificate> {
        let mut builder = TlsConnector::builder();
        builder.min_protocol_version(Some(Protocol::Tlsv12));
        for authority in authorities {
            builder.add_root_certificate(authority.clone());
        }
        Ok(Self(builder.build()?))
    }

    pub(crate) fn connector(&self) -> TlsConnector {
        self.0.clone()
    }
}
