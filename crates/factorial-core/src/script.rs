//! Running scripts and reading their replies.
//!
//! A reply is a flat array that starts with an outcome word; `Reply` hands out what follows in order, and anything
//! that is not of the expected form is an error that names the script.

use std::{borrow::Cow, ops::Deref, sync::OnceLock, time::Instant};

use deadpool_redis::redis::{self, Cmd, ToRedisArgs, Value};
use metrics::{counter, histogram};

use crate::{error::StoreError, link::Link};

/// Seconds that a script call takes, by script, round trip included.
pub(crate) const SCRIPT_DURATION: &str = "factorial_redis_script_duration_seconds";
/// Script calls that failed, by script.
pub(crate) const SCRIPT_ERRORS: &str = "factorial_redis_script_errors_total";

/// A script of `lua/`.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) code: &'static str,
    pub(crate) sha: OnceLock<String>,
}

/// `script!("enqueue")`: the script of that file.
macro_rules! script {
    ($name:literal) => {
        $crate::script::Script {
            name: $name,
            code: include_str!(concat!(env!("OUT_DIR"), "/", $name, ".lua")),
            sha: std::sync::OnceLock::new(),
        }
    };
}
pub(crate) use script;

impl Script {
    fn sha(&self) -> &str {
        self.sha
            .get_or_init(|| redis::Script::new(self.code).get_hash().to_owned())
    }

    /// A call with the base of a partition as its key.
    pub(crate) fn on(&'static self, base: &Base<'_>) -> Call {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(self.sha());
        match base.guard() {
            Some(guard) => cmd.arg(2).arg(&*base.key).arg(guard),
            None => cmd.arg(1).arg(&*base.key),
        };
        Call { script: self, cmd }
    }

    /// A call with one key, and nothing else that it reads or writes.
    pub(crate) fn on_key(&'static self, key: &str) -> Call {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(self.sha()).arg(1).arg(key);
        Call { script: self, cmd }
    }
}

/// The start of the keys of a partition, as scripts are given it: `{namespace:partition}:`, which is no key itself.
pub(crate) struct Base<'a> {
    key: Cow<'a, str>,
    cluster: bool,
}

impl<'a> Base<'a> {
    pub(crate) fn new(key: impl Into<Cow<'a, str>>, link: &Link) -> Self {
        Self {
            key: key.into(),
            cluster: link.is_cluster(),
        }
    }

    /// In a cluster, another name that is no key. While the slot goes from one server to another, key by key, a script
    /// would see those on its side alone; of two keys that are not there, neither server runs one (`TRYAGAIN`).
    fn guard(&self) -> Option<&str> {
        self.key.strip_suffix(':').filter(|_| self.cluster)
    }
}

impl Deref for Base<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.key
    }
}

/// A script call being put together.
pub(crate) struct Call {
    script: &'static Script,
    cmd: Cmd,
}

impl Call {
    pub(crate) fn arg(mut self, arg: impl ToRedisArgs) -> Self {
        self.cmd.arg(arg);
        self
    }

    /// The items alone.
    pub(crate) fn args<T: ToRedisArgs>(mut self, items: &[T]) -> Self {
        for item in items {
            self.cmd.arg(item);
        }
        self
    }

    /// The arguments so far, to be added to.
    pub(crate) fn cmd(&mut self) -> &mut Cmd {
        &mut self.cmd
    }

    /// A count, then the arguments of one task of a group.
    pub(crate) fn part(mut self, part: &Cmd) -> Self {
        self.cmd.arg(part.args_iter().len());
        for arg in part.args_iter() {
            if let redis::Arg::Simple(arg) = arg {
                self.cmd.arg(arg);
            }
        }
        self
    }

    /// The same call with the code instead of its hash; the server keeps the code.
    fn with_code(&self) -> Cmd {
        let mut eval = redis::cmd("EVAL");
        eval.arg(self.script.code);
        for arg in self.cmd.args_iter().skip(2) {
            if let redis::Arg::Simple(arg) = arg {
                eval.arg(arg);
            }
        }
        eval
    }

    /// Runs it; sends the code when the server does not have it.
    pub(crate) async fn run(self, link: &Link) -> Result<Reply, StoreError> {
        let started = Instant::now();
        let mut result = link.command(&self.cmd).await;
        if let Err(StoreError::Refused(detail)) = &result
            && detail.starts_with("NOSCRIPT")
        {
            // Not LOAD and again by its hash: whoever empties the script cache can do so in between.
            result = link.command(&self.with_code()).await;
        }
        histogram!(SCRIPT_DURATION, "script" => self.script.name)
            .record(started.elapsed().as_secs_f64());
        let name = self.script.name;
        match result {
            Ok(Value::Array(items)) => Ok(Reply {
                script: name,
                items: items.into_iter(),
            }),
            Ok(other) => Err(StoreError::corrupt(
                name,
                format!("not an array: {other:?}"),
            )),
            Err(e) => {
                counter!(SCRIPT_ERRORS, "script" => name).increment(1);
                Err(e)
            }
        }
    }
}

/// Adds a count, then the items.
pub(crate) fn list<T: ToRedisArgs>(cmd: &mut Cmd, items: &[T]) {
    cmd.arg(items.len());
    for item in items {
        cmd.arg(item);
    }
}

/// What a script returned, read from the front.
pub(crate) struct Reply {
    script: &'static str,
    items: std::vec::IntoIter<Value>,
}

