//! TLS by the gateway itself: certificates that are followed in their files.

use std::{path::Path, time::Duration};

use factorial_gateway::{Access, Tls};
use factorial_service::config::TlsConfig;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::Value;

use crate::support::{config, eventually, gateway_over};

/// Writes a new certificate for `localhost`, and gives it.
fn renew(dir: &Path) -> String {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(dir.join("key.pem"), signing_key.serialize_pem()).unwrap();
    std::fs::write(dir.join("cert.pem"), cert.pem()).unwrap();
    cert.pem()
}

/// A client that trusts one certificate alone, and has no session to resume.
fn trusting(cert: &str) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(cert.as_bytes()).unwrap();
    reqwest::Client::builder()
        .tls_certs_only([root])
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap()
}

fn settings(dir: &Path) -> TlsConfig {
    TlsConfig {
        cert: Some(dir.join("cert.pem")),
        key: Some(dir.join("key.pem")),
    }
}

#[tokio::test]
async fn a_certificate_is_served_and_renewed() {
    let dir = tempfile::tempdir().unwrap();
    let first = renew(dir.path());
    let tls = Tls::load(&settings(dir.path())).unwrap();
    let gateway = gateway_over(tls, Access::open(), config(), 1).await;
    let port = gateway.address().rsplit_once(':').unwrap().1.to_owned();
    let url = format!("https://localhost:{port}/");
    let health: Value = trusting(&first)
        .get(&url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(health["status"], "ok");
    // Whoever speaks plain HTTP gets nothing.
    assert!(gateway.http.get(&gateway.url).send().await.is_err());
    let second = renew(dir.path());
    eventually("the new certificate", || async {
        trusting(&second).get(&url).send().await.ok()
    })
    .await;
    assert!(
        trusting(&first).get(&url).send().await.is_err(),
        "the old one is gone"
    );
    // What makes no sense is not taken over.
    std::fs::write(dir.path().join("cert.pem"), "nonsense").unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(trusting(&second).get(&url).send().await.is_ok());
}

#[test]
fn files_that_are_no_certificate_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let _ = renew(dir.path());
    let key = std::fs::read_to_string(dir.path().join("key.pem")).unwrap();
    let said = |what: &str| {
        let refused = Tls::load(&settings(dir.path())).err();
        let said = refused.unwrap_or_else(|| panic!("{what}")).to_string();
        assert!(!said.contains(&key[40..60]), "{said}");
        said
    };
    std::fs::remove_file(dir.path().join("cert.pem")).unwrap();
    assert!(said("missing").contains("cert.pem"));
    let other = tempfile::tempdir().unwrap();
    let _ = renew(other.path());
    std::fs::copy(other.path().join("cert.pem"), dir.path().join("cert.pem")).unwrap();
    assert!(said("another key").contains("do not fit together"));
    std::fs::write(dir.path().join("key.pem"), "nonsense").unwrap();
    assert!(said("no key").contains("key.pem"));
}
