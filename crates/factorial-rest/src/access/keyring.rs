//! The keys of the namespace, kept in memory.
//!
//! Read as a whole every 30 s and after each reconnection, and one by one when something is told of them. Invariants: a
//! revoked key ends here within a second of its revocation, while Redis answers; a key that is not known is looked for in
//! Redis only so often, so that made-up keys are no flood of calls.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use factorial_core::{ApiKey, KeyId, KeyLimits, KeyNotice, Store, StoreError};
use factorial_service::KeyToken;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{
    bucket::Bucket,
    caller::{Identity, Who},
};
use crate::clock::machine_ms;

/// Between two readings of all keys.
const READ_EVERY: Duration = Duration::from_secs(30);
/// Between two looks at what is to be noted.
const NOTE_EVERY: Duration = Duration::from_secs(10);
/// The last use of a key is written at most so often.
const NOTE_AGAIN_AFTER_MS: i64 = 60_000;
/// Looks at Redis for keys that are not known, in a second.
const LOOKS: f64 = 20.0;

/// A key, with whoever uses it.
struct Known {
    key: ApiKey,
    identity: Arc<Identity>,
    /// When it was used last, and when that was written; ms, 0: never.
    used_ms: AtomicI64,
    noted_ms: AtomicI64,
}

/// All keys that are known.
pub(crate) struct Keyring {
    known: RwLock<HashMap<KeyId, Arc<Known>>>,
    looks: Bucket,
    defaults: KeyLimits,
}

impl Keyring {
    pub(crate) fn new(defaults: KeyLimits) -> Self {
        Self {
            known: RwLock::default(),
            looks: Bucket::new(LOOKS, None, Instant::now()),
            defaults,
        }
    }

    /// Whoever has this key; `None`: it is not valid.
    ///
    /// # Errors
    /// When Redis has to be asked and does not answer.
    pub(crate) async fn identify(
        &self,
        store: &Store,
        token: &KeyToken,
    ) -> Result<Option<Arc<Identity>>, StoreError> {
        let Ok(id) = KeyId::new(token.id()) else {
            return Ok(None);
        };
        let found = self.find(store, &id).await?;
        let valid = found.filter(|known| token.is_of(&known.key.digest));
        Ok(valid.and_then(|known| known.use_now()))
    }

    /// Whoever has the key with this id, which was checked before; `None`: it is not valid any more.
    ///
    /// # Errors
    /// When Redis has to be asked and does not answer.
    pub(crate) async fn holder(
        &self,
        store: &Store,
        id: &KeyId,
    ) -> Result<Option<Arc<Identity>>, StoreError> {
        let found = self.find(store, id).await?;
        Ok(found.and_then(|known| known.use_now()))
    }

    async fn find(&self, store: &Store, id: &KeyId) -> Result<Option<Arc<Known>>, StoreError> {
        if let Some(known) = self.get(id) {
            return Ok(Some(known));
        }
        if self.looks.take(Instant::now()).is_err() {
            return Ok(None);
        }
        self.look(store, id).await?;
        Ok(self.get(id))
    }

    fn get(&self, id: &KeyId) -> Option<Arc<Known>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(id).cloned()
    }

    async fn look(&self, store: &Store, id: &KeyId) -> Result<(), StoreError> {
        let found = store.api_key(id).await?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match found {
            Some(key) => self.take(&mut known, key),
            None => end(known.remove(id)),
        }
        Ok(())
    }

    async fn read(&self, store: &Store) -> Result<(), StoreError> {
        let keys = store.api_keys().await?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *known);
        for key in keys {
            if let Some(same) = before.remove(&key.id) {
                known.insert(key.id.clone(), same);
            }
            self.take(&mut known, key);
        }
        for (_, gone) in before {
            end(Some(gone));
        }
        Ok(())
    }

    fn take(&self, known: &mut HashMap<KeyId, Arc<Known>>, key: ApiKey) {
        if known.get(&key.id).is_some_and(|known| known.key == key) {
            return;
        }
        let id = key.id.clone();
        let new = Known {
            identity: Arc::new(self.identity(&key)),
            key,
            used_ms: AtomicI64::new(0),
            noted_ms: AtomicI64::new(0),
        };
        end(known.insert(id, Arc::new(new)));
    }

    fn identity(&self, key: &ApiKey) -> Identity {
        let ended = CancellationToken::new();
        if key.revoked_ms.is_some() {
            ended.cancel();
        }
        Identity {
            who: Who::Key(key.id.clone()),
            role: key.role,
            owners: key.owners.clone(),
            max_body_bytes: key.limits.max_body_bytes,
            bucket: self.bucket(&key.limits),
            expires_ms: key.expires_ms,
            ended,
        }
    }

    /// How often one with these limits may ask.
    pub(crate) fn bucket(&self, limits: &KeyLimits) -> Option<Arc<Bucket>> {
        let own = limits.requests_per_second.map(|rate| (rate, limits.burst));
        let usual = self.defaults.requests_per_second;
        let (rate, burst) = own.or_else(|| usual.map(|rate| (rate, self.defaults.burst)))?;
        Some(Arc::new(Bucket::new(rate, burst, Instant::now())))
    }

    /// Whether there is any key that is valid, as far as is known.
    pub(crate) fn is_empty(&self) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        !known
            .values()
            .any(|known| !known.identity.has_ended(machine_ms()))
    }

    /// Reads all keys for the first time.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(crate) async fn open(&self, store: &Store) -> Result<(), StoreError> {
        self.read(store).await
    }

    /// Follows what is told of keys, and notes when they are used. Never ends.
    pub(crate) async fn follow(&self, store: &Store, told: impl Fn(&KeyNotice)) {
        let stop = CancellationToken::new();
        let _stop = stop.clone().drop_guard();
        let mut notices = store.key_notices(stop);
        let mut reads = interval(READ_EVERY);
        let mut notes = interval(NOTE_EVERY);
        for timer in [&mut reads, &mut notes] {
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            let done = tokio::select! {
                Some(notice) = notices.recv() => {
                    told(&notice);
                    match notice {
                        KeyNotice::Key(id) => self.look(store, &id).await,
                        KeyNotice::Session(_) => Ok(()),
                        KeyNotice::Missed => self.read(store).await,
                    }
                }
                _ = reads.tick() => self.read(store).await,
                _ = notes.tick() => self.note_uses(store).await,
            };
            if let Err(error) = done {
                tracing::debug!(%error, "keys not read");
            }
        }
    }

    /// Writes when keys were used last.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(crate) async fn note_uses(&self, store: &Store) -> Result<(), StoreError> {
        let mut uses = Vec::new();
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            for (id, known) in &*known {
                let used_ms = known.used_ms.load(Ordering::Relaxed);
                let noted_ms = known.noted_ms.load(Ordering::Relaxed);
                if used_ms > noted_ms
                    && (noted_ms == 0 || used_ms - noted_ms >= NOTE_AGAIN_AFTER_MS)
                {
                    known.noted_ms.store(used_ms, Ordering::Relaxed);
                    uses.push((id.clone(), used_ms));
                }
            }
        }
        store.note_api_key_uses(&uses).await
    }
}

impl Known {
    fn use_now(&self) -> Option<Arc<Identity>> {
        let now_ms = machine_ms();
        if self.identity.has_ended(now_ms) {
            return None;
        }
        self.used_ms.store(now_ms, Ordering::Relaxed);
        Some(Arc::clone(&self.identity))
    }
}

fn end(known: Option<Arc<Known>>) {
    if let Some(known) = known {
        known.identity.ended.cancel();
    }
}
