//! The guard of an operation: who calls, whether that caller may, whether too often, and what came of it for the audit log.
//!
//! Put around each operation by `guarded`, next to its route. Invariants: the document of the interface says what the guard
//! checks, because both are made here; whatever changes something is in the audit log, with its outcome.

use std::sync::Arc;

use axum::{
    extract::Request,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use factorial_core::{AuditEntry, KeyLimits, KeyRole};
use factorial_service::{ApiError, ErrorKind, KeyToken, REQUEST_ID_HEADER, is_same_secret};
use http::{HeaderMap, Method, header};
use serde_json::json;
use tokio::time::Instant;
use utoipa::openapi::{
    PathItem, extensions::Extensions, path::Operation, security::SecurityRequirement,
};
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use super::{
    caller::{Caller, Identity},
    origin::client_address,
};
use crate::{app::AppState, clock::machine_ms, refusal::store_error};

/// Name of the role in the document.
pub(crate) const ROLE: &str = "x-required-role";
/// Name of the mark of operations that are about everybody.
pub(crate) const UNBOUND: &str = "x-unbound";
/// The other way to send a key.
const API_KEY_HEADER: &str = "x-api-key";
/// Begins the name of the subprotocol that says a key, for WebSockets of browsers.
const PROTOCOL: &str = "factorial.bearer.";
/// In the audit log: the client left before it was answered.
const ABANDONED: u16 = 499;

/// Who may do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nobody has to say who calls.
    Nothing,
    /// A key with this role, or a higher one; a bound one for its owners.
    Role(KeyRole),
    /// The same, but not a bound one: it is about everybody.
    Unbound(KeyRole),
}

/// Puts the guard around the operations of a route, and says in the document what it checks.
pub fn guarded<S>(needs: Needs, routes: UtoipaMethodRouter<S>) -> UtoipaMethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let (schemas, mut paths, methods) = routes;
    let mut names = Vec::new();
    for item in paths.paths.values_mut() {
        for (method, operation) in operations(item) {
            describe(needs, operation);
            names.push((method, operation.operation_id.clone().unwrap_or_default()));
        }
    }
    (schemas, paths, methods).map(|methods| guard(needs, names, methods))
}

/// Puts the guard around a route that no document describes. `name`: of what it does.
pub fn guarded_plain<S>(needs: Needs, name: &str, methods: MethodRouter<S>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let names = [Method::GET, Method::POST].map(|method| (method, name.to_owned()));
    guard(needs, names.into(), methods)
}

