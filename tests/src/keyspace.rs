//! Everything that a namespace has in Redis, read at once, to be compared as a whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use deadpool_redis::redis::{self, Connection, Pipeline, Value};
use factorial_core::Namespace;

/// What a key holds. Scores are whole numbers: all of ours are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A string.
    Text(String),
    /// Field -> value.
    Hash(BTreeMap<String, String>),
    /// In order; of a stream, each entry is its id and its one value.
    List(Vec<String>),
    /// A set.
    Set(BTreeSet<String>),
    /// Member -> score.
    Sorted(BTreeMap<String, i64>),
}

/// A key's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What it holds.
    pub content: Content,
    /// It has an expiry.
    pub expires: bool,
}

/// All keys of a namespace.
#[derive(Clone, Debug)]
pub struct Keyspace {
    /// The namespace.
    pub namespace: Namespace,
    /// The keys were read after this, ms since the Unix epoch by Redis.
    pub read_after_ms: i64,
    /// Whatever is written from here on has a later time than this, or the same.
    pub over_ms: i64,
    /// Key -> value.
    pub keys: BTreeMap<String, Stored>,
}

/// Two are equal when their keys are.
impl PartialEq for Keyspace {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys
    }
}

impl Keyspace {
    /// Start of the names of the keys of a partition.
    #[must_use]
    pub fn base(&self, partition: u16) -> String {
        format!("{{{}:{partition}}}:", self.namespace)
    }

    /// The fields of a hash; empty for another kind or none.
    #[must_use]
    pub fn hash(&self, key: &str) -> BTreeMap<String, String> {
        match self.keys.get(key).map(|s| &s.content) {
            Some(Content::Hash(fields)) => fields.clone(),
            _ => BTreeMap::new(),
        }
    }

    /// The items of a list; empty for another kind or none.
    #[must_use]
    pub fn list(&self, key: &str) -> &[String] {
        match self.keys.get(key).map(|s| &s.content) {
            Some(Content::List(items)) => items,
            _ => &[],
        }
    }
}

impl fmt::Display for Keyspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, stored) in &self.keys {
            writeln!(f, "{key}{}", if stored.expires { " (expires)" } else { "" })?;
            match &stored.content {
                Content::Text(text) => writeln!(f, "  {text}")?,
                Content::Hash(fields) => {
                    for (field, value) in fields {
                        writeln!(f, "  {field} = {value}")?;
                    }
                }
                Content::List(items) => {
                    for (i, item) in items.iter().enumerate() {
                        writeln!(f, "  [{i}] {item}")?;
                    }
                }
                Content::Set(members) => {
                    for member in members {
                        writeln!(f, "  {member}")?;
                    }
                }
                Content::Sorted(members) => {
                    for (member, score) in members {
                        writeln!(f, "  {member} @ {score}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Reads the whole keyspace of a namespace that is spread over servers.
///
/// # Panics
/// As for [`snapshot`], and when there are no servers.
#[must_use]
pub fn snapshot_all(raws: &mut [Connection], namespace: &Namespace) -> Keyspace {
    let parts = raws.iter_mut().map(|raw| snapshot(raw, namespace));
    let join = |mut all: Keyspace, part: Keyspace| {
        all.read_after_ms = all.read_after_ms.min(part.read_after_ms);
        all.over_ms = all.over_ms.max(part.over_ms);
        all.keys.extend(part.keys);
        all
    };
    parts.reduce(join).expect("a server")
}

/// The clock of Redis, ms.
fn clock(raw: &mut Connection) -> i64 {
    let (seconds, micros): (i64, i64) = redis::cmd("TIME").query(raw).expect("TIME");
    seconds * 1000 + micros / 1000
}

/// Reads the whole keyspace of a namespace. Nothing else may write there meanwhile.
///
/// # Panics
/// When Redis does not answer, or holds a kind of value that Factorial never writes.
#[must_use]
pub fn snapshot(raw: &mut Connection, namespace: &Namespace) -> Keyspace {
    let read_after_ms = clock(raw);
    let mut names = BTreeSet::new();
    for pattern in [format!("{{{namespace}:*"), format!("{{{namespace}}}:*")] {
        let mut cursor = "0".to_owned();
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor)
                .arg("MATCH")
                .arg(&pattern)
                .arg("COUNT")
                .arg(2_000);
            let (next, page): (String, Vec<String>) = scan.query(raw).expect("SCAN");
            names.extend(page);
            cursor = next;
            if cursor == "0" {
                break;
            }
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    let mut keys = BTreeMap::new();
    for chunk in names.chunks(500) {
        keys.extend(read(raw, chunk));
    }
    let last = clock(raw);
    let mut over_ms = last;
    while over_ms == last {
        over_ms = clock(raw);
    }
    Keyspace {
        namespace: namespace.clone(),
        read_after_ms,
        over_ms,
        keys,
    }
}

fn read(raw: &mut Connection, names: &[String]) -> Vec<(String, Stored)> {
    let mut pipe = Pipeline::new();
    for name in names {
        pipe.cmd("TYPE").arg(name).cmd("PTTL").arg(name);
    }
    let kinds: Vec<Value> = pipe.query(raw).expect("TYPE");
    let kinds: Vec<(String, i64)> = kinds
        .chunks(2)
        .map(|pair| (convert(pair[0].clone()), convert(pair[1].clone())))
        .collect();
    let mut pipe = Pipeline::new();
    for (name, (kind, _)) in names.iter().zip(&kinds) {
        match kind.as_str() {
            "string" => pipe.cmd("GET").arg(name),
            "hash" => pipe.cmd("HGETALL").arg(name),
            "list" => pipe.cmd("LRANGE").arg(name).arg(0).arg(-1),
            "stream" => pipe.cmd("XRANGE").arg(name).arg("-").arg("+"),
            "set" => pipe.cmd("SMEMBERS").arg(name),
            "zset" => pipe
                .cmd("ZRANGE")
                .arg(name)
                .arg(0)
                .arg(-1)
                .arg("WITHSCORES"),
            // It expired between SCAN and TYPE.
            "none" => pipe.cmd("ECHO").arg(""),
            other => panic!("{name} is a {other}"),
        };
    }
    let values: Vec<Value> = pipe.query(raw).expect("contents");
    let mut read = Vec::with_capacity(names.len());
    for ((name, (kind, ttl)), value) in names.iter().zip(kinds).zip(values) {
        let content = match kind.as_str() {
            "string" => Content::Text(convert(value)),
            "hash" => Content::Hash(convert(value)),
            "list" => Content::List(convert(value)),
            "stream" => Content::List(
                convert::<Vec<(String, (String, String))>>(value)
                    .into_iter()
                    .map(|(id, (_, entry))| format!("{id} {entry}"))
                    .collect(),
            ),
            "set" => Content::Set(convert(value)),
            "zset" => Content::Sorted(
                convert::<Vec<(String, f64)>>(value)
                    .into_iter()
                    .map(|(member, score)| {
                        assert!(score.fract() == 0.0, "{name} {member} @ {score}");
                        #[expect(clippy::cast_possible_truncation, reason = "whole, below 2^53")]
                        let score = score as i64;
                        (member, score)
                    })
                    .collect(),
            ),
            _ => continue,
        };
        read.push((
            name.clone(),
            Stored {
                content,
                expires: ttl >= 0,
            },
        ));
    }
    read
}

fn convert<T: redis::FromRedisValue>(value: Value) -> T {
    redis::from_redis_value(value).expect("a value of the kind that TYPE said")
}
