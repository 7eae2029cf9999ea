//! What waits for an operator, of all tasks.
//!
//! Shared by the lists of approvals and of calls, which differ in who is asked for what.

use std::collections::{BTreeMap, BTreeSet};

use factorial_api::{AskedCall, AskedCallPage, Page};
use factorial_core::{AgentName, Asked, AskedFilter, Store, StoreError, TaskId, Wait, WaitKind};
use factorial_service::ApiError;
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{Params, open_cursor, seal_cursor, within},
    ownership,
    refusal::store_error,
};

const MOST: usize = 200;
const USUAL: usize = 50;
/// Calls to the store at once for one page.
const AT_ONCE: usize = 16;
/// Ten years: older than anything that waits.
const OLDEST_SECONDS: i64 = 10 * 365 * 24 * 3600;

/// A page of what waits, as the parameters ask for it. What is answered meanwhile is left out.
///
/// # Errors
/// Everything that is wrong with the parameters; when Redis does not answer.
pub(crate) async fn inbox(
    app: &AppState,
    caller: &Caller,
    kind: WaitKind,
    mut params: Params,
) -> Result<AskedCallPage, ApiError> {
    let age = "older_than_seconds";
    let older_than = params.take(age, within(0..=OLDEST_SECONDS));
    let owner = ownership::in_params(caller, &mut params);
    let filter = AskedFilter {
        kind,
        owners: ownership::scope(caller, owner),
        agent: params.take("agent", |text| AgentName::new(text).map_err(|e| e.problem)),
        before_ms: older_than.map(|seconds| app.clock.now_ms() - 1000 * seconds),
    };
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    let cursor = params.take("cursor", |text| open_cursor(text, sound));
    params.finish()?;
    let page = app
        .store
        .asked(&filter, cursor.as_deref(), limit)
        .await
        .map_err(store_error)?;
    let data = show(&app.store, page.items).await.map_err(store_error)?;
    Ok(Page {
        data,
        next_cursor: page.next.as_deref().map(seal_cursor),
    })
}

/// The time and the name of one that was seen: a number, then five words.
fn sound(text: &str) -> Option<String> {
    let (at, name) = text.split_once(' ')?;
    let words = name.split(' ').filter(|w| !w.is_empty()).count();
    // Without a name: from the beginning of that time.
    let is_one = at.parse::<i64>().is_ok() && (words == 5 || name.is_empty());
    is_one.then(|| text.to_owned())
}

/// Those that still wait, with what they ask.
async fn show(store: &Store, items: Vec<Asked>) -> Result<Vec<AskedCall>, StoreError> {
    let waits = waits_of(store, &items).await?;
    let mut open = Vec::with_capacity(items.len());
    for asked in items {
        let waits = waits.get(&asked.task).map_or(&[][..], Vec::as_slice);
        let wait = waits.iter().find(|wait| wait.key == asked.key);
        if let Some(wait) = wait.filter(|wait| wait.is_open())
            && let Some(entry) = convert::reply_of(wait)
        {
            let place = (asked.task.clone(), entry);
            open.push((asked, wait, place));
        }
    }
    // A reply may make many calls.
    let places: BTreeSet<_> = open.iter().map(|(_, _, place)| place.clone()).collect();
    let places: Vec<_> = places.into_iter().collect();
    let replies = store.entries_at(&places).await?;
    let replies: BTreeMap<_, _> = places.into_iter().zip(replies).collect();
    let shown = open.into_iter().filter_map(|(asked, wait, place)| {
        convert::asked_call(asked, wait, replies.get(&place)?.as_ref()?)
    });
    Ok(shown.collect())
}

async fn waits_of(
    store: &Store,
    items: &[Asked],
) -> Result<BTreeMap<TaskId, Vec<Wait>>, StoreError> {
    let tasks: BTreeSet<TaskId> = items.iter().map(|asked| asked.task.clone()).collect();
    let read = tasks.into_iter().map(|id| async move {
        let waits = store.waits(&id).await?;
        Ok((id, waits))
    });
    stream::iter(read)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}
