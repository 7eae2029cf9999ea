//! Runs one role until the parent goes away.

use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::time::Duration;

use factorial_core::{Store, StoreOptions};
use factorial_reaper::reaper_options;
use factorial_service::config::{GatewayRole, ReaperRole, WorkerRole, defaults};
use factorial_service::{Health, Shutdown, telemetry};
use factorial_worker::{WorkerOptions, worker_id};
use tokio::net::TcpListener;
use ulid::Ulid;

use super::agents::runners;
use super::spec::{Ready, Spec};
use crate::error::RoleError;

const POLL: Duration = Duration::from_millis(2);

/// Becomes what the first line of standard input says, with the defaults of that service: log, metrics, leases and
/// limits as in production. Says on standard output when it works, and ends when standard input does.
///
/// # Errors
/// When it cannot start.
pub async fn run_role(clock: fn() -> u64, unique: fn() -> Ulid) -> Result<(), RoleError> {
    let mut line = String::new();
    // Nothing else runs yet that this could hold up.
    std::io::stdin().read_line(&mut line)?;
    let spec: Spec = serde_json::from_str(&line)?;
    let shutdown = Shutdown::new();
    follow_parent(shutdown.clone());
    match spec {
        Spec::Worker {
            redis_url,
            namespace,
            slots,
            model_url,
            deferring,
        } => {
            let role: WorkerRole = defaults()?;
            telemetry::init(&role.log, "factorial-bench-worker")?;
            let store = StoreOptions::new(redis_url, namespace);
            let pid = std::process::id();
            let id = worker_id("bench", pid, unique()).map_err(std::io::Error::other)?;
            let runners = runners(slots, model_url, deferring, clock)?;
            let health = Health::new();
            let options = WorkerOptions {
                pid,
                ..WorkerOptions::default()
            };
            let working = factorial_worker::run(store, options, id, runners, &health, &shutdown);
            tokio::pin!(working);
            tokio::select! {
                ended = &mut working => return Ok(ended?),
                () = ready(&health) => say(&Ready::default())?,
            }
            working.await?;
        }
        Spec::Gateway {
            redis_url,
            namespace,
        } => {
            let role: GatewayRole = defaults()?;
            telemetry::init(&role.log, "factorial-bench-gateway")?;
            let mut options = StoreOptions::new(redis_url, namespace);
            options.timeout = role.redis.timeout;
            let store = Store::connect(&options).await?;
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let url = format!("http://{}", listener.local_addr()?);
            say(&Ready { url: Some(url) })?;
            let access = factorial_gateway::Access::open();
            factorial_gateway::run(listener, store, &role.gateway, access, None, &shutdown).await;
        }
        Spec::Reaper {
            redis_url,
            namespace,
            ended_ttl,
        } => {
            let role: ReaperRole = defaults()?;
            telemetry::init(&role.log, "factorial-bench-reaper")?;
            let store = Store::connect(&StoreOptions::new(redis_url, namespace)).await?;
            let mut options = reaper_options(&role.maintenance, &role.recovery, &role.webhooks);
            if let Some(ttl) = ended_ttl.map(Duration::from_secs) {
                (options.completed_ttl, options.failed_ttl) = (ttl, ttl);
                options.cancelled_ttl = ttl;
            }
            let health = Health::new();
            let chores = factorial_reaper::run(store, options, &health, &shutdown);
            tokio::pin!(chores);
            tokio::select! {
                ended = &mut chores => return Ok(ended?),
                () = ready(&health) => say(&Ready::default())?,
            }
            chores.await?;
        }
    }
    Ok(())
}

/// Waits until every part says that it works. None is known before the first has begun.
async fn ready(health: &Health) {
    while health.waiting_for().is_none_or(|names| !names.is_empty()) {
        tokio::time::sleep(POLL).await;
    }
}

fn say(ready: &Ready) -> Result<(), RoleError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(ready)?)?;
    Ok(out.flush()?)
}

/// A thread of its own: one of the runtime's would keep the process from ending.
fn follow_parent(shutdown: Shutdown) {
    std::thread::spawn(move || {
        // Nothing more is sent; the end, or an error, says that the parent is gone.
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        shutdown.stop_now();
    });
}
