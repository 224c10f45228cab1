//! TLS: rustls with ring; the public roots are part of the binary, so that nothing of the machine is needed.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};

pub(crate) fn config() -> Result<ClientConfig, rustls::Error> {
    config_with(&[])
}

/// Trusts `extra` authorities (DER) besides the public ones.
pub(crate) fn config_with(extra: &[Vec<u8>]) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in extra {
        roots.add(CertificateDer::from(certificate.clone()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use std::sync::Arc;

    use rustls::{
        CertificateError, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    };
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::config_with;

    const AUTHORITY: &[u8] = include_bytes!("../tests/certificates/authority.crt.der");
    const KEY: &[u8] = include_bytes!("../tests/certificates/server.key.der");

    /// What becomes of a connection to `localhost` with a server that shows `certificate`; the authority is trusted.
    async fn greet(certificate: &'static [u8]) -> Result<(), rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(certificate)],
                PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY)),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            TlsAcceptor::from(Arc::new(server)).accept(stream).await.ok();
        });
        let client = config_with(&[AUTHORITY.to_vec()]).unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let greeted = TlsConnector::from(Arc::new(client)).connect(name, stream).await;
        greeted
            .map(drop)
            .map_err(|e| e.into_inner().unwrap().downcast_ref::<rustls::Error>().unwrap().clone())
    }

    #[tokio::test]
    async fn a_certificate_must_be_of_a_known_authority_in_its_time_and_made_out_to_the_server() {
        greet(include_bytes!("../tests/certificates/good.crt.der")).await.unwrap();
        for (what, certificate) in [
            ("expired", &include_bytes!("../tests/certificates/expired.crt.der")[..]),
            ("NotValidForName", include_bytes!("../tests/certificates/elsewhere.crt.der")),
            ("UnknownIssuer", include_bytes!("../tests/certificates/selfsigned.crt.der")),
        ] {
            let refused = greet(certificate).await.unwrap_err();
            let rustls::Error::InvalidCertificate(why) = &refused else { panic!("{refused:?}") };
            let fits = match what {
                "expired" => {
                    matches!(why, CertificateError::Expired | CertificateError::ExpiredContext { .. })
                }
                "NotValidForName" => matches!(
                    why,
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
                ),
                _ => matches!(why, CertificateError::UnknownIssuer),
            };
            assert!(fits, "{what}: {why:?}");
        }
    }
}
