//! A Redis for tests that speaks TLS to those who show a certificate, and lets a user do what it has to, and no more.

use std::{fs, net::TcpListener, path::PathBuf, sync::Arc};

use deadpool_redis::redis::{self, Client, Connection, Value};
use factorial_core::TlsOptions;
use factorial_local_redis::Listen;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::{redis::TestRedis, served::Served, system::Setup};

/// The password of the user; a test looks for it in logs.
pub const PASSWORD: &str = "pl4nted-s3cret/@:";
/// Of the user that may do everything.
const ADMIN: &str = "admin";

/// A server with a CA of its own.
pub struct TestSecured {
    url: String,
    service_url: String,
    tls: TlsOptions,
    redis: Arc<TestRedis>,
    dir: TempDir,
}

/// Certificate and key for a name, signed by the CA.
fn signed(name: &str, ca: &Issuer<'_, KeyPair>) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    // One of the same name as its CA would pass for signed by itself.
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.signed_by(&key, ca).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

impl TestSecured {
    /// Starts it with a user `factorial` that has the rules of `ACL SETUSER` given. Blocks.
    ///
    /// # Panics
    /// When it does not start, or does not take the rules.
    #[must_use]
    pub fn start(rules: &[String]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name).display().to_string();
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params
            .distinguished_name
            .push(DnType::CommonName, "CA of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&key).expect("a CA").pem();
        let issuer = Issuer::new(params, key);
        let (certificate, key) = signed("localhost", &issuer);
        let (shown, shown_key) = signed("factorial", &issuer);
        for (name, text) in [
            ("ca.pem", &ca),
            ("server.pem", &certificate),
            ("server.key", &key),
            ("client.pem", &shown),
            ("client.key", &shown_key),
            // As an editor leaves it.
            ("password", &format!("{PASSWORD}\n")),
        ] {
            fs::write(dir.path().join(name), text).expect("a file");
        }
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port().to_string();
        drop(free);
        let (ca_file, certificate, key) = (path("ca.pem"), path("server.pem"), path("server.key"));
        let redis = TestRedis::private(
            Listen::Tcp { port: 0 },
            &[
                ("tls-port", &port),
                ("tls-ca-cert-file", &ca_file),
                ("tls-cert-file", &certificate),
                ("tls-key-file", &key),
                ("tls-auth-clients", "yes"),
            ],
        );
        let mut raw = redis.connection();
        let mut user = redis::cmd("ACL");
        user.arg("SETUSER").arg("factorial").arg(rules);
        let _: Value = user.query(&mut raw).expect("the rules are taken");
        let mut admin = redis::cmd("ACL");
        admin.arg("SETUSER").arg("default").arg("resetpass");
        let _: Value = admin
            .arg(format!(">{ADMIN}"))
            .query(&mut raw)
            .expect("a password");
        let encoded = "pl4nted-s3cret%2F%40%3A";
        Self {
            url: format!("rediss://factorial:{encoded}@localhost:{port}"),
            service_url: format!("rediss://localhost:{port}"),
            tls: TlsOptions {
                ca: Some(ca.into_bytes()),
                identity: Some((shown.into_bytes(), shown_key.into_bytes())),
            },
            redis,
            dir,
        }
    }

    /// A file that services are given: `ca.pem`, `client.pem`, `client.key`, `password`.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where services reach it, without user and password.
    #[must_use]
    pub fn service_url(&self) -> &str {
        &self.service_url
    }

    /// A system on it, whose services take certificates and password from files.
    #[must_use]
    pub fn system(self: &Arc<Self>, setup: Setup) -> Setup {
        let file = |name| self.file(name).display().to_string();
        setup
            .on(Arc::clone(self) as Arc<dyn Served>)
            .every("--redis-username", "factorial")
            .every("--redis-password-file", &file("password"))
            .every("--redis-tls-ca", &file("ca.pem"))
            .every("--redis-tls-cert", &file("client.pem"))
            .every("--redis-tls-key", &file("client.key"))
    }
}

impl Served for TestSecured {
    fn url(&self) -> &str {
        &self.url
    }

    fn service_url(&self) -> &str {
        &self.service_url
    }

    fn connections(&self) -> Vec<Connection> {
        let url = self
            .redis
            .url()
            .replace("redis://", &format!("redis://:{ADMIN}@"));
        let client = Client::open(url).expect("a valid URL");
        vec![client.get_connection().expect("redis answers")]
    }

    fn tls(&self) -> TlsOptions {
        self.tls.clone()
    }
}
