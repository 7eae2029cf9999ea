//! What the form of an agent file cannot say.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{problem::Problem, schema::name, yaml::Document};
use crate::{
    AgentDefinition, HttpTool, Resources, context,
    definition::{
        AgentToolDefinition, ApprovalSpec, HttpToolDefinition, McpDefinition, OutputSpec,
        ToolChoice, ToolDefinition,
    },
    mcp::Connection,
    model::RemoteModel,
    output,
    tool::UrlTemplate,
    turn::unknown_function,
};

/// Collects the problems of one file.
struct Teller<'a> {
    path: &'a Path,
    document: &'a Document,
    problems: &'a mut Vec<Problem>,
}

impl Teller<'_> {
    fn tell(&mut self, pointer: &str, message: impl std::fmt::Display) {
        let message = format!("{}: {message}", name(pointer));
        self.problems.push(Problem {
            file: self.path.to_owned(),
            place: self.document.place(pointer),
            message,
        });
    }
}

/// Checks one agent; what it refers to as well, if `resources` are given.
pub(super) fn definition(
    path: &Path,
    definition: &AgentDefinition,
    document: &Document,
    resources: Option<&Resources>,
    problems: &mut Vec<Problem>,
) {
    let mut teller = Teller {
        path,
        document,
        problems,
    };
    models(definition, resources, &mut teller);
    tools(definition, resources, &mut teller);
    if let OutputSpec::Json { schema } = &definition.output
        && let Err(why) = output::compile(schema)
    {
        teller.tell("/output/schema", format_args!("not a JSON Schema: {why}"));
    }
    if let Some(Err(why)) = definition
        .context_schema
        .as_ref()
        .map(context::check_schema)
    {
        teller.tell("/context_schema", why);
    }
    for (index, tool) in definition
        .settings
        .tool_choice
        .iter()
        .flat_map(ToolChoice::named)
        .enumerate()
    {
        if !definition.tools.iter().any(|known| known.offers(tool)) {
            let pointer = match &definition.settings.tool_choice {
                Some(ToolChoice::Tools(_)) => format!("/settings/tool_choice/tools/{index}"),
                _ => "/settings/tool_choice/tool".to_owned(),
            };
            teller.tell(&pointer, "the agent has no tool of this name");
        }
    }
    if let (Some(base), Some(cap)) = (definition.retry.base_seconds, definition.retry.cap_seconds)
        && base > cap
    {
        teller.tell("/retry/base_seconds", "greater than `cap_seconds`");
    }
}

fn models(definition: &AgentDefinition, resources: Option<&Resources>, teller: &mut Teller<'_>) {
    for (index, target) in definition.model.targets().iter().enumerate() {
        let pointer = index.checked_sub(1).map_or_else(
            || "/model".to_owned(),
            |index| format!("/model/fallbacks/{index}"),
        );
        if definition.limits.max_cost_usd.is_some() && !definition.prices.contains_key(&target.name)
        {
            teller.tell(
                "/limits/max_cost_usd",
                format_args!("needs an entry in `prices` for model {:?}", target.name),
            );
        }
        if let Some(resources) = resources
            && let Err(why) = RemoteModel::new(target, &resources.providers, &resources.http)
        {
            teller.tell(&pointer, why);
        }
    }
}

fn tools(definition: &AgentDefinition, resources: Option<&Resources>, teller: &mut Teller<'_>) {
    let mut names = HashMap::new();
    for (index, tool) in definition.tools.iter().enumerate() {
        let pointer = format!("/tools/{index}");
        if let Some(other) = names.insert(tool.name(), index) {
            teller.tell(
                &format!("{pointer}/name"),
                format_args!("tools[{other}] has this name too"),
            );
        }
        if let Some(ApprovalSpec {
            when: Some(when), ..
        }) = tool.approval()
            && let Err(why) = output::compile(when)
        {
            teller.tell(
                &format!("{pointer}/approval/when"),
                format_args!("not a JSON Schema: {why}"),
            );
        }
        match tool {
            ToolDefinition::Http(tool) => http(&pointer, tool, resources, teller),
            ToolDefinition::Agent(tool) => delegation(&pointer, tool, teller),
            ToolDefinition::Deferred(tool) => parameters(&pointer, &tool.parameters, teller),
            ToolDefinition::Mcp(server) => mcp(&pointer, server, resources, teller),
            ToolDefinition::Function { name, .. } => {
                if let Some(resources) = resources
                    && resources.functions.get(name).is_none()
                {
                    teller.tell(
                        &format!("{pointer}/name"),
                        unknown_function(name, &resources.functions),
                    );
                }
            }
        }
    }
}

