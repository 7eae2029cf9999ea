//! `factorial webhooks`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use factorial_api::{AddWebhook, SigningSecret, WebhookEventType};
use secrecy::{ExposeSecret as _, SecretString};

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{delivery_table, webhook_table};

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Add a webhook of an owner: it is told of ends and waits of all its tasks and batches
    Add(AddArgs),
    /// List the webhooks of an owner
    List(OwnerArgs),
    /// Remove a webhook of an owner
    Remove(IdArgs),
    /// List the last deliveries to a webhook, or of a task or a batch
    Deliveries(DeliveriesArgs),
    /// Try a delivery again
    Retry(IdArgs),
    /// Print what webhooks of an owner are signed with that have no secret of their own
    Secret(OwnerArgs),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct AddArgs {
    /// Where to
    #[arg(value_name = "URL")]
    target: String,
    #[command(flatten)]
    owner: OwnerArgs,
    /// Only of this type; can be given several times
    #[arg(long = "event", value_name = "TYPE", value_parser = event_parser())]
    events: Vec<WebhookEventType>,
    /// What to sign with, instead of the owner's secret: whsec_ and 24 to 64 bytes in base64
    #[arg(
        long,
        value_name = "SECRET",
        env = "FACTORIAL_WEBHOOK_SECRET",
        hide_env_values = true
    )]
    secret: Option<SecretString>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct OwnerArgs {
    /// The owner
    #[arg(
        long,
        default_value = "cli",
        env = "FACTORIAL_OWNER",
        hide_env_values = true
    )]
    owner: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct IdArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DeliveriesArgs {
    /// Id of a webhook or of a task
    id: String,
    /// The id is that of a batch
    #[arg(long)]
    batch: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl WebhooksCommand {
    pub(crate) fn common(&self) -> &Common {
        match self {
            Self::Add(args) => &args.owner.common,
            Self::List(args) | Self::Secret(args) => &args.common,
            Self::Remove(args) | Self::Retry(args) => &args.common,
            Self::Deliveries(args) => &args.common,
        }
    }
}

/// Does what the command says.
pub(crate) async fn webhooks(
    gateway: &Gateway,
    command: WebhooksCommand,
) -> Result<Exit, CliError> {
    let client = &gateway.client;
    match command {
        WebhooksCommand::Add(args) => add(gateway, args).await,
        WebhooksCommand::List(args) => {
            let page = gateway.ask(client.webhooks(&args.owner)).await?;
            gateway.print(&page, |paint| {
                webhook_table(&page.data, gateway.now(), paint)
            })
        }
        WebhooksCommand::Remove(args) => {
            gateway.ask(client.remove_webhook(&args.id)).await?;
            Ok(Exit::Success)
        }
        WebhooksCommand::Deliveries(args) => deliveries(gateway, args).await,
        WebhooksCommand::Retry(args) => {
            let delivery = gateway.ask(client.retry_webhook_delivery(&args.id)).await?;
            gateway.print(&delivery, |_| format!("{} is tried again\n", delivery.id))
        }
        WebhooksCommand::Secret(args) => {
            let told = gateway.ask(client.webhook_secret(&args.owner)).await?;
            gateway.print(&told, |_| format!("{}\n", told.secret.expose()))
        }
    }
}

async fn add(gateway: &Gateway, args: AddArgs) -> Result<Exit, CliError> {
    let request = AddWebhook {
        owner_id: args.owner.owner,
        url: args.target,
        event_types: args.events,
        secret: args.secret.map(|s| SigningSecret::new(s.expose_secret())),
    };
    let webhook = gateway.ask(gateway.client.add_webhook(&request)).await?;
    gateway.print(&webhook, |_| format!("{}\n", webhook.id))
}

async fn deliveries(gateway: &Gateway, args: DeliveriesArgs) -> Result<Exit, CliError> {
    let (client, id) = (&gateway.client, args.id.as_str());
    let page = if args.batch {
        gateway.ask(client.batch_webhook_deliveries(id)).await?
    } else if id.starts_with("wh_") {
        gateway.ask(client.webhook_deliveries(id)).await?
    } else {
        gateway.ask(client.task_webhook_deliveries(id)).await?
    };
    gateway.print(&page, |paint| {
        delivery_table(&page.data, gateway.now(), paint)
    })
}

fn event_parser() -> impl TypedValueParser<Value = WebhookEventType> {
    let names = WebhookEventType::ALL.map(WebhookEventType::as_str);
    PossibleValuesParser::new(names).try_map(|name| {
        let mut all = WebhookEventType::ALL.into_iter();
        all.find(|event| event.as_str() == name)
            .ok_or("is not a type of event")
    })
}
