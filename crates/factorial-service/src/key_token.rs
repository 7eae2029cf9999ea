//! What a client sends as its API key: `fk_<id>_<secret>`.
//!
//! Made by gateways and the command line, taken apart by gateways and dashboards. Invariants: the secret has more than 256
//! random bits, so its plain SHA-256 tells nothing; it is compared in constant time, and never printed.

use std::fmt;

use rand::{Rng, RngExt as _, distr::Alphanumeric};
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Begins every key, so that scanners of published secrets find it.
const PREFIX: &str = "fk_";
/// Characters of an id.
const ID: usize = 12;
/// Characters of a secret, of 62 kinds: 256 bits and a little.
const SECRET: usize = 43;

/// A key with its secret.
#[derive(Clone)]
pub struct KeyToken {
    id: String,
    secret: Zeroizing<String>,
}

impl KeyToken {
    /// A new one.
    #[must_use]
    pub fn draw(random: &mut impl Rng) -> Self {
        let mut text = |length| -> String {
            let drawn = random.sample_iter(Alphanumeric).take(length);
            drawn.map(char::from).collect()
        };
        Self {
            id: text(ID),
            secret: Zeroizing::new(text(SECRET)),
        }
    }

    /// Takes a text apart; `None`: it is not of this form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let sound = |part: &str, length| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        (sound(id, ID) && sound(secret, SECRET)).then(|| Self {
            id: id.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
        })
    }

    /// What it is found by.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> SecretString {
        format!("{PREFIX}{}_{}", self.id, *self.secret).into()
    }

    /// What is kept of the secret.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.secret.as_bytes()).into()
    }

    /// Whether it is the secret that this was kept of. Takes the same time whatever differs.
    #[must_use]
    pub fn is_of(&self, digest: &[u8; 32]) -> bool {
        self.digest().ct_eq(digest).into()
    }
}

impl fmt::Debug for KeyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_…", self.id)
    }
}

/// Whether a text is a secret. Takes the same time wherever they differ, and whatever their lengths.
#[must_use]
pub fn is_same_secret(text: &str, secret: &SecretString) -> bool {
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    digest(text).ct_eq(&digest(secret.expose_secret())).into()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_secret_alone() {
        let mut random = rand::rng();
        let (key, other) = (KeyToken::draw(&mut random), KeyToken::draw(&mut random));
        let text = key.text();
        let text = text.expose_secret();
        assert_eq!(text.len(), 3 + 12 + 1 + 43);
        let read = KeyToken::parse(text).unwrap();
        assert_eq!(read.id(), key.id());
        assert!(read.is_of(&key.digest()) && !read.is_of(&other.digest()));
        assert!(!text.ends_with(&format!("{key:?}")[16..]), "{key:?}");
        for bad in [
            "",
            "fk_",
            "fk__",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}x"),
            &text.replace('_', "-"),
            &format!("fk_{}_{}", "é".repeat(6), "a".repeat(43)),
        ] {
            assert!(KeyToken::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn secrets_are_the_same_as_a_whole() {
        let secret = SecretString::from("0123456789");
        assert!(is_same_secret("0123456789", &secret));
        for other in ["", "012345678", "01234567890", "0123456788"] {
            assert!(!is_same_secret(other, &secret), "{other}");
        }
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_key_token() {
        let sound = format!("fk_{}_{}", "aB3dEfGhIjK1", "z".repeat(SECRET));
        factorial_fuzz::texts(&[&sound], |text| {
            if let Some(key) = KeyToken::parse(text) {
                assert_eq!(key.text().expose_secret(), text);
                assert!(!format!("{key:?}").contains(&*key.secret));
            }
        });
    }
}
