//! `GET system`

use axum::{Json, extract::State};
use factorial_api::{ChoreInfo, PartitionInfo, RedisInfo, System};
use factorial_core::ChoreStatus;
use factorial_rest::store_error;
use factorial_service::ApiError;

use crate::{
    app::App,
    overview::{status_counts, time},
};

/// A chore that has not succeeded for so many of its intervals is stalled.
const STALLED_AFTER: u64 = 6;

/// Shows what everything runs on: Redis, partitions, chores.
///
/// Memory, commands and latency of Redis as it says them itself; a chore that is late shows in its last success.
#[utoipa::path(
    get, path = "/system", tag = "service",
    responses((status = 200, description = "The system", body = System)),
)]
pub(crate) async fn get_system(State(app): State<App>) -> Result<Json<System>, ApiError> {
    let store = &app.store;
    let latency = store.latency().await.map_err(store_error)?;
    let (now_ms, redis, partitions, chores) = futures::try_join!(
        store.now_ms(),
        store.server_info(),
        store.counts_by_partition(),
        store.chores(),
    )
    .map_err(store_error)?;
    let partitions = (0..)
        .zip(&partitions)
        .map(|(number, counts)| PartitionInfo {
            number,
            counts: status_counts(counts, None),
        });
    Ok(Json(System {
        at: time(now_ms),
        namespace: store.namespace().to_string(),
        schema: store.schema().to_owned(),
        redis: RedisInfo {
            version: redis.version,
            mode: redis.mode,
            latency_ms: (latency.as_secs_f64() * 100_000.0).round() / 100.0,
            used_memory_bytes: redis.used_memory,
            max_memory_bytes: redis.max_memory,
            clients: redis.clients,
            commands_per_second: redis.commands_per_second,
            append_only: redis.append_only,
            uptime_seconds: redis.uptime_seconds,
            fragmentation: redis.fragmentation,
        },
        partitions: partitions.collect(),
        chores: chores
            .into_iter()
            .map(|chore| shown(chore, now_ms))
            .collect(),
    }))
}

fn shown(chore: ChoreStatus, now_ms: u64) -> ChoreInfo {
    let age = now_ms.saturating_sub(chore.success_ms);
    ChoreInfo {
        name: chore.name,
        last_success_at: Some(time(chore.success_ms)),
        took_ms: Some(chore.took_ms),
        done: chore.done,
        stalled: age > STALLED_AFTER * chore.interval_ms,
    }
}
