//! Signatures of webhooks, as Standard Webhooks has them (`v1`: HMAC-SHA256).
//!
//! Reapers sign with it, gateways tell owners their secrets. Invariant: a secret of an owner follows from that of the
//! namespace, so it is stored nowhere; and neither is ever printed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const LEAST: usize = 24;
const MOST: usize = 64;
/// What the secret of a namespace is used for here.
const PURPOSE: &str = "factorial-webhook";

/// What messages to a webhook are signed with.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// Of its text: `whsec_`, then 24 to 64 bytes in base64.
    ///
    /// # Errors
    /// What it must be; nothing of what it is.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let key = text
            .strip_prefix(PREFIX)
            .and_then(|key| STANDARD.decode(key).ok())
            .filter(|key| (LEAST..=MOST).contains(&key.len()));
        key.map(|key| Self(Zeroizing::new(key)))
            .ok_or("must be whsec_ and 24 to 64 bytes in base64")
    }

    /// That of an owner: the HMAC of namespace and owner under the namespace's secret.
    #[must_use]
    pub fn of_owner(namespace_secret: &str, namespace: &str, owner: &str) -> Self {
        // Neither name can hold a line break.
        let message = format!("{PURPOSE}\n{namespace}\n{owner}");
        Self(Zeroizing::new(hmac(
            namespace_secret.as_bytes(),
            &[message.as_bytes()],
        )))
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> SecretString {
        format!("{PREFIX}{}", STANDARD.encode(&*self.0)).into()
    }

    /// The value of `webhook-signature` for a message; `timestamp` in seconds since the Unix epoch.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let head = format!("{id}.{timestamp}.");
        format!(
            "v1,{}",
            STANDARD.encode(hmac(&self.0, &[head.as_bytes(), body]))
        )
    }
}

impl TryFrom<&SecretString> for WebhookSecret {
    type Error = &'static str;

    fn try_from(text: &SecretString) -> Result<Self, Self::Error> {
        Self::parse(text.expose_secret())
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_specification() {
        // Test vectors of the reference libraries of Standard Webhooks.
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(
            secret.text().expose_secret(),
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        );
    }

    #[test]
    fn only_secrets_are_secrets() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for good in [of(24), of(32), of(64)] {
            assert!(WebhookSecret::parse(&good).is_ok());
        }
        let plain = STANDARD.encode([7; 32]);
        for bad in [
            of(23),
            of(65),
            plain,
            String::new(),
            "whsec_".into(),
            "whsec_%".into(),
        ] {
            assert!(WebhookSecret::parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_owner_has_its_own_secret() {
        let of = |secret: &str, namespace: &str, owner: &str| {
            let secret = WebhookSecret::of_owner(secret, namespace, owner);
            secret.text().expose_secret().to_owned()
        };
        let one = of("s", "n", "o");
        assert_eq!(one, of("s", "n", "o"));
        assert!(WebhookSecret::parse(&one).is_ok());
        for other in [
            of("t", "n", "o"),
            of("s", "m", "o"),
            of("s", "n", "p"),
            of("s", "no", ""),
        ] {
            assert_ne!(one, other);
        }
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_webhook_secret() {
        use secrecy::ExposeSecret as _;

        let sound = format!("{PREFIX}{}", STANDARD.encode([7; 32]));
        factorial_fuzz::texts(&[&sound], |text| {
            if let Ok(secret) = WebhookSecret::parse(text) {
                assert_eq!(secret.text().expose_secret(), text);
                assert!(
                    secret
                        .sign(text, i64::MIN, text.as_bytes())
                        .starts_with("v1,")
                );
            }
        });
    }
}