impl Reply {
    pub(crate) fn new(script: &'static str, items: Vec<Value>) -> Self {
        Self {
            script,
            items: items.into_iter(),
        }
    }

    /// An error that names the script.
    pub(crate) fn corrupt(&self, detail: impl Into<String>) -> StoreError {
        StoreError::corrupt(self.script, detail)
    }

    /// The next item; an error when there is none.
    pub(crate) fn value(&mut self) -> Result<Value, StoreError> {
        self.items
            .next()
            .ok_or_else(|| self.corrupt("reply ends early"))
    }

    /// The next item as text.
    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        let value = self.value()?;
        text(value).map_err(|e| self.corrupt(e))
    }

    /// The next item as a whole number, sent as an integer or as text.
    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        match self.value()? {
            Value::Int(n) => Ok(n),
            other => {
                let text = text(other).map_err(|e| self.corrupt(e))?;
                text.parse()
                    .map_err(|_| self.corrupt(format!("not a number: {text}")))
            }
        }
    }

    /// The next item as a count.
    pub(crate) fn count(&mut self) -> Result<u64, StoreError> {
        let n = self.int()?;
        u64::try_from(n).map_err(|_| self.corrupt(format!("negative count: {n}")))
    }

    /// The next item as text; `None` when it is nil.
    pub(crate) fn text_or_nil(&mut self) -> Result<Option<String>, StoreError> {
        match self.value()? {
            Value::Nil => Ok(None),
            other => text(other).map(Some).map_err(|e| self.corrupt(e)),
        }
    }

    /// The next item as the whole score of a member; `None` when it is nil.
    pub(crate) fn score_or_nil(&mut self) -> Result<Option<i64>, StoreError> {
        #[expect(clippy::cast_possible_truncation, reason = "scores are whole ms")]
        match self.value()? {
            Value::Nil => Ok(None),
            Value::Double(score) => Ok(Some(score as i64)),
            other => {
                let score = text(other).map_err(|e| self.corrupt(e))?;
                let score: f64 = score.parse().map_err(|_| self.corrupt("score"))?;
                Ok(Some(score as i64))
            }
        }
    }

    /// The next item as members of a sorted set with whole scores; RESP2 and RESP3 say it differently.
    pub(crate) fn scored(&mut self) -> Result<Vec<(i64, String)>, StoreError> {
        let mut items = self.array()?;
        let mut members = Vec::new();
        while !items.is_empty() {
            let (member, score) = match items.value()? {
                Value::Array(pair) => {
                    let mut pair = Reply::new(self.script, pair);
                    (pair.text()?, pair.value()?)
                }
                member => (text(member).map_err(|e| self.corrupt(e))?, items.value()?),
            };
            let score = match score {
                Value::Double(score) => score,
                other => text(other)
                    .ok()
                    .and_then(|t| t.parse().ok())
                    .ok_or_else(|| self.corrupt("score"))?,
            };
            #[expect(clippy::cast_possible_truncation, reason = "scores are whole ms")]
            members.push((score as i64, member));
        }
        Ok(members)
    }

    /// The next item as an array of its own.
    pub(crate) fn array(&mut self) -> Result<Reply, StoreError> {
        match self.value()? {
            Value::Array(items) => Ok(Reply::new(self.script, items)),
            other => Err(self.corrupt(format!("not an array: {other:?}"))),
        }
    }

    /// The next item as the flat fields and values of a hash; RESP2 and RESP3 say it differently.
    pub(crate) fn map(&mut self) -> Result<Reply, StoreError> {
        match self.value()? {
            Value::Array(items) => Ok(Reply::new(self.script, items)),
            Value::Map(pairs) => Ok(Reply::new(
                self.script,
                pairs.into_iter().flat_map(|(k, v)| [k, v]).collect(),
            )),
            other => Err(self.corrupt(format!("not a map: {other:?}"))),
        }
    }

    /// All that is left, as text.
    pub(crate) fn texts(&mut self) -> Result<Vec<String>, StoreError> {
        let mut out = Vec::with_capacity(self.items.len());
        while self.items.len() > 0 {
            out.push(self.text()?);
        }
        Ok(out)
    }

    /// The replies for the tasks of a group, in order.
    pub(crate) fn parts(
        mut self,
        count: usize,
    ) -> Result<Vec<Result<Reply, StoreError>>, StoreError> {
        if self.items.len() != count {
            return Err(self.corrupt(format!("{} replies for {count} tasks", self.items.len())));
        }
        (0..count)
            .map(|_| {
                let part = self.array()?;
                Ok(match part.items.as_slice() {
                    [Value::BulkString(word), Value::BulkString(detail)] if word == b"error" => {
                        counter!(SCRIPT_ERRORS, "script" => self.script).increment(1);
                        let detail = String::from_utf8_lossy(detail).into_owned();
                        Err(StoreError::in_script(detail))
                    }
                    _ => Ok(part),
                })
            })
            .collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.len() == 0
    }
}

/// Text of a value, or what it is instead.
pub(crate) fn text(value: Value) -> Result<String, String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|e| e.to_string()),
        Value::SimpleString(text) => Ok(text),
        Value::Okay => Ok("OK".to_owned()),
        Value::Int(n) => Ok(n.to_string()),
        other => Err(format!("not text: {other:?}")),
    }
}
