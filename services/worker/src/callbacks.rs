//! Where deferred HTTP tools post their results: a URL of the gateway with a token that is good for one call.

use factorial_core::{Store, StoreError, TaskId};
use factorial_service::CallbackTokens;
use url::Url;

/// Makes the URLs.
pub(crate) struct Callbacks {
    base: String,
    tokens: CallbackTokens,
}

impl Callbacks {
    /// `public_url`: where the gateway is reached. `fresh`: becomes the secret of a namespace that has none.
    pub(crate) async fn new(
        public_url: &Url,
        store: &Store,
        fresh: &str,
    ) -> Result<Self, StoreError> {
        let secret = store.secret(fresh).await?;
        Ok(Self {
            base: public_url.as_str().trim_end_matches('/').to_owned(),
            tokens: CallbackTokens::new(&secret, store.namespace().as_str()),
        })
    }

    /// Where the result of a call is posted. A secret.
    pub(crate) fn url(&self, task: &TaskId, call: &str) -> String {
        let token = self.tokens.sign(task.as_str(), call);
        format!("{}/v1/callbacks/{token}", self.base)
    }
}
