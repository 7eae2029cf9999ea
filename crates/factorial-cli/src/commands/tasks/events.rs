//! `factorial tasks events`.

use std::pin::pin;

use clap::Args;
use factorial_api::{Event, EventPage};
use futures::StreamExt as _;

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{Format, event_line};

#[derive(Clone, Debug, Args)]
pub(crate) struct EventsArgs {
    /// Id of the task
    id: String,
    /// Go on until the task has ended
    #[arg(long, short)]
    follow: bool,
    /// Only those after the event of this `seq`
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    starting_after: u64,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Prints events: a line each, in JSON one document, or with `--follow` one document a line.
pub(crate) async fn events(gateway: &Gateway, args: &EventsArgs) -> Result<Exit, CliError> {
    if args.follow {
        return follow(gateway, args).await;
    }
    let mut all = EventPage {
        data: Vec::new(),
        last_seq: args.starting_after,
        has_more: true,
    };
    let mut read = args.starting_after;
    while all.has_more {
        let page = gateway
            .ask(gateway.client.event_page(&args.id, read, None))
            .await?;
        let Some(last) = page.data.last() else { break };
        read = last.seq;
        all.data.extend(page.data);
        all.last_seq = page.last_seq;
        all.has_more = page.has_more;
    }
    all.has_more = false;
    gateway.print(&all, |paint| {
        all.data
            .iter()
            .map(|event| event_line(event, paint))
            .collect()
    })
}

async fn follow(gateway: &Gateway, args: &EventsArgs) -> Result<Exit, CliError> {
    let mut events = pin!(gateway.client.events(&args.id, args.starting_after));
    while let Some(event) = events.next().await {
        let event = event.map_err(|source| gateway.failed(source))?;
        let line = line(gateway, &event).map_err(CliError::Output)?;
        gateway.printer.write(&line).map_err(CliError::Output)?;
    }
    Ok(Exit::Success)
}

fn line(gateway: &Gateway, event: &Event) -> std::io::Result<String> {
    match gateway.printer.format {
        Format::Table => Ok(event_line(event, gateway.printer.out)),
        Format::Json => {
            let json = serde_json::to_string(event).map_err(std::io::Error::other)?;
            Ok(format!("{json}\n"))
        }
    }
}
