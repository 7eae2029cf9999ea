//! Takes the members of a batch one by one, judges each, and keeps those of a batch that is sound so far.
//!
//! Used by the submit handler for both forms of a batch. Invariant: nothing is accepted before all members are sound, and
//! memory does not grow with their size: what is kept of each is in the spool, and 8 bytes of its name.

use std::{collections::HashSet, sync::Arc};

use factorial_api::BatchMember;
use factorial_service::{ApiError, ErrorKind};
use sha2::{Digest, Sha256};

use super::{lines::Line, member, problems::Problems, settings::Settings, spool::Spool};
use crate::{
    agents::KnownAgents,
    extract::parse_json,
    refusal::{field, shorten},
};

/// Most members of a batch.
const MOST_MEMBERS: u64 = 100_000;

/// Members so far.
pub(crate) struct Intake {
    settings: Settings,
    agents: Arc<KnownAgents>,
    now_ms: i64,
    longest: usize,
    members: u64,
    names: HashSet<[u8; 8]>,
    problems: Problems,
    print: Sha256,
    spool: Spool,
}

/// A batch all of whose members are sound.
pub(crate) struct Prepared {
    pub(super) settings: Settings,
    pub(super) members: u64,
    /// Tells its request from others.
    pub(super) print: Vec<u8>,
    pub(super) spool: Spool,
}

impl Intake {
    /// No members yet. `agents`: those that there are; `longest`: most bytes of a line, for the message.
    ///
    /// # Errors
    /// When the settings cannot be written, which no settings do.
    pub(crate) fn new(
        settings: Settings,
        agents: Arc<KnownAgents>,
        now_ms: i64,
        longest: usize,
    ) -> Result<Self, ApiError> {
        let mut print = Sha256::new();
        part(&mut print, b"batch");
        part(&mut print, &settings.fingerprint()?);
        Ok(Self {
            settings,
            agents,
            now_ms,
            longest,
            members: 0,
            names: HashSet::new(),
            problems: Problems::default(),
            print,
            spool: Spool::new(),
        })
    }

    /// Takes a line of NDJSON.
    ///
    /// # Errors
    /// `payload_too_large` when there are too many, or the spool fails.
    pub(crate) async fn line(&mut self, number: u64, line: &Line) -> Result<(), ApiError> {
        self.count()?;
        let Line::Text(text) = line else {
            let message = format!("is longer than {} bytes", self.longest);
            self.problems.note(number, vec![field("", message)]);
            return Ok(());
        };
        part(&mut self.print, text);
        // A list would be taken for the fields in their order.
        if text.trim_ascii_start().first() == Some(&b'[') {
            self.problems
                .note(number, vec![field("", "must be a JSON object")]);
            return Ok(());
        }
        match parse_json::<BatchMember>(text) {
            Ok(member) => {
                if self.judge(number, member) {
                    self.keep(text).await?;
                }
            }
            Err(error) => self.problems.note(number, error.into_field_errors()),
        }
        Ok(())
    }

    /// Takes a member of a JSON body.
    ///
    /// # Errors
    /// `payload_too_large` when there are too many, or the spool fails.
    pub(crate) async fn member(&mut self, member: BatchMember) -> Result<(), ApiError> {
        self.count()?;
        let mut value = serde_json::to_value(&member).map_err(ApiError::internal)?;
        value.sort_all_objects();
        let text = value.to_string();
        part(&mut self.print, text.as_bytes());
        if self.judge(self.members, member) {
            self.keep(text.as_bytes()).await?;
        }
        Ok(())
    }

    /// Ends the taking.
    ///
    /// # Errors
    /// `invalid_batch` when any member was not sound.
    pub(crate) fn finish(self) -> Result<Prepared, ApiError> {
        if !self.problems.is_empty() {
            let agents = self.agents.keys().cloned().map(String::from);
            return Err(self.problems.refusal(agents));
        }
        Ok(Prepared {
            settings: self.settings,
            members: self.members,
            print: self.print.finalize().to_vec(),
            spool: self.spool,
        })
    }

    fn count(&mut self) -> Result<(), ApiError> {
        self.members += 1;
        if self.members > MOST_MEMBERS {
            return Err(ApiError::new(ErrorKind::PayloadTooLarge)
                .with_detail(format!("a batch may have at most {MOST_MEMBERS} members")));
        }
        Ok(())
    }

    /// Whether the member is sound; what is wrong is noted.
    fn judge(&mut self, number: u64, member: BatchMember) -> bool {
        let named = member.custom_id.as_deref().map(short_hash);
        let sound = match member::judge(member, &self.settings, self.now_ms) {
            Err(errors) => {
                self.problems.note(number, errors);
                return false;
            }
            Ok(sound) => sound,
        };
        let Some(agent) = self.agents.get(&sound.agent) else {
            let agent = shorten(sound.agent.as_str());
            let error = field("/agent", format!("{agent} is announced by no worker"));
            self.problems.note_unknown_agent(number, error);
            return false;
        };
        if let Err(error) = sound.check_for(agent) {
            self.problems.note(number, error.into_field_errors());
            return false;
        }
        if named.is_some_and(|hash| !self.names.insert(hash)) {
            let error = field("/custom_id", "is the name of another member");
            self.problems.note(number, vec![error]);
            return false;
        }
        true
    }

    async fn keep(&mut self, text: &[u8]) -> Result<(), ApiError> {
        // A batch that is refused anyway needs no room.
        if !self.problems.is_empty() {
            return Ok(());
        }
        self.spool.push(text).await.map_err(ApiError::internal)
    }
}

/// So that no two lists of parts are the same text.
fn part(print: &mut Sha256, bytes: &[u8]) {
    print.update(bytes.len().to_le_bytes());
    print.update(bytes);
}

/// Two names of a batch share one less often than a disk errs.
fn short_hash(name: &str) -> [u8; 8] {
    let hash = Sha256::digest(name.as_bytes());
    let mut short = [0; 8];
    for (to, from) in short.iter_mut().zip(hash) {
        *to = from;
    }
    short
}
