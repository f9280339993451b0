//! A certificate authority of a test's own, as a clinic has one.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tokio_native_tls::native_tls;

pub use tokio_native_tls::TlsAcceptor;

/// Signs servers' certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// Whether a certificate is good now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Today and for a long time.
    Good,
    /// It was good, some years ago.
    Expired,
}

impl Authority {
    /// A new one, which nobody trusts yet.
    pub fn new() -> Self {
        let mut params = params(&[], Validity::Good);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "Bedside's tests");
        Self(CertifiedIssuer::self_signed(params, key()).expect("a certificate of its own"))
    }

    /// What those who trust it need.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a server of these names and addresses needs.
    pub fn acceptor(&self, names: &[&str], validity: Validity) -> TlsAcceptor {
        let mut params = params(names, validity);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = key();
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let identity =
            native_tls::Identity::from_pkcs8(certificate.pem().as_bytes(), key.serialize_pem().as_bytes());
        let acceptor = native_tls::TlsAcceptor::new(identity.expect("a key that fits")).expect("TLS");
        acceptor.into()
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

fn params(names: &[&str], validity: Validity) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names that a certificate may have");
    (params.not_before, params.not_after) = match validity {
        Validity::Good => (date_time_ymd(2020, 1, 1), date_time_ymd(2100, 1, 1)),
        Validity::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
    };
    params
}
