//! TLS of the public port.
//!
//! Used by `serve`. Invariant: new files are taken over when they are sound as a whole; until then the old ones stay.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use factorial_service::config::TlsConfig;
use tokio::{net::TcpStream, time::sleep};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::{CryptoProvider, aws_lc_rs},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
    server::TlsStream,
};

/// Between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("cannot read {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The key is not that of the certificate, or of a kind that is not known.
    #[error("{} and {} do not fit together: {reason}", cert.display(), key.display())]
    Pair {
        /// File of the certificate.
        cert: PathBuf,
        /// File of its key.
        key: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The library has no common version.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// A certificate with its key, followed in its files.
#[derive(Clone)]
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    acceptor: TlsAcceptor,
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// As the settings say; `None`: without TLS.
    ///
    /// # Errors
    /// When the files are not a certificate and its key.
    pub fn load(config: &TlsConfig) -> Result<Option<Self>, TlsError> {
        let (Some(cert), Some(key)) = (&config.cert, &config.key) else {
            return Ok(None);
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pair = read(cert, key, &provider)?;
        let current = Arc::new(Current(ArcSwap::from_pointee(pair)));
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Self {
            cert: cert.clone(),
            key: key.clone(),
            provider,
            current,
            acceptor: TlsAcceptor::from(Arc::new(server)),
        }))
    }

    /// The handshake of a connection.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }

    /// Takes over the files whenever they change. Never ends.
    pub(super) async fn follow(&self) {
        let mut known = self.changed();
        loop {
            sleep(LOOK_EVERY).await;
            let now = self.changed();
            if now == known {
                continue;
            }
            match read(&self.cert, &self.key, &self.provider) {
                Ok(pair) => {
                    known = now;
                    self.current.0.store(Arc::new(pair));
                    tracing::info!(cert = %self.cert.display(), "certificate read again");
                }
                // They may be being written; looked at again until they fit.
                Err(error) => tracing::warn!(%error, "certificate not read again"),
            }
        }
    }

    fn changed(&self) -> [Option<SystemTime>; 2] {
        [&self.cert, &self.key].map(|path| fs::metadata(path).and_then(|file| file.modified()).ok())
    }
}

fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let unreadable = |path: &Path, reason: String| TlsError::File {
        path: path.to_owned(),
        reason,
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(unreadable(cert, "there is no certificate in it".to_owned()));
    }
    // What the library says of a key may hold some of it.
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|_| unreadable(key, "there is no private key in it, as PEM".to_owned()))?;
    CertifiedKey::from_der(chain, private, provider).map_err(|error| TlsError::Pair {
        cert: cert.to_owned(),
        key: key.to_owned(),
        reason: error.to_string(),
    })
}
