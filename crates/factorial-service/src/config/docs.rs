//! The reference of all settings, made from their tables.
//!
//! Printed into `docs/configuration.md`; a test compares the two.

use std::fmt::Write as _;

use super::group::{ConfigGroup, Field, GroupSpec, RoleConfig};
use super::roles::{ClientRole, DashboardRole, DevRole, GatewayRole, ReaperRole, WorkerRole};

const HEAD: &str = "\
# Configuration

<!-- Made from the code; to renew it: UPDATE_DOCS=1 cargo test -p factorial-service --test docs -->

A value is taken from its flag, else its environment variable, else its key in the configuration file, else the default.
The file is named by `--config PATH` or `FACTORIAL_CONFIG`; without either, `./factorial.yaml` is read if it exists.
One file serves all roles: each reads its own settings, and an unknown key is a mistake for all of them.

- Durations are seconds, whole or with a fraction. An empty variable counts as unset.
- Lists are separated by commas in a variable; a flag may be repeated; the file takes a list.
- Every mistake in flags, variables and file is reported at once, and the process exits with code 64.
- Values of secrets are never shown. Prefer variables over flags for them: other users of a machine can see flags.
- `dev` is `factorial dev`, which takes the settings of all services; `client` is the rest of the `factorial` command.

```yaml
redis_url: redis://localhost:6379/0
worker:
  workers: 10
  agents: [agents/]
  runners:
    researcher: { batch_size: 5, turn_timeout: 300 }
maintenance:
  interval: 10
  task_ttl: { completed_ttl: 3600, failed_ttl: 86400, cancelled_ttl: 1800 }
metrics: { timeline_duration: 3600, bucket_size: minutes }
observability: { port: 8080, dashboard_name: My AI System }
```
";

type Defaults = &'static [(&'static str, &'static str)];

struct Role {
    name: &'static str,
    specs: Vec<GroupSpec>,
    defaults: Defaults,
}

impl Role {
    fn of<T: RoleConfig>() -> Self {
        let mut specs = Vec::new();
        T::specs(&mut specs);
        Self {
            name: T::ROLE,
            specs,
            defaults: T::DEFAULTS,
        }
    }

    fn has(&self, group: &GroupSpec) -> bool {
        self.specs.iter().any(|spec| spec.title == group.title)
    }

    fn default_of(&self, field: &Field) -> Option<&'static str> {
        self.defaults
            .iter()
            .find(|(name, _)| *name == field.name)
            .map(|(_, text)| *text)
    }
}

/// The whole of `docs/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let roles = [
        Role::of::<GatewayRole>(),
        Role::of::<WorkerRole>(),
        Role::of::<ReaperRole>(),
        Role::of::<DashboardRole>(),
        Role::of::<DevRole>(),
        Role::of::<ClientRole>(),
    ];
    let mut specs = Vec::new();
    DevRole::specs(&mut specs);
    ClientRole::specs(&mut specs);
    let mut text = HEAD.to_owned();
    for spec in &specs {
        section(&mut text, spec, &roles);
    }
    text
}

fn section(text: &mut String, spec: &GroupSpec, roles: &[Role]) {
    let users: Vec<&Role> = roles.iter().filter(|role| role.has(spec)).collect();
    let names: Vec<&str> = users.iter().map(|role| role.name).collect();
    let about: Vec<&str> = spec.about.iter().map(|line| line.trim()).collect();
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "\n## {}\n\n{}\nRead by: {}.\n\n| key in the file | flag | variable | default | meaning |\n| --- | --- | --- | --- | --- |\n",
        spec.title,
        about.join(" "),
        names.join(", "),
    );
    for field in spec.fields {
        let (flag, variable) = if spec.file_only() {
            ("–".to_owned(), "–".to_owned())
        } else {
            (
                format!("`{}`", field.flag()),
                format!("`{}`", field.variable()),
            )
        };
        let _ = writeln!(
            text,
            "| `{}` | {flag} | {variable} | {} | {}{} |",
            spec.file_key(field).replace('*', "<agent>"),
            default(field, &users),
            field.help(),
            limits(field),
        );
    }
}

fn limits(field: &Field) -> String {
    field
        .range
        .map_or_else(String::new, |(min, max)| format!(" ({min} to {max})"))
}

fn default(field: &Field, users: &[&Role]) -> String {
    let code = |text: Option<&str>| text.map_or_else(|| "–".to_owned(), |text| format!("`{text}`"));
    let common = field.default;
    let special: Vec<String> = users
        .iter()
        .filter_map(|role| Some((role.name, role.default_of(field)?)))
        .filter(|(_, text)| Some(*text) != common)
        .map(|(name, text)| format!("{name} `{text}`"))
        .collect();
    if special.is_empty() {
        code(common)
    } else {
        format!("{}; {}", code(common), special.join(", "))
    }
}
