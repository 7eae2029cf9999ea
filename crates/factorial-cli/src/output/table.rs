//! Tables without lines: columns two spaces apart, so that they stay easy to cut in a pipe.

use unicode_width::UnicodeWidthStr;

use super::paint::{Paint, Tint, clean_line, cut};

const GAP: usize = 2;
/// Columns that are left to the last cell of a row, however long the others are.
const LEAST_LAST: usize = 24;

/// Rows under a header.
pub(crate) struct Table {
    paint: Paint,
    rows: Vec<Vec<(String, Tint)>>,
}

impl Table {
    /// A table with these column names.
    pub(crate) fn new(paint: Paint, header: &[&str]) -> Self {
        let header = header
            .iter()
            .map(|name| ((*name).to_owned(), Tint::Faint))
            .collect();
        Self {
            paint,
            rows: vec![header],
        }
    }

    /// One more row; an empty cell is shown as `-`.
    pub(crate) fn row<const N: usize>(&mut self, cells: [(String, Tint); N]) {
        let cells = cells.into_iter().map(|(text, tint)| match text.as_str() {
            "" => ("-".to_owned(), Tint::Faint),
            text => (clean_line(text), tint),
        });
        self.rows.push(cells.collect());
    }

    /// The lines, each with its newline, with the last cells cut so that they fit into so many columns.
    pub(crate) fn render_within(mut self, columns: usize) -> String {
        let taken: usize = self.widths().iter().rev().skip(1).map(|w| w + GAP).sum();
        let left = columns.saturating_sub(taken).max(LEAST_LAST);
        for row in &mut self.rows {
            if let Some((text, _)) = row.last_mut() {
                *text = cut(text, left);
            }
        }
        self.render()
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, (text, _)) in widths.iter_mut().zip(row) {
                *width = (*width).max(text.width());
            }
        }
        widths
    }

    /// The lines, each with its newline.
    pub(crate) fn render(&self) -> String {
        let widths = self.widths();
        let mut out = String::new();
        for row in &self.rows {
            for (column, (text, tint)) in row.iter().enumerate() {
                out.push_str(&self.paint.tint(*tint, text));
                if column + 1 < row.len() {
                    let width = widths.get(column).copied().unwrap_or_default();
                    out.push_str(&" ".repeat(width.saturating_sub(text.width()) + GAP));
                }
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_by_width_on_screen() {
        let mut table = Table::new(Paint(false), &["NAME", "N"]);
        table.row([
            ("日本".to_owned(), Tint::Good),
            ("1".to_owned(), Tint::Plain),
        ]);
        table.row([
            ("abcdef".to_owned(), Tint::Bad),
            (String::new(), Tint::Plain),
        ]);
        assert_eq!(table.render(), "NAME    N\n日本    1\nabcdef  -\n");
    }

    #[test]
    fn the_last_column_gives_way() {
        let mut table = Table::new(Paint(false), &["A", "B"]);
        table.row([
            ("1234".to_owned(), Tint::Plain),
            ("x".repeat(60), Tint::Plain),
        ]);
        let text = table.render_within(40);
        assert_eq!(text, format!("A     B\n1234  {}…\n", "x".repeat(33)));
    }
}
