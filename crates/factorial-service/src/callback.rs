//! Tokens that are valid for the answer of one call, without a key.
//!
//! Signed by workers into the URLs that deferred HTTP tools are given, verified by gateways. Invariant: a token says
//! which call, and nothing else; whether that call may still be answered is known in Redis alone, so a token has no
//! expiry of its own and is used up with the first answer.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

/// What the tokens are for: one that the same secret has signed for something else is refused.
const AUDIENCE: &str = "factorial-callback";

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    ns: String,
    task: String,
    call: String,
}

/// Signs and verifies the callback tokens of a namespace.
#[derive(Clone)]
pub struct CallbackTokens {
    namespace: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
}

impl CallbackTokens {
    /// `secret` is that of the namespace, as text.
    #[must_use]
    pub fn new(secret: &str, namespace: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["aud"]);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_exp = false;
        Self {
            namespace: namespace.to_owned(),
            signing: EncodingKey::from_secret(secret.as_bytes()),
            verifying: DecodingKey::from_secret(secret.as_bytes()),
            validation,
        }
    }

    /// The token for the answer of a call: a secret, of characters that need no escape in a URL.
    #[must_use]
    pub fn sign(&self, task: &str, call: &str) -> String {
        let claims = Claims {
            aud: AUDIENCE.to_owned(),
            ns: self.namespace.clone(),
            task: task.to_owned(),
            call: call.to_owned(),
        };
        // Four texts under a symmetric key: nothing of it can fail, and an empty token opens nothing.
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing).unwrap_or_default()
    }

    /// The task and the call that a token is for; `None` when it is not one of this namespace.
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<(String, String)> {
        let claims = decode::<Claims>(token, &self.verifying, &self.validation)
            .ok()?
            .claims;
        (claims.ns == self.namespace).then_some((claims.task, claims.call))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn tokens(secret: &str, namespace: &str) -> CallbackTokens {
        CallbackTokens::new(secret, namespace)
    }

    #[test]
    fn a_token_says_which_call() {
        let here = tokens("secret", "test");
        let token = here.sign("0-x", "c_1");
        assert_eq!(here.verify(&token), Some(("0-x".into(), "c_1".into())));
        assert!(
            token
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        );
        // Another process of the same namespace.
        assert!(tokens("secret", "test").verify(&token).is_some());
    }

    #[test]
    fn only_our_tokens_are_tokens() {
        let here = tokens("secret", "test");
        let token = here.sign("0-x", "c1");
        for other in [tokens("secret", "other"), tokens("another", "test")] {
            assert_eq!(other.verify(&token), None);
        }
        // Any change to any part.
        for at in (0..token.len()).filter(|at| token.as_bytes()[*at] != b'.') {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character has bits that mean nothing; a decoder may refuse them or not.
            if at + 1 < token.len() {
                assert_eq!(here.verify(&changed), None, "{at}");
            }
        }
        // Signed by nobody, with another algorithm, for something else, or not a token at all.
        let (head, rest) = token.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        let none = "eyJhbGciOiJub25lIn0";
        let another = "eyJhbGciOiJIUzUxMiJ9";
        let elsewhere = Claims {
            aud: "elsewhere".into(),
            ns: "test".into(),
            task: "0-x".into(),
            call: "c1".into(),
        };
        let elsewhere = encode(&Header::default(), &elsewhere, &here.signing).unwrap();
        for bad in [
            format!("{none}.{claims}."),
            format!("{another}.{claims}.x"),
            format!("{head}.{claims}."),
            elsewhere,
            String::new(),
            "..".to_owned(),
            "x".repeat(100_000),
        ] {
            assert_eq!(here.verify(&bad), None);
        }
    }
}
