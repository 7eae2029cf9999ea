//! Where the binaries are that the tests start.

use std::path::PathBuf;

/// The binary of this name from the target directory that the tests were built in.
///
/// # Panics
/// When it is missing; the message says how to build it.
pub(crate) fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    // target/<profile>/deps/<test>
    let profile = test
        .ancestors()
        .nth(2)
        .expect("the test is in a target directory");
    let path = profile.join(name);
    assert!(
        path.is_file(),
        "{} is missing; build it: cargo build -p factorial-worker -p factorial-reaper -p factorial-gateway",
        path.display()
    );
    path
}
