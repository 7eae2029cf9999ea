//! Documents that list what the code has are compared with the code.
#![expect(clippy::expect_used, reason = "tests")]

use std::{collections::BTreeSet, fs, path::Path};

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).expect("a file of the repository")
}

/// Every maximal run of name characters after each `start`.
fn names<'a>(text: &'a str, start: &str) -> BTreeSet<&'a str> {
    let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.match_indices(start)
        .map(|(at, _)| {
            let rest = &text[at + 1..];
            &rest[..rest.find(|c| !name(c)).unwrap_or(rest.len())]
        })
        .collect()
}

#[test]
fn every_metric_is_in_the_table_and_the_reverse() {
    let sources = [
        "crates/factorial-core/src/script.rs",
        "crates/factorial-core/src/metrics.rs",
        "crates/factorial-agent/src/model/requests.rs",
        "crates/factorial-service/src/metrics.rs",
        "crates/factorial-rest/src/metrics.rs",
        "services/worker/src/metrics.rs",
        "services/reaper/src/metrics.rs",
    ]
    .map(read);
    let code: BTreeSet<&str> = sources
        .iter()
        .flat_map(|s| names(s, "\"factorial_"))
        .collect();
    assert!(code.len() > 20, "{code:?}");
    assert_eq!(code, names(&read("docs/metrics.md"), "`factorial_"));
}

#[test]
fn every_failure_kind_is_in_the_table() {
    let table = read("docs/failures.md");
    let kinds = factorial_agent::ErrorKind::ALL.map(factorial_agent::ErrorKind::as_str);
    // These two are told to a client by another name, or end nothing.
    let told = kinds
        .iter()
        .filter(|k| !["too_large", "journal_unavailable"].contains(k));
    for kind in told {
        assert!(
            table.contains(&format!("| `{kind}` |")),
            "{kind} is missing"
        );
    }
}
