//! Tables without lines: columns two spaces apart, so that they stay easy to cut in a pipe.

use unicode_width::UnicodeWidthStr;

use super::paint::{Paint, Tint, clean_line};

const GAP: usize = 2;

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

    /// The lines, each with its newline.
    pub(crate) fn render(&self) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, (text, _)) in widths.iter_mut().zip(row) {
                *width = (*width).max(text.width());
            }
        }
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
}
