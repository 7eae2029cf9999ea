//! `[[sim:name=value]]` inside user text: what a test wants of the replies to its own conversation.
//!
//! Read from the user messages of the current run. Invariant: what does not parse is left in the text as ordinary words.

use serde_json::{Map, Value};

use crate::behaviour::Behaviour;

const OPEN: &str = "[[sim:";
const CLOSE: &str = "]]";

/// Wishes found in user text; a later one replaces an earlier one of the same name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Directives {
    /// `turns=N`: call tools in so many turns, then answer.
    pub(crate) turns: Option<u64>,
    /// `calls=N`: so many tool calls in each of these turns.
    pub(crate) calls: Option<usize>,
    /// `latency_ms=N`: before the first byte.
    pub(crate) latency_ms: Option<u64>,
    /// `token_delay_ms=N`: before each token of a stream.
    pub(crate) token_delay_ms: Option<u64>,
    /// `tokens=N`: length of the answer.
    pub(crate) tokens: Option<u64>,
    /// `reply=text`: the answer, word for word, without calling tools first.
    pub(crate) reply: Option<String>,
    /// `noop`: the answer `ok`, without calling tools first.
    pub(crate) noop: bool,
    /// `behaviour={json}`: see [`Behaviour`].
    pub(crate) behaviour: Option<Behaviour>,
    /// `args={json}`: tool -> arguments of its calls, word for word.
    pub(crate) args: Map<String, Value>,
}

impl Directives {
    /// Takes the directives out of `text` and returns what remains.
    pub(crate) fn take_from(&mut self, text: &str) -> String {
        let mut plain = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(OPEN) {
            let (before, tail) = rest.split_at(start);
            plain.push_str(before);
            let body = &tail[OPEN.len()..];
            match self.take_one(body) {
                Some(used) => rest = &body[used..],
                None => {
                    plain.push_str(OPEN);
                    rest = body;
                }
            }
        }
        plain.push_str(rest);
        plain
    }

    /// Reads one directive behind its opening; returns its length with the closing brackets.
    fn take_one(&mut self, body: &str) -> Option<usize> {
        // A JSON value may hold `]]` itself, so that it is parsed to its own end.
        for name in ["behaviour=", "args="] {
            let Some(json) = body.strip_prefix(name) else {
                continue;
            };
            let mut values = serde_json::Deserializer::from_str(json).into_iter::<Value>();
            let value = values.next()?.ok()?;
            let end = values.byte_offset();
            if !json.get(end..)?.starts_with(CLOSE) {
                return None;
            }
            match value {
                Value::Object(args) if name == "args=" => self.args.extend(args),
                value if name == "behaviour=" => {
                    self.behaviour = Some(Behaviour::from_json(value.to_string().as_bytes()).ok()?);
                }
                _ => return None,
            }
            return Some(body.len() - json.len() + end + CLOSE.len());
        }
        let end = body.find(CLOSE)?;
        let (name, value) = body[..end].split_once('=').unwrap_or((&body[..end], ""));
        match name {
            "turns" => self.turns = Some(value.parse().ok()?),
            "calls" => self.calls = Some(value.parse().ok()?),
            "latency_ms" => self.latency_ms = Some(value.parse().ok()?),
            "token_delay_ms" => self.token_delay_ms = Some(value.parse().ok()?),
            "tokens" => self.tokens = Some(value.parse().ok()?),
            "reply" => self.reply = Some(value.to_owned()),
            "noop" => self.noop = true,
            _ => return None,
        }
        Some(end + CLOSE.len())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::Directives;
    use crate::behaviour::Fault;

    #[test]
    fn directives_leave_the_text() {
        let mut found = Directives::default();
        let text = found.take_from("go [[sim:turns=5]]on [[sim:reply=a = b]][[sim:noop]]");
        assert_eq!(text, "go on ");
        assert_eq!(found.turns, Some(5));
        assert_eq!(found.reply.as_deref(), Some("a = b"));
        assert!(found.noop);
    }

    #[test]
    fn what_is_no_directive_stays() {
        let mut found = Directives::default();
        for text in [
            "[[sim:turns=x]] a",
            "[[sim:what]]",
            "[[sim:turns=1",
            "[[sim:behaviour={]]",
        ] {
            assert_eq!(found.take_from(text), text);
        }
        assert_eq!(found, Directives::default());
    }

    #[test]
    fn arguments_may_hold_directives() {
        let mut found = Directives::default();
        let text = found.take_from(r#"[[sim:args={"t":{"q":["[[sim:noop]]"]}}]] go"#);
        assert_eq!(text, " go");
        assert!(!found.noop);
        assert_eq!(found.args["t"]["q"][0], "[[sim:noop]]");
    }

    #[test]
    fn a_behaviour_may_hold_brackets() {
        let mut found = Directives::default();
        let text =
            found.take_from(r#"a [[sim:behaviour={"fault":"no_end","text_contains":"]]"}]] b"#);
        assert_eq!(text, "a  b");
        assert_eq!(found.behaviour.unwrap().fault, Some(Fault::NoEnd));
    }
}
