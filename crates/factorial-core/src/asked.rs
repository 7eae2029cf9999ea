//! What waits for an operator: approvals, and calls that ask one; oldest first.

use deadpool_redis::redis;

use crate::{
    error::StoreError,
    ids::{AgentName, OwnerId, TaskId},
    owners::Owners,
    script::Reply,
    segments,
    store::Store,
    wait::{WaitKey, WaitKind},
};

/// Entries that are read from each partition at once; more when so many wait since the same ms.
const READ: usize = 500;
/// Entries looked at for one page, at most, before a short page is given.
const MOST_EXAMINED: usize = 20_000;

/// Which ones.
#[derive(Clone, Debug)]
pub struct AskedFilter {
    /// Approvals, or calls that ask an operator.
    pub kind: WaitKind,
    /// Only theirs.
    pub owners: Owners,
    /// Only this agent's.
    pub agent: Option<AgentName>,
    /// Only those that wait since before this, ms since the Unix epoch.
    pub before_ms: Option<i64>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The task that waits.
    pub task: TaskId,
    /// What it waits for.
    pub key: WaitKey,
    /// Its agent.
    pub agent: AgentName,
    /// Its owner.
    pub owner: OwnerId,
    /// Since when, ms since the Unix epoch, by Redis.
    pub asked_ms: i64,
}

/// A page of them.
#[derive(Clone, Debug, Default)]
pub struct AskedPage {
    /// Oldest first.
    pub items: Vec<Asked>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<String>,
}

impl Store {
    /// A page of what waits for an operator, oldest first. The cursor is the time and name of the last one seen.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn asked(
        &self,
        filter: &AskedFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<AskedPage, StoreError> {
        let mut page = AskedPage::default();
        let mut after = cursor.and_then(|c| c.split_once(' ')).map_or_else(
            || (0, String::new()),
            |(ms, name)| (ms.parse().unwrap_or(0), name.to_owned()),
        );
        let until = filter
            .before_ms
            .map_or_else(|| "+inf".to_owned(), |ms| format!("({ms}"));
        let (mut examined, mut most) = (0, READ);
        loop {
            let mut found = Vec::new();
            let mut exhausted = true;
            let mut horizon: Option<(i64, String)> = None;
            for members in self.asked_after(after.0, &until, most).await? {
                // What was not read of this partition is younger than what was.
                if members.len() == most {
                    exhausted = false;
                    let last = members.last().cloned();
                    horizon = horizon.into_iter().chain(last).min();
                }
                found.extend(members);
            }
            found.retain(|m| *m > after && horizon.as_ref().is_none_or(|h| m <= h));
            found.sort_unstable();
            examined += found.len();
            let progress = !found.is_empty();
            for member in found {
                let asked = Asked::decode(&member.1, member.0)?;
                after = member;
                let fits = asked.0 == filter.kind
                    && filter.owners.include(&asked.1.owner)
                    && filter.agent.as_ref().is_none_or(|a| *a == asked.1.agent);
                if fits {
                    if page.items.len() == limit {
                        let last = page.items.last().map(|i| i.cursor(filter.kind));
                        page.next = last;
                        return Ok(page);
                    }
                    page.items.push(asked.1);
                }
            }
            if exhausted {
                return Ok(page);
            }
            if !progress {
                most *= 2;
            }
            if examined >= MOST_EXAMINED {
                page.cut_before(after.0);
                return Ok(page);
            }
        }
    }

    async fn asked_after(
        &self,
        after_ms: i64,
        until: &str,
        most: usize,
    ) -> Result<Vec<Vec<(i64, String)>>, StoreError> {
        let mut pipe = redis::pipe();
        for partition in self.all_partitions() {
            pipe.cmd("ZRANGEBYSCORE")
                .arg(self.0.keys.place(partition, segments::ASKED))
                .arg(after_ms)
                .arg(until)
                .arg("WITHSCORES")
                .arg("LIMIT")
                .arg(0)
                .arg(most);
        }
        let mut replies = Reply::new("asked", self.0.link.pipeline(&pipe).await?);
        let mut all = Vec::new();
        for _ in self.all_partitions() {
            all.push(replies.scored()?);
        }
        Ok(all)
    }
}

impl AskedPage {
    /// Ends a page at the beginning of an instant, which is looked at again for the next one: the last one that was
    /// looked at may be somebody's whose name is not to be told.
    fn cut_before(&mut self, ms: i64) {
        self.items.retain(|item| item.asked_ms < ms);
        self.next = Some(format!("{ms} "));
    }
}

impl Asked {
    fn cursor(&self, kind: WaitKind) -> String {
        format!(
            "{} {kind} {} {} {} {}",
            self.asked_ms, self.agent, self.owner, self.task, self.key
        )
    }

    fn decode(member: &str, asked_ms: i64) -> Result<(WaitKind, Self), StoreError> {
        let bad = || StoreError::corrupt("asked", member);
        let mut words = member.splitn(5, ' ');
        let mut word = || words.next().ok_or_else(bad);
        let kind = word()?.parse()?;
        let asked = Self {
            agent: word()?.parse().map_err(|_| bad())?,
            owner: word()?.parse().map_err(|_| bad())?,
            task: word()?.parse().map_err(|_| bad())?,
            key: word()?.parse()?,
            asked_ms,
        };
        Ok((kind, asked))
    }
}
