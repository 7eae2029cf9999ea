//! What follows from the secret of the namespace, once that is known: callback tokens, and the secrets of owners.

use factorial_core::{OwnerId, Store};
use factorial_service::{ApiError, CallbackTokens, ErrorKind, WebhookSecret};
use tokio::sync::OnceCell;

use crate::{clock::fresh_secret, refusal::store_error};

/// What webhooks of an owner are signed with that have no secret of their own. Asked for rarely, so read anew each time.
///
/// # Errors
/// When Redis does not answer.
pub(crate) async fn owner_secret(
    store: &Store,
    owner: &OwnerId,
) -> Result<WebhookSecret, ApiError> {
    let secret = store.secret(&fresh_secret()).await.map_err(store_error)?;
    let namespace = store.namespace().as_str();
    Ok(WebhookSecret::of_owner(&secret, namespace, owner.as_str()))
}

/// Verifies tokens. The secret is read when the first token comes.
#[derive(Default)]
pub(crate) struct Tokens(OnceCell<CallbackTokens>);

impl Tokens {
    /// The task and the call that a token is for.
    ///
    /// # Errors
    /// `invalid_token`, which never repeats it; or when the secret has to be read and Redis does not answer.
    pub(crate) async fn verify(
        &self,
        store: &Store,
        token: &str,
    ) -> Result<(String, String), ApiError> {
        let tokens = self.0.get_or_try_init(|| async {
            let secret = store.secret(&fresh_secret()).await.map_err(store_error)?;
            Ok::<_, ApiError>(CallbackTokens::new(&secret, store.namespace().as_str()))
        });
        let call = tokens.await?.verify(token);
        call.ok_or_else(|| ApiError::new(ErrorKind::InvalidToken))
    }
}
