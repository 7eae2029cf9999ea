//! `docs/configuration.md` is what the code says.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

use factorial_service::config::{ClientRole, ConfigGroup, DevRole, reference};

#[test]
fn configuration_reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, reference()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(
        written == reference(),
        "docs/configuration.md is out of date; run this test with UPDATE_DOCS=1"
    );
}

#[test]
fn names_are_unique_and_every_setting_has_help() {
    let mut specs = Vec::new();
    DevRole::specs(&mut specs);
    ClientRole::specs(&mut specs);
    let (mut names, mut variables, mut keys) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for spec in &specs {
        for field in spec.fields {
            assert!(names.insert(field.name), "{}", field.name);
            assert!(variables.insert(field.variable()), "{}", field.variable());
            assert!(
                keys.insert(spec.file_key(field)),
                "{}",
                spec.file_key(field)
            );
            assert!(field.help().ends_with('.'), "{}", field.name);
        }
    }
    assert!(names.len() > 40);
}
