//! What a transition changed in a whole keyspace, as lines that a table test can state.
//!
//! Times, tokens and ids differ from run to run; here they read `now`, `now+30s`, `past`, `later`, `token`, `sha1`, and the
//! names that the test gave to its tasks. A line per field, item or member: `+` new, `-` gone, `~` changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
};

use factorial_core::TaskId;

use crate::keyspace::{Content, Keyspace, Stored};

/// One priority's share of a ring's scores.
const BAND: i64 = 1 << 45;

/// Names of the tasks of a test, and the partition that it is about.
#[derive(Clone, Debug, Default)]
pub struct Names {
    partition: u16,
    tasks: Vec<(String, String)>,
}

impl Names {
    /// No names yet. Keys of `partition` are shown without their base.
    #[must_use]
    pub fn new(partition: u16) -> Self {
        Self {
            partition,
            tasks: Vec::new(),
        }
    }

    /// Shows a task by a name.
    pub fn add(&mut self, name: &str, id: &TaskId) {
        self.tasks.push((id.to_string(), name.to_owned()));
    }

    fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (id, name) in &self.tasks {
            if text.contains(id.as_str()) {
                text = text.replace(id, name);
            }
        }
        text
    }
}

/// What is different after a transition; empty when nothing is.
#[must_use]
pub fn changes(before: &Keyspace, after: &Keyspace, names: &Names) -> String {
    let lens = Lens {
        names,
        base: after.base(names.partition),
        from: before.over_ms,
        to: after.read_after_ms,
    };
    let mut out = String::new();
    let keys: BTreeSet<&String> = before.keys.keys().chain(after.keys.keys()).collect();
    for key in keys {
        let (old, new) = (before.keys.get(key), after.keys.get(key));
        if old == new {
            continue;
        }
        let shown = lens.key(key);
        let expires = |s: Option<&Stored>| s.is_some_and(|s| s.expires);
        if expires(new) && !expires(old) {
            let _ = writeln!(out, "+ {shown} expires");
        }
        if expires(old) && new.is_some() && !expires(new) {
            let _ = writeln!(out, "- {shown} expires");
        }
        let (old, new) = (lens.items(key, old), lens.items(key, new));
        let fields: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for field in fields {
            let _ = match (old.get(field), new.get(field)) {
                (None, Some(value)) => writeln!(out, "+ {shown}{value}"),
                (Some(value), None) => writeln!(out, "- {shown}{value}"),
                (Some(a), Some(b)) if a.raw != b.raw => {
                    writeln!(out, "~ {shown}{}: {} -> {}", a.name, a.text, b.text)
                }
                _ => Ok(()),
            };
        }
    }
    out
}

/// A field, item or member as it is shown.
struct Item {
    name: String,
    raw: String,
    text: String,
}

impl Item {
    fn new(name: String, raw: impl Into<String>, text: String) -> Self {
        Self {
            name,
            raw: raw.into(),
            text,
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.text.is_empty() {
            Ok(())
        } else {
            write!(f, " = {}", self.text)
        }
    }
}

struct Lens<'a> {
    names: &'a Names,
    base: String,
    from: i64,
    to: i64,
}

impl Lens<'_> {
    fn key(&self, key: &str) -> String {
        let key = key.strip_prefix(self.base.as_str()).unwrap_or(key);
        self.value(key)
    }

    /// Sort key -> item.
    fn items(&self, key: &str, stored: Option<&Stored>) -> BTreeMap<String, Item> {
        let (ring, timeline) = (key.contains("}:q:"), key.contains("}:mt:"));
        let score = |score: i64| {
            if ring {
                format!("p{}#{}", 9 - score / BAND, score % BAND)
            } else {
                self.value(&score.to_string())
            }
        };
        match stored.map(|s| &s.content) {
            None => BTreeMap::new(),
            Some(Content::Text(text)) => [(
                String::new(),
                Item::new(String::new(), text, self.value(text)),
            )]
            .into(),
            Some(Content::Hash(fields)) if timeline => buckets(fields),
            Some(Content::Hash(fields)) => fields
                .iter()
                .map(|(f, v)| {
                    let shown = if f.starts_with("claim:") {
                        // Numbers of calls depend on what other tests do.
                        v.trim_start_matches(|c: char| c.is_ascii_digit())
                    } else {
                        v
                    };
                    (
                        f.clone(),
                        Item::new(
                            format!(" {}", self.value(f)),
                            v,
                            self.value(shown).trim_start().to_owned(),
                        ),
                    )
                })
                .collect(),
            Some(Content::List(items)) => items
                .iter()
                .enumerate()
                .map(|(i, v)| {
                    (
                        format!("{i:06}"),
                        Item::new(format!("[{i}]"), v, self.value(v)),
                    )
                })
                .collect(),
            Some(Content::Set(members)) => members
                .iter()
                .map(|m| {
                    (
                        m.clone(),
                        Item::new(format!(" {}", self.value(m)), "", String::new()),
                    )
                })
                .collect(),
            Some(Content::Sorted(members)) => members
                .iter()
                .map(|(m, s)| {
                    (
                        m.clone(),
                        Item::new(format!(" {}", self.value(m)), s.to_string(), score(*s)),
                    )
                })
                .collect(),
        }
    }

    /// A text with its ids, times and tokens made readable.
    fn value(&self, text: &str) -> String {
        let text = without_prints(&self.names.apply(text));
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let digits = rest[at..].bytes().take_while(u8::is_ascii_digit).count();
            out.push_str(&rest[..at]);
            let number = &rest[at..at + digits];
            if out.ends_with("\"queue_wait_ms\":") {
                out.push('_');
            } else if digits == 13 {
                out.push_str(&self.time(number));
            } else if digits == 16 {
                out.push_str("token");
            } else {
                out.push_str(number);
            }
            rest = &rest[at + digits..];
        }
        out.push_str(rest);
        out
    }

    fn time(&self, number: &str) -> String {
        let Ok(ms) = number.parse::<i64>() else {
            return number.to_owned();
        };
        if ms < self.from {
            return "past".to_owned();
        }
        let seconds = (ms - self.to)
            .max(0)
            .unsigned_abs()
            .div_ceil(1000)
            .cast_signed();
        match seconds {
            0 => "now".to_owned(),
            s if self.from + s * 1000 <= ms => format!("now+{s}s"),
            _ => "later".to_owned(),
        }
    }
}

/// A text with the prints of answers, which depend on ids, as `sha1`.
fn without_prints(text: &str) -> String {
    let is_print = |word: &&str| word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit());
    match text.split(' ').find(is_print) {
        Some(print) => text.replace(print, "sha1"),
        None => text.to_owned(),
    }
}

/// A bucket of the timeline. Into which slot of a histogram a task falls depends on how fast the test ran, so those of
/// one histogram are shown as their sum.
fn buckets(fields: &BTreeMap<String, String>) -> BTreeMap<String, Item> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for (field, value) in fields {
        let name = match field.split_at_checked(1) {
            Some((kind @ ("w" | "r"), rest)) if rest.parse::<u8>().is_ok() => format!("{kind}_"),
            _ => field.clone(),
        };
        *sums.entry(name).or_default() += value.parse::<i64>().unwrap_or(i64::MIN);
    }
    sums.into_iter()
        .map(|(name, sum)| {
            (
                name.clone(),
                Item::new(format!(" {name}"), sum.to_string(), sum.to_string()),
            )
        })
        .collect()
}
