//! Tools of every kind, and what is known of the call `c` of one of them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    CallerTool, FunctionRegistry, HttpClients, Limits, McpServers, NewChild, Providers, Resources,
    ToolCall, ToolContext, ToolDefinition, ToolError, ToolSet, ToolSpec, Wait, WaitKey, WaitKind,
    WaitOutcome, WaitStatus,
    tool::Outcome,
    turn::{
        plan::{Plan, View},
        toolbox::Toolbox,
        waits::Waits,
    },
};

pub(super) const VERSION: &str = "v1";
pub(super) const DAY: Option<Duration> = Some(Duration::from_secs(86_400));

pub(super) fn tools() -> ToolSet {
    let mut functions = FunctionRegistry::new();
    let n = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    for (name, once) in [
        ("plain", false),
        ("once", true),
        ("asked", false),
        ("asked_once", true),
    ] {
        let mut spec = ToolSpec::new(name, "d", n.clone());
        spec.at_most_once = once;
        functions.register(spec, |_: ToolContext, _| async { Ok::<_, ToolError>("") });
    }
    let resources = Resources {
        http: HttpClients::new().unwrap(),
        functions,
        providers: Providers::default(),
        mcp: McpServers::default(),
    };
    let mut set = ToolSet::default();
    for tool in [
        json!({"kind": "function", "name": "plain"}),
        json!({"kind": "function", "name": "once"}),
        json!({"kind": "function", "name": "asked",
               "approval": {"when": {"required": ["n"]}, "timeout_seconds": 60}}),
        json!({"kind": "function", "name": "asked_once", "approval": "always"}),
        json!({"kind": "deferred", "name": "later", "asks": "caller", "timeout_seconds": 7}),
        json!({"kind": "deferred", "name": "asked_later", "timeout_seconds": "never", "approval": "always"}),
        json!({"kind": "http", "name": "sent", "url": "http://h/", "deferred": true}),
        json!({"kind": "http", "name": "sent_once", "url": "http://h/", "deferred": true,
               "at_most_once": true}),
        json!({"kind": "http", "name": "asked_sent", "url": "http://h/", "deferred": true,
               "approval": {"timeout_seconds": "never"}}),
        json!({"kind": "agent", "name": "one", "agent": "b", "description": "d", "max_depth": 3,
               "limits": {"max_turns": 4, "max_total_tokens": 1000}}),
        json!({"kind": "agent", "name": "list", "agent": "b", "description": "d", "fan_out": "l",
               "parameters": {"type": "object"}, "max_children": 3, "timeout_seconds": "never"}),
        json!({"kind": "agent", "name": "fire", "agent": "b", "description": "d", "fan_out": "l",
               "await": false, "approval": "always"}),
    ] {
        let tool: ToolDefinition = serde_json::from_value(tool).unwrap();
        set.define(&tool, &resources).unwrap();
    }
    set
}

pub(super) fn wait(key: &str, status: WaitStatus) -> Wait {
    let key: WaitKey = key.parse().unwrap();
    let (kind, version) = match key {
        WaitKey::Call(_) => (WaitKind::Operator, None),
        WaitKey::Approval(_) => (WaitKind::Approval, Some(VERSION.to_owned())),
        WaitKey::Child(..) => (WaitKind::Child, None),
    };
    Wait {
        key,
        kind,
        version,
        status,
    }
}

pub(super) fn open(key: &str) -> Wait {
    wait(key, WaitStatus::Open)
}

pub(super) fn answered(key: &str, outcome: WaitOutcome, payload: Value) -> Wait {
    wait(key, WaitStatus::Answered(outcome, payload))
}

/// A plan in a line.
pub(super) fn line(plan: &Plan) -> String {
    match plan {
        Plan::Give(Outcome { content, error }) => match error {
            Some(kind) => format!("give {kind}"),
            None => format!("give: {content}"),
        },
        Plan::Run { args, begin: None } => format!("run {args}"),
        Plan::Run {
            args,
            begin: Some(key),
        } => format!("take {key}, run {args}"),
        Plan::Register { wait, again } => {
            let timeout = wait
                .timeout
                .map_or("never".to_owned(), |t| t.as_secs().to_string());
            let again = if *again { " again" } else { "" };
            format!("register {} {} {timeout}{again}", wait.key, wait.kind)
        }
        Plan::Send { args } => format!("send {args}"),
        Plan::Spawn(children) => {
            let one =
                |child: &NewChild| format!("{}/{} {}", child.index, child.siblings, child.query);
            format!(
                "spawn {}",
                children.iter().map(one).collect::<Vec<_>>().join(", ")
            )
        }
        Plan::Wait => "wait".to_owned(),
    }
}

pub(super) struct Known {
    pub(super) waits: Waits,
    pub(super) resumed: bool,
    pub(super) reachable: bool,
}

impl Known {
    pub(super) fn of(waits: &[Wait]) -> Self {
        Self {
            waits: Waits::new(waits.to_vec()),
            resumed: false,
            reachable: true,
        }
    }

    pub(super) fn resumed(waits: &[Wait]) -> Self {
        Self {
            resumed: true,
            ..Self::of(waits)
        }
    }

    pub(super) fn plan(&self, tool: &str, arguments: &str) -> Plan {
        let caller = CallerTool {
            name: "browser".into(),
            description: String::new(),
            parameters: json!({"type": "object", "required": ["url"]}),
            timeout: None,
        };
        let shadowed = CallerTool {
            name: "plain".into(),
            ..caller.clone()
        };
        let own = tools();
        let tools = Toolbox::new(&own, Vec::new(), &[caller, shadowed]).unwrap();
        let left = Limits {
            max_total_tokens: Some(500),
            ..Limits::default()
        };
        let view = View {
            tools: &tools,
            waits: &self.waits,
            version: VERSION,
            resumed: self.resumed,
            context: &json!({"tenant": 7}),
            left,
            reachable: &|_| self.reachable,
        };
        view.plan(&ToolCall {
            id: "c".into(),
            name: tool.into(),
            arguments: arguments.into(),
            signatures: vec![],
        })
    }

    #[track_caller]
    pub(super) fn expect(&self, tool: &str, arguments: &str, expected: &str) {
        assert_eq!(
            line(&self.plan(tool, arguments)),
            expected,
            "{tool} {arguments}"
        );
    }
}
