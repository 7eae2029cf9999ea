//! The id of a worker process.

use factorial_core::{InvalidName, WorkerId};
use ulid::Ulid;

/// `<host>-<pid>-<unique>`: readable, and different at every start even under the same host name and process id.
///
/// # Errors
/// Never for a host name of letters, digits, `.` and `-`; other characters are replaced.
pub fn worker_id(host: &str, pid: u32, unique: Ulid) -> Result<WorkerId, InvalidName> {
    let host: String = host
        .chars()
        .take(24)
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let unique = unique.to_string().to_ascii_lowercase();
    WorkerId::new(format!(
        "{host}-{pid}-{}",
        unique.get(14..).unwrap_or(&unique)
    ))
}
