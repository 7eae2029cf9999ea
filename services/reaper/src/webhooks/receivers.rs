//! Whom deliveries go to, and what they are signed with.

use std::collections::BTreeMap;

use factorial_core::{Leased, OwnerId, Receiver, Store, StoreError, Webhook, WebhookId};
use factorial_service::WebhookSecret;
use tokio::sync::OnceCell;

/// Who is to get a delivery.
pub(super) enum To {
    /// This one.
    Receiver(Receiver),
    /// Nobody any more: the webhook is not there, or is off.
    Nobody(&'static str),
}

/// Receivers of some deliveries.
pub(super) struct Receivers(BTreeMap<WebhookId, Webhook>);

impl Receivers {
    /// Reads the webhooks of owners that deliveries go to, as they are now.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(super) async fn of(store: &Store, deliveries: &[Leased]) -> Result<Self, StoreError> {
        let ids = deliveries
            .iter()
            .filter_map(|leased| leased.delivery.id.webhook());
        let mut ids: Vec<WebhookId> = ids.cloned().collect();
        ids.sort_unstable();
        ids.dedup();
        let found = store.webhooks(&ids).await?.into_iter().flatten();
        Ok(Self(found.map(|w| (w.id.clone(), w)).collect()))
    }

    /// Who is to get it.
    pub(super) fn find(&self, leased: &Leased) -> To {
        let delivery = &leased.delivery;
        if let Some(receiver) = &delivery.receiver {
            return To::Receiver(receiver.clone());
        }
        let webhook = delivery.id.webhook().and_then(|id| self.0.get(id));
        match webhook.filter(|webhook| webhook.owner == delivery.owner) {
            Some(webhook) if webhook.on => To::Receiver(webhook.receiver.clone()),
            Some(_) => To::Nobody("webhook_disabled"),
            None => To::Nobody("webhook_removed"),
        }
    }
}

/// What messages are signed with. The secret of the namespace is read once.
pub(super) struct Secrets {
    fresh: String,
    namespace: OnceCell<String>,
}

impl Secrets {
    /// `fresh` becomes the secret of a namespace that has none.
    pub(super) fn new(fresh: String) -> Self {
        Self {
            fresh,
            namespace: OnceCell::new(),
        }
    }

    /// That of the receiver, or else of the owner. `None`: it is not a secret, which gateways do not accept.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(super) async fn of(
        &self,
        store: &Store,
        receiver: &Receiver,
        owner: &OwnerId,
    ) -> Result<Option<WebhookSecret>, StoreError> {
        if let Some(secret) = &receiver.secret {
            return Ok(WebhookSecret::try_from(secret).ok());
        }
        let read = self.namespace.get_or_try_init(|| store.secret(&self.fresh));
        let (secret, namespace) = (read.await?, store.namespace().as_str());
        let secret = WebhookSecret::of_owner(secret, namespace, owner.as_str());
        Ok(Some(secret))
    }
}
