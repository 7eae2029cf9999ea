//! A short string that matches a regular expression.
//!
//! Called for `pattern`. Invariant: bounded length; `None` for expressions that cannot be read or matched this way.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Longest string made of a pattern, in bytes.
const MAX_LENGTH: usize = 10_000;
/// Most repetitions of one part.
const MAX_TIMES: u32 = 1_000;

/// A match of at least `least` characters where repetitions of the pattern allow it.
pub(super) fn matching(pattern: &str, least: usize) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut text = String::new();
    write(&hir, 0, &mut text)?;
    let missing = u32::try_from(least.saturating_sub(text.chars().count())).ok()?;
    if missing > 0 {
        text.clear();
        write(&hir, missing, &mut text)?;
    }
    Some(text)
}

/// Appends a match in which each open repetition is repeated `extra` times more.
fn write(hir: &Hir, extra: u32, text: &mut String) -> Option<()> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(()),
        HirKind::Literal(literal) => {
            text.push_str(std::str::from_utf8(&literal.0).ok()?);
            Some(())
        }
        HirKind::Class(class) => {
            text.push(member(class)?);
            Some(())
        }
        HirKind::Repetition(repetition) => {
            // Once rather than not at all, so that `.*` is not an empty word.
            let usual = repetition.min.max(1);
            let most = repetition.max.unwrap_or(MAX_TIMES).min(MAX_TIMES);
            let times = usual.saturating_add(extra).min(most);
            (0..times).try_for_each(|_| write(&repetition.sub, extra, text))
        }
        HirKind::Capture(capture) => write(&capture.sub, extra, text),
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, extra, text)),
        HirKind::Alternation(options) => write(options.first()?, extra, text),
    }
}

/// A character of the class, a readable one if there is one.
fn member(class: &Class) -> Option<char> {
    let (first, has): (char, Box<dyn Fn(char) -> bool + '_>) = match class {
        Class::Unicode(class) => (
            class.ranges().first()?.start(),
            Box::new(|c| {
                class
                    .ranges()
                    .iter()
                    .any(|r| (r.start()..=r.end()).contains(&c))
            }),
        ),
        Class::Bytes(class) => (
            char::from(class.ranges().first()?.start()),
            Box::new(|c| {
                class
                    .ranges()
                    .iter()
                    .any(|r| (char::from(r.start())..=char::from(r.end())).contains(&c))
            }),
        ),
    };
    Some(
        ['a', 'A', '1']
            .into_iter()
            .find(|c| has(*c))
            .unwrap_or(first),
    )
}
