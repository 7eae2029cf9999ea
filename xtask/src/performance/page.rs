//! The marks of the document.

use anyhow::Context as _;

const END: &str = "<!-- end of figures -->";

/// The document with other figures between the marks of `name`.
pub(super) fn replace(document: &str, name: &str, figures: &str) -> anyhow::Result<String> {
    let start = format!("<!-- figures: {name} -->");
    let (before, rest) = document
        .split_once(&start)
        .with_context(|| format!("the document has no mark `{start}`"))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("the document has no `{END}` behind `{start}`"))?;
    Ok(format!("{before}{start}\n{}\n{END}{after}", figures.trim()))
}

#[cfg(test)]
mod tests {
    use super::replace;

    const DOCUMENT: &str = "a\n<!-- figures: x -->\nold\n<!-- end of figures -->\nb\n\
        <!-- figures: y -->\nstays\n<!-- end of figures -->\nc\n";

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let replaced = replace(DOCUMENT, "x", "new\n").ok();
        assert_eq!(replaced, Some(DOCUMENT.replace("old", "new")));
    }

    #[test]
    fn a_missing_mark_is_told() {
        let error = replace(DOCUMENT, "z", "new").err().map(|e| e.to_string());
        assert!(error.is_some_and(|text| text.contains("figures: z")));
    }
}
