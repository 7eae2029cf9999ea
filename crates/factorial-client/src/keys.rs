//! API keys, and who did what with them.

use factorial_api::{AuditEntry, CreateKey, CreatedKey, Key, Page};
use reqwest::Method;

use crate::{
    client::{Client, Repeat},
    error::ClientError,
};

impl Client {
    /// Makes a key. Its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// When it is refused, or remains unanswered: then there may be a key that nobody knows.
    pub async fn create_key(&self, key: &CreateKey) -> Result<CreatedKey, ClientError> {
        let request = self.request(Method::POST, &["v1", "keys"]);
        self.send(request.json(key), Repeat::Never, self.0.timeout)
            .await?
            .decode()
    }

    /// A page of keys, by id.
    ///
    /// # Errors
    /// When the call remains unanswered.
    pub async fn keys(&self, cursor: Option<&str>) -> Result<Page<Key>, ClientError> {
        let cursor = cursor.map(|cursor| ("cursor", cursor.to_owned()));
        let query: Vec<_> = cursor.into_iter().collect();
        self.get(&["v1", "keys"], &query).await
    }

    /// Revokes a key.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn revoke_key(&self, id: &str) -> Result<Key, ClientError> {
        let request = self.request(Method::POST, &["v1", "keys", id, "revoke"]);
        self.send(request, Repeat::Safe, self.0.timeout)
            .await?
            .decode()
    }

    /// A page of the audit log, newest first.
    ///
    /// # Errors
    /// When the call remains unanswered.
    pub async fn audit(
        &self,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<AuditEntry>, ClientError> {
        let mut query = vec![("limit", limit.to_string())];
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        self.get(&["v1", "audit"], &query).await
    }
}
