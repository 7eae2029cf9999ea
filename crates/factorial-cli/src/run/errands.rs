//! Questions to the gateway on the side, while events go on.

use std::collections::BTreeMap;

use factorial_api::{
    AnswerResponse, ApproveRequest, AskedCall, Asks, AwaitedCall, DenyRequest, ToolCallStatus,
};
use factorial_client::{AskedFilter, Client, ClientError};

use super::desk::Question;

/// Most calls of one page of the gateway.
const PAGE: u32 = 200;
/// Most pages of open approvals that are read for those of descendants.
const MOST_PAGES: usize = 5;
/// Most tasks that are looked up at once.
const MOST_LOOKUPS: usize = 50;

/// What an errand brought.
pub(super) enum News {
    /// The open approvals of the watched task.
    Own(Result<Vec<Question>, ClientError>),
    /// Those of its descendants.
    Below(Result<Below, ClientError>),
    /// What became of an answer.
    Answered(Box<Question>, Result<AnswerResponse, ClientError>),
}

/// Open approvals of descendants.
pub(super) struct Below {
    pub(super) questions: Vec<Question>,
    /// There is none besides these.
    pub(super) complete: bool,
    /// Whether a task is a descendant, of the tasks that have something open.
    pub(super) relatives: BTreeMap<String, bool>,
}

/// Looks what the watched task asks.
pub(super) async fn own(client: Client, id: String) -> News {
    News::Own(read_own(&client, &id).await)
}

async fn read_own(client: &Client, id: &str) -> Result<Vec<Question>, ClientError> {
    let mut questions = Vec::new();
    let mut cursor = None;
    loop {
        let (status, limit) = (Some(ToolCallStatus::Open), Some(PAGE));
        let page = client.tool_calls(id, status, None, cursor.as_deref(), limit);
        let page = page.await?;
        let asked = page.data.into_iter().filter(|c| c.asks == Asks::Approval);
        questions.extend(asked.map(|call| of_own(id, call)));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(questions);
        }
    }
}

/// Looks what the descendants of the root task `root` ask. `relatives`: what is known of other tasks.
pub(super) async fn below(
    client: Client,
    root: String,
    owner: String,
    relatives: BTreeMap<String, bool>,
) -> News {
    News::Below(read_below(&client, &root, owner, relatives).await)
}

async fn read_below(
    client: &Client,
    root: &str,
    owner: String,
    known: BTreeMap<String, bool>,
) -> Result<Below, ClientError> {
    let filter = AskedFilter {
        owner_id: Some(owner),
        ..AskedFilter::default()
    };
    let mut found = Below {
        questions: Vec::new(),
        complete: true,
        relatives: BTreeMap::new(),
    };
    let (mut cursor, mut lookups) = (None, 0);
    for _ in 0..MOST_PAGES {
        let page = client.approvals(&filter, cursor.as_deref(), Some(PAGE));
        let page = page.await?;
        for call in page.data.into_iter().filter(|call| call.task_id != root) {
            let id = &call.task_id;
            let related = match known.get(id).or_else(|| found.relatives.get(id)) {
                Some(related) => *related,
                None if lookups == MOST_LOOKUPS => {
                    found.complete = false;
                    continue;
                }
                None => {
                    lookups += 1;
                    client.task(id).await?.root_id.as_deref() == Some(root)
                }
            };
            found.relatives.insert(id.clone(), related);
            if related {
                found.questions.push(of_other(call));
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(found);
        }
    }
    found.complete = false;
    Ok(found)
}

/// Says yes.
pub(super) async fn approve(client: Client, question: Question, by: Option<String>) -> News {
    let request = ApproveRequest {
        arguments: None,
        by,
        owner_id: None,
    };
    let (id, call) = (&question.task_id, &question.call_id);
    let answer = client.approve(id, call, &request).await;
    News::Answered(Box::new(question), answer)
}

/// Says no.
pub(super) async fn deny(
    client: Client,
    question: Question,
    reason: String,
    by: Option<String>,
) -> News {
    let request = DenyRequest {
        reason: Some(reason).filter(|reason| !reason.is_empty()),
        by,
        owner_id: None,
    };
    let (id, call) = (&question.task_id, &question.call_id);
    let answer = client.deny(id, call, &request).await;
    News::Answered(Box::new(question), answer)
}

fn of_own(id: &str, call: AwaitedCall) -> Question {
    Question {
        task_id: id.to_owned(),
        call_id: call.call_id,
        agent: None,
        tool: call.tool,
        arguments: call.arguments,
    }
}

fn of_other(call: AskedCall) -> Question {
    Question {
        task_id: call.task_id,
        call_id: call.call_id,
        agent: Some(call.agent),
        tool: call.tool,
        arguments: call.arguments,
    }
}