fn guard<S>(needs: Needs, names: Vec<(Method, String)>, methods: MethodRouter<S>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let names: Arc<[(Method, String)]> = names.into();
    methods.route_layer(from_fn(move |request: Request, next: Next| {
        let names = Arc::clone(&names);
        async move { check(needs, &names, request, next).await }
    }))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    let each = all.into_iter();
    each.filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn describe(needs: Needs, operation: &mut Operation) {
    let (Needs::Role(role) | Needs::Unbound(role)) = needs else {
        operation.security = Some(Vec::new());
        return;
    };
    let none: [&str; 0] = [];
    operation.security = Some(vec![
        SecurityRequirement::new("bearer", none),
        SecurityRequirement::new("api_key", none),
    ]);
    let mut said = Extensions::builder().add(ROLE, role.as_str());
    if matches!(needs, Needs::Unbound(_)) {
        said = said.add(UNBOUND, json!(true));
    }
    let said = said.build();
    match &mut operation.extensions {
        Some(extensions) => extensions.merge(said),
        none => *none = Some(said),
    }
}

async fn check(
    needs: Needs,
    names: &[(Method, String)],
    mut request: Request,
    next: Next,
) -> Response {
    let Some(app) = request.extensions().get::<AppState>().cloned() else {
        return ApiError::internal("a guarded operation without its application").into_response();
    };
    // Somebody in this process may ask for a caller that was identified before.
    let known = request.extensions().get::<Caller>().cloned();
    let caller = match needs {
        Needs::Nothing => Caller::new(Arc::clone(&app.anonymous)),
        Needs::Role(_) | Needs::Unbound(_) => {
            match identify(&app, known, request.headers()).await {
                Ok(caller) => caller,
                Err(refusal) => return refusal.into_response(),
            }
        }
    };
    if let Some(Err(wait)) = caller
        .identity()
        .bucket
        .as_ref()
        .map(|b| b.take(Instant::now()))
    {
        let refusal = ApiError::new(ErrorKind::RateLimited).with_retry_after(wait);
        return refusal.into_response();
    }
    let changes = ![Method::GET, Method::HEAD].contains(request.method());
    let record = changes.then(|| Record::begin(&app, needs, names, &caller, &request));
    let response = match may(needs, &caller) {
        Ok(()) => {
            request.extensions_mut().insert(caller.clone());
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    };
    if let Some(record) = record {
        record.end(&response);
    }
    response
}

fn may(needs: Needs, caller: &Caller) -> Result<(), ApiError> {
    let (Needs::Role(role) | Needs::Unbound(role)) = needs else {
        return Ok(());
    };
    let refused = |detail: String| Err(ApiError::new(ErrorKind::Forbidden).with_detail(detail));
    if !caller.may(role) {
        return refused(format!(
            "it needs the role {role}, and the key has {}",
            caller.role()
        ));
    }
    if matches!(needs, Needs::Unbound(_)) && !caller.owners().are_all() {
        return refused("it is about all owners, and the key is bound to some".to_owned());
    }
    Ok(())
}

/// Who sends a request.
async fn identify(
    app: &AppState,
    known: Option<Caller>,
    headers: &HeaderMap,
) -> Result<Caller, ApiError> {
    if let Some(caller) = known {
        return Ok(caller);
    }
    if !app.access.enabled {
        return Ok(Caller::new(Arc::clone(&app.anonymous)));
    }
    let refused = |detail| Err(ApiError::new(ErrorKind::Unauthenticated).with_detail(detail));
    match sent_key(headers) {
        Sent::Key(text) => match app.identify(text).await? {
            Some(identity) => Ok(Caller::new(identity)),
            None => refused("the key is not known, was revoked or has expired"),
        },
        Sent::Several => refused("more than one key was sent"),
        Sent::Nothing if app.takes_sessions => match app.session(headers).await? {
            Some(caller) => Ok(caller),
            None => refused("log in, or send a key as Authorization: Bearer <key>"),
        },
        Sent::Nothing => refused("send a key as Authorization: Bearer <key>"),
    }
}

impl AppState {
    /// Whoever has this key or token; `None`: it is not valid.
    ///
    /// # Errors
    /// When Redis has to be asked and does not answer.
    pub(crate) async fn identify(&self, text: &str) -> Result<Option<Arc<Identity>>, ApiError> {
        let admin_key = self.access.admin_key.as_ref();
        if admin_key.is_some_and(|key| is_same_secret(text, key)) {
            return Ok(Some(Arc::clone(&self.admin)));
        }
        match KeyToken::parse(text) {
            Some(token) => {
                let found = self.keyring.identify(&self.store, &token).await;
                found.map_err(store_error)
            }
            None => match &self.issuer {
                Some(issuer) => {
                    let bucket = || self.keyring.bucket(&KeyLimits::default());
                    Ok(issuer.identify(text, machine_ms(), bucket).await)
                }
                None => Ok(None),
            },
        }
    }
}

enum Sent<'a> {
    Key(&'a str),
    Several,
    Nothing,
}

/// The one key of a request.
fn sent_key(headers: &HeaderMap) -> Sent<'_> {
    let bearer = headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .filter_map(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim());
    let plain = headers
        .get_all(API_KEY_HEADER)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let protocols = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().strip_prefix(PROTOCOL));
    let mut keys = bearer.chain(plain).chain(protocols);
    match (keys.next(), keys.next()) {
        (Some(key), None) => Sent::Key(key),
        (Some(_), Some(_)) => Sent::Several,
        (None, _) => Sent::Nothing,
    }
}

/// A change on its way into the audit log. Written when it is dropped: also when the client left before the answer.
struct Record {
    app: AppState,
    needs: Needs,
    caller: Caller,
    entry: Option<AuditEntry>,
}

impl Record {
    fn begin(
        app: &AppState,
        needs: Needs,
        names: &[(Method, String)],
        caller: &Caller,
        request: &Request,
    ) -> Self {
        let name = names.iter().find(|(method, _)| method == request.method());
        let headers = request.headers();
        let address = client_address(request.extensions(), headers, &app.access.trusted);
        let id = headers
            .get(REQUEST_ID_HEADER)
            .and_then(|id| id.to_str().ok());
        let entry = AuditEntry {
            at_ms: 0,
            who: caller.name(),
            operation: name.map_or_else(String::new, |(_, name)| name.clone()),
            subject: None,
            owner: None,
            address: address.map(|address| address.to_string()),
            status: ABANDONED,
            code: None,
            request_id: id.map(str::to_owned),
        };
        Self {
            app: app.clone(),
            needs,
            caller: caller.clone(),
            entry: Some(entry),
        }
    }

    fn end(mut self, response: &Response) {
        if let Some(entry) = &mut self.entry {
            entry.status = response.status().as_u16();
            entry.code = ApiError::code_of(response).map(str::to_owned);
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            let note = self.caller.noted();
            // Whoever says nothing of who it is could push out the entries of others.
            if self.needs == Needs::Nothing && entry.status >= 400 {
                return;
            }
            self.app.audit.add(AuditEntry {
                at_ms: machine_ms(),
                who: note.who.unwrap_or(entry.who),
                subject: note.subject,
                owner: note.owner,
                ..entry
            });
        }
    }
}
