//! What the handlers share.

use std::{ops::Deref, sync::Arc};

use axum::extract::FromRef;
use factorial_core::Store;
use factorial_rest::AppState;
use factorial_service::{Health, Shutdown};
use tokio_util::task::TaskTracker;

use crate::{live::Topics, options::DashboardOptions, overview::Overviews};

/// A handle to what is shared; clones are the same.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) store: Store,
    /// Of the operations that the gateway has as well.
    pub(crate) rest: AppState,
    pub(crate) health: Health,
    pub(crate) options: DashboardOptions,
    pub(crate) overviews: Overviews,
    pub(crate) topics: Topics,
    /// Open WebSockets.
    pub(crate) sockets: TaskTracker,
    pub(crate) shutdown: Shutdown,
}

impl App {
    pub(crate) fn new(
        store: Store,
        rest: AppState,
        options: DashboardOptions,
        health: &Health,
        shutdown: &Shutdown,
    ) -> Self {
        Self(Arc::new(Shared {
            overviews: Overviews::new(store.clone()),
            topics: Topics::default(),
            sockets: TaskTracker::new(),
            store,
            rest,
            health: health.clone(),
            options,
            shutdown: shutdown.clone(),
        }))
    }
}

impl FromRef<App> for AppState {
    fn from_ref(app: &App) -> Self {
        app.rest.clone()
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