fn parameters(pointer: &str, parameters: &Value, teller: &mut Teller<'_>) {
    if let Err(why) = output::compile(parameters) {
        teller.tell(
            &format!("{pointer}/parameters"),
            format_args!("not a JSON Schema: {why}"),
        );
    } else if parameters.get("type").is_none_or(|kind| kind != "object") {
        teller.tell(&format!("{pointer}/parameters"), "must have `type: object`");
    }
}

fn delegation(pointer: &str, tool: &AgentToolDefinition, teller: &mut Teller<'_>) {
    let Some(written) = &tool.parameters else {
        return;
    };
    parameters(pointer, written, teller);
    if let Some(list) = &tool.fan_out {
        let described = written.pointer("/properties").and_then(|all| all.get(list));
        if described
            .and_then(|list| list.get("type"))
            .is_none_or(|kind| kind != "array")
        {
            teller.tell(
                &format!("{pointer}/fan_out"),
                format_args!(
                    "`{list}` is not among the properties of `parameters` with `type: array`"
                ),
            );
        }
    }
}

fn http(
    pointer: &str,
    tool: &HttpToolDefinition,
    resources: Option<&Resources>,
    teller: &mut Teller<'_>,
) {
    parameters(pointer, &tool.parameters, teller);
    if tool.answer_timeout_seconds.is_some() && !tool.deferred {
        teller.tell(
            &format!("{pointer}/answer_timeout_seconds"),
            "only with `deferred: true`",
        );
    }
    match UrlTemplate::parse(&tool.url) {
        Err(why) => teller.tell(&format!("{pointer}/url"), why),
        Ok(url) => {
            let described = tool.parameters.get("properties");
            for param in url.params().filter(|param| {
                described
                    .and_then(|described| described.get(*param))
                    .is_none()
            }) {
                teller.tell(
                    &format!("{pointer}/url"),
                    format_args!("`{{{param}}}` is not among the properties of `parameters`"),
                );
            }
            if let Some(resources) = resources
                && let Err(why) = HttpTool::new(tool, &resources.providers, &resources.http)
            {
                teller.tell(pointer, why);
            }
        }
    }
}

fn mcp(
    pointer: &str,
    server: &McpDefinition,
    resources: Option<&Resources>,
    teller: &mut Teller<'_>,
) {
    let mut tell = |key: &str, why: &str| teller.tell(&format!("{pointer}{key}"), why);
    match (&server.url, &server.command) {
        (Some(_), Some(_)) => return tell("/command", "not together with `url`"),
        (None, None) => return tell("", "needs `url` or `command`"),
        (Some(_), None) if !server.env.is_empty() => return tell("/env", "only with `command`"),
        (None, Some(_)) if !server.headers.is_empty() => {
            return tell("/headers", "only with `url`");
        }
        _ => {}
    }
    if let Some(resources) = resources
        && let Err(why) = Connection::new(server, &resources.providers)
    {
        tell("", &why);
    }
}

/// Tells names that stand in several files.
pub(super) fn names(documents: &[(PathBuf, Document)], problems: &mut Vec<Problem>) {
    let mut first: HashMap<&str, &Path> = HashMap::new();
    for (path, document) in documents {
        let Some(name) = document.value.get("name").and_then(Value::as_str) else {
            continue;
        };
        if let Some(other) = first.get(name) {
            let message = format!("agent name {name:?} is already used in {}", other.display());
            problems.push(Problem {
                file: path.clone(),
                place: document.place("/name"),
                message,
            });
        } else {
            first.insert(name, path);
        }
    }
}
