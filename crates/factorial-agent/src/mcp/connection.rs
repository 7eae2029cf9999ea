//! How a server is reached.
//!
//! Made of an agent file when an agent is built. Invariant: what the process of a server finds in its environment is
//! named in the agent file or harmless; keys of the worker are not passed on.

use std::{collections::BTreeMap, collections::HashMap, fmt};

use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::{definition::McpDefinition, provider::Providers};

/// Variables of the worker that a process gets as well.
const INHERITED: [&str; 9] = [
    "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER",
];
/// Headers that belong to the protocol.
const RESERVED: [&str; 5] = [
    "accept",
    "content-type",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
];

/// A way to a server, with its secrets.
#[derive(Clone)]
pub(crate) enum Connection {
    /// Over streamable HTTP.
    Http {
        url: String,
        headers: HashMap<HeaderName, HeaderValue>,
    },
    /// Over the standard input and output of a process.
    Process {
        program: String,
        args: Vec<String>,
        env: BTreeMap<String, SecretString>,
    },
}

/// Without arguments, query, headers and variables: people write secrets there.
impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { url, .. } => match url::Url::parse(url) {
                Ok(url) => write!(
                    f,
                    "{}://{}",
                    url.scheme(),
                    &url[url::Position::BeforeHost..url::Position::BeforePath]
                ),
                Err(_) => f.write_str("http"),
            },
            Self::Process { program, .. } => f.write_str(program),
        }
    }
}

impl Connection {
    /// Resolves the secrets and checks the address.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn new(definition: &McpDefinition, providers: &Providers) -> Result<Self, String> {
        let fail = |what: String| format!("tool {}: {what}", definition.name);
        match (&definition.url, &definition.command) {
            (Some(url), None) if definition.env.is_empty() => {
                Self::http(url, &definition.headers, providers).map_err(fail)
            }
            (None, Some(command)) if definition.headers.is_empty() => {
                Self::process(command, &definition.env, providers).map_err(fail)
            }
            (Some(_), None) => Err(fail("`env` only with `command`".to_owned())),
            (None, Some(_)) => Err(fail("`headers` only with `url`".to_owned())),
            _ => Err(fail("needs `url` or `command`, and not both".to_owned())),
        }
    }

    fn http(
        url: &str,
        templates: &BTreeMap<String, String>,
        providers: &Providers,
    ) -> Result<Self, String> {
        let parsed = url::Url::parse(url).map_err(|error| format!("url: {error}"))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err("url: must start with http:// or https://".to_owned());
        }
        let mut headers = HashMap::new();
        for (name, template) in templates {
            let value = providers.filled(template)?;
            let (Ok(header), Ok(mut value)) = (
                HeaderName::try_from(name.as_str()),
                HeaderValue::try_from(value),
            ) else {
                return Err(format!("header {name:?} is not a valid HTTP header"));
            };
            if RESERVED.contains(&header.as_str()) {
                return Err(format!("header {name:?} belongs to the protocol"));
            }
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        Ok(Self::Http {
            url: url.to_owned(),
            headers,
        })
    }

    fn process(
        command: &[String],
        templates: &BTreeMap<String, String>,
        providers: &Providers,
    ) -> Result<Self, String> {
        let Some((program, args)) = command.split_first().filter(|(p, _)| !p.is_empty()) else {
            return Err("command: needs a program".to_owned());
        };
        if command.iter().any(|part| part.contains('\0')) {
            return Err("command: contains a NUL character".to_owned());
        }
        let mut env = BTreeMap::new();
        for name in INHERITED {
            if let Some(value) = providers.keys.get(name) {
                env.insert(name.to_owned(), value);
            }
        }
        for (name, template) in templates {
            let value = providers.filled(template)?;
            if value.contains('\0') {
                return Err(format!("env: {name} contains a NUL character"));
            }
            env.insert(name.clone(), value.into());
        }
        Ok(Self::Process {
            program: program.clone(),
            args: args.to_vec(),
            env,
        })
    }

    /// Whether two agents mean the same session.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Http { url, headers },
                Self::Http {
                    url: other_url,
                    headers: other_headers,
                },
            ) => url == other_url && headers == other_headers,
            (
                Self::Process { program, args, env },
                Self::Process {
                    program: other_program,
                    args: other_args,
                    env: other_env,
                },
            ) => {
                let plain = |env: &BTreeMap<String, SecretString>| {
                    env.iter()
                        .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
                        .collect::<Vec<_>>()
                };
                program == other_program && args == other_args && plain(env) == plain(other_env)
            }
            _ => false,
        }
    }
}
