//! `factorial keys` and `factorial audit`.
//!
//! Over a gateway, with an admin's key; or straight on Redis, for whoever has no key yet.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use factorial_api::{CreateKey, Page, Role};
use factorial_core::{Namespace, Store, StoreOptions};
use factorial_rest::{list_keys, make_key, revoke_key};
use factorial_service::ApiError;
use secrecy::{ExposeSecret as _, SecretString};

use crate::args::Common;
use crate::config::login_name;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{audit_table, created_key, key_table};

/// Most keys that are listed straight from Redis: all that there can be.
const ALL: usize = usize::MAX - 1;

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key; it is shown once
    Create(Box<CreateArgs>),
    /// List keys, also those that have expired or were revoked
    List(KeysArgs),
    /// Revoke a key: it is refused from now on, and what is open with it ends
    Revoke(RevokeArgs),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CreateArgs {
    /// What it is for
    #[arg(long)]
    name: String,
    /// What it may do; each role may do what the ones before may
    #[arg(long, value_name = "ROLE", default_value = "submitter", value_parser = role_parser())]
    role: Role,
    /// An owner that it is bound to; can be given several times. Without any it sees the tasks of all owners
    #[arg(long = "owner", value_name = "OWNER")]
    owners: Vec<String>,
    /// Days after which it ends by itself
    #[arg(long, value_name = "DAYS")]
    expires_in_days: Option<u64>,
    /// Requests that it may make in a second
    #[arg(long, value_name = "NUMBER")]
    requests_per_second: Option<f64>,
    /// Requests that it may make at once
    #[arg(long, value_name = "NUMBER")]
    burst: Option<u32>,
    /// Bytes that a body may have
    #[arg(long, value_name = "BYTES")]
    max_body_bytes: Option<u64>,
    #[command(flatten)]
    pub(crate) keys: KeysArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct RevokeArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    pub(crate) keys: KeysArgs,
}

/// Where the keys are.
#[derive(Clone, Debug, Args)]
pub(crate) struct KeysArgs {
    /// Work straight on this Redis, without a gateway and without a key: for the first key
    #[arg(long, value_name = "URL")]
    redis_url: Option<SecretString>,
    /// With --redis-url: the namespace
    #[arg(
        long,
        value_name = "NAME",
        default_value = "factorial",
        env = "FACTORIAL_NAMESPACE",
        hide_env_values = true
    )]
    namespace: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct AuditArgs {
    /// Most entries
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl KeysCommand {
    pub(crate) fn common(&self) -> &Common {
        match self {
            Self::Create(args) => &args.keys.common,
            Self::List(args) => &args.common,
            Self::Revoke(args) => &args.keys.common,
        }
    }
}

impl KeysArgs {
    /// The namespace in Redis, if the keys are to be handled there.
    async fn store(&self) -> Result<Option<Store>, CliError> {
        let Some(url) = &self.redis_url else {
            return Ok(None);
        };
        let namespace = Namespace::new(&self.namespace)
            .map_err(|error| CliError::Usage(format!("--namespace: {error}")))?;
        let options = StoreOptions::new(url.expose_secret(), namespace);
        Ok(Some(Store::connect(&options).await?))
    }
}

/// Does what the command says.
pub(crate) async fn keys(gateway: &Gateway, command: KeysCommand) -> Result<Exit, CliError> {
    let client = &gateway.client;
    match command {
        KeysCommand::Create(args) => {
            let request = CreateKey {
                name: args.name,
                role: args.role,
                owner_ids: args.owners,
                expires_in_seconds: args.expires_in_days.map(|days| days.saturating_mul(86400)),
                requests_per_second: args.requests_per_second,
                burst: args.burst,
                max_body_bytes: args.max_body_bytes,
            };
            let created = match args.keys.store().await? {
                Some(store) => {
                    let by = login_name().unwrap_or_else(|| "somebody".to_owned());
                    make_key(&store, &request, format!("cli:{by}"))
                        .await
                        .map_err(refused)?
                }
                None => gateway.ask(client.create_key(&request)).await?,
            };
            gateway.print(&created, |paint| created_key(&created, paint))
        }
        KeysCommand::List(args) => {
            let page = match args.store().await? {
                Some(store) => {
                    let (data, next_cursor) =
                        list_keys(&store, None, ALL).await.map_err(refused)?;
                    Page { data, next_cursor }
                }
                None => {
                    gateway
                        .all(async |cursor| client.keys(cursor.as_deref()).await)
                        .await?
                }
            };
            gateway.print(&page, |paint| key_table(&page.data, gateway.now(), paint))
        }
        KeysCommand::Revoke(args) => {
            let key = match args.keys.store().await? {
                Some(store) => revoke_key(&store, &args.id).await.map_err(refused)?,
                None => gateway.ask(client.revoke_key(&args.id)).await?,
            };
            gateway.print(&key, |_| format!("{} is revoked\n", key.id))
        }
    }
}

/// Prints the newest entries of the audit log.
pub(crate) async fn audit(gateway: &Gateway, args: &AuditArgs) -> Result<Exit, CliError> {
    let mut page = Page {
        data: Vec::new(),
        next_cursor: None,
    };
    loop {
        let left = args.limit.saturating_sub(page.data.len()).clamp(1, 1000);
        let asked = gateway
            .client
            .audit(page.next_cursor.as_deref(), left as u32);
        let next = gateway.ask(asked).await?;
        page.data.extend(next.data);
        page.next_cursor = next.next_cursor;
        if page.next_cursor.is_none() || page.data.len() >= args.limit {
            break;
        }
    }
    gateway.print(&page, |paint| audit_table(&page.data, paint))
}

/// What is wrong, in words.
fn refused(error: ApiError) -> CliError {
    let title = error.kind().parts().3;
    let fields = error.into_field_errors();
    let wrong: Vec<String> = fields
        .iter()
        .filter(|wrong| !wrong.field.is_empty())
        .map(|wrong| format!("{} {}", wrong.field.trim_start_matches('/'), wrong.message))
        .collect();
    if wrong.is_empty() {
        CliError::Usage(title.to_owned())
    } else {
        CliError::Usage(wrong.join("; "))
    }
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::as_str)).try_map(|name| {
        let mut all = Role::ALL.into_iter();
        all.find(|role| role.as_str() == name)
            .ok_or("is not a role")
    })
}
