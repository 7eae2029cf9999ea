//! Colours, and the removal of what could be taken for them.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What a text means; the look follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tint {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Busy,
}

/// Whether one stream takes colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    /// The text in its look, or as it is.
    pub(crate) fn tint(self, tint: Tint, text: impl Display) -> String {
        let style = match tint {
            Tint::Plain => return text.to_string(),
            Tint::Strong => Style::new().bold(),
            Tint::Faint => Style::new().dimmed(),
            Tint::Good => AnsiColor::Green.on_default(),
            Tint::Bad => AnsiColor::Red.on_default(),
            Tint::Busy => AnsiColor::Cyan.on_default(),
        };
        if self.0 {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }
}

/// Text of several lines without control characters, so that what a model says cannot move the cursor or set a title.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect()
}

/// The same in one line.
pub(crate) fn clean_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// As much of a line as fits into so many columns, with a mark where it was cut.
pub(crate) fn cut(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut kept: String = line
        .chars()
        .take_while(|c| {
            let columns = c.width().unwrap_or_default();
            let fits = columns <= left;
            left = left.saturating_sub(columns);
            fits
        })
        .collect();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_by_columns() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("ab", 0), "…");
    }

    #[test]
    fn text_cannot_control_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\r\n\tc\u{9b}31m"), "a[2Jb\n\tc31m");
        assert_eq!(clean_line("a\nb\u{7}"), "a b ");
    }

    #[test]
    fn no_colours_unless_wanted() {
        assert_eq!(Paint(false).tint(Tint::Bad, "x"), "x");
        assert_eq!(Paint(true).tint(Tint::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
