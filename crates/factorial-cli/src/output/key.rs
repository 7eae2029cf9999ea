//! Keys and the audit log as text.

use factorial_api::{AuditEntry, CreatedKey, Key, KeyStatus, Time};

use super::age::age;
use super::paint::{Paint, Tint, clean_line};
use super::table::Table;

/// One line for each key.
pub(crate) fn key_table(keys: &[Key], now: Time, paint: Paint) -> String {
    if keys.is_empty() {
        return "No keys.\n".to_owned();
    }
    let header = [
        "ID",
        "NAME",
        "ROLE",
        "OWNERS",
        "STATUS",
        "CREATED",
        "LAST USED",
        "EXPIRES",
    ];
    let mut table = Table::new(paint, &header);
    for key in keys {
        let (status, tint) = match key.status {
            KeyStatus::Active => ("active", Tint::Good),
            KeyStatus::Expired => ("expired", Tint::Faint),
            KeyStatus::Revoked => ("revoked", Tint::Bad),
        };
        let used = key.last_used_at.map(|at| age(at, now));
        table.row([
            (key.id.clone(), Tint::Plain),
            (clean_line(&key.name), Tint::Plain),
            (key.role.as_str().to_owned(), Tint::Plain),
            (owners(key), Tint::Plain),
            (status.to_owned(), tint),
            (age(key.created_at, now), Tint::Plain),
            (used.unwrap_or_else(|| "never".to_owned()), Tint::Plain),
            (
                key.expires_at
                    .map_or_else(|| "never".to_owned(), |at| at.to_string()),
                Tint::Plain,
            ),
        ]);
    }
    table.render()
}

/// A key that was made, with its secret.
pub(crate) fn created_key(created: &CreatedKey, paint: Paint) -> String {
    let key = &created.key;
    let title = paint.tint(Tint::Strong, &created.token);
    format!(
        "{title}\n\n  {} key {} ({}), for {}.\n  It is shown this once: keep it now, in FACTORIAL_API_KEY or where secrets are kept.\n",
        key.role.as_str(),
        key.id,
        clean_line(&key.name),
        if key.owner_ids.is_some() {
            owners(key)
        } else {
            "all owners".to_owned()
        },
    )
}

fn owners(key: &Key) -> String {
    key.owner_ids
        .as_ref()
        .map_or_else(|| "all".to_owned(), |owners| owners.join(","))
}

/// One line for each change.
pub(crate) fn audit_table(entries: &[AuditEntry], paint: Paint) -> String {
    if entries.is_empty() {
        return "Nothing was changed.\n".to_owned();
    }
    let header = [
        "AT",
        "WHO",
        "OPERATION",
        "SUBJECT",
        "OWNER",
        "FROM",
        "STATUS",
        "CODE",
    ];
    let mut table = Table::new(paint, &header);
    for entry in entries {
        let tint = if entry.status < 400 {
            Tint::Good
        } else {
            Tint::Bad
        };
        let text =
            |value: &Option<String>| (clean_line(value.as_deref().unwrap_or("")), Tint::Plain);
        table.row([
            (entry.at.to_string(), Tint::Plain),
            (clean_line(&entry.who), Tint::Plain),
            (entry.operation.clone(), Tint::Plain),
            text(&entry.subject),
            text(&entry.owner_id),
            text(&entry.address),
            (entry.status.to_string(), tint),
            text(&entry.code),
        ]);
    }
    table.render()
}
