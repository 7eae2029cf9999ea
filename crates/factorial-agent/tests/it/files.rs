//! Agent files, good and bad.

use std::{collections::BTreeSet, fs, path::PathBuf};

use factorial_agent::{
    AgentDefinition, FunctionRegistry, LlmAgent, Provider, ProviderSettings, load, load_checked,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{functions, resources, sim};

fn files(files: &[(&str, &str)]) -> (TempDir, Vec<PathBuf>) {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let paths = vec![dir.path().to_owned()];
    (dir, paths)
}

/// The problems of one file `a.yaml`, without its directory.
fn problems(text: &str) -> Vec<String> {
    let (dir, paths) = files(&[("a.yaml", text)]);
    let mut resources = resources(functions().0);
    resources.providers.settings.insert(
        Provider::Xai,
        ProviderSettings {
            key: Some("k".into()),
            base_url: None,
        },
    );
    let errors = load_checked(&paths, &resources).unwrap_err().to_string();
    let prefix = format!("{}/", dir.path().display());
    errors
        .lines()
        .map(|line| line.strip_prefix(&prefix).unwrap_or(line).to_owned())
        .collect()
}

const FULL: &str = r#"
name: full
description: d
instructions: i
model:
  provider: xai
  name: grok
  base_url: https://example.com/v1
  api_key_env: KEY
  headers: {x-a: b}
  fallbacks:
    - {provider: ollama, name: m, base_url: "http://h/", api_key_env: KEY, headers: {x-a: b}}
settings: {temperature: 1, top_p: 0.5, max_tokens: 9, reasoning_effort: high, seed: 1, parallel_tool_calls: true, tool_choice: {tool: f}}
tools:
  - {kind: function, name: f, approval: always}
  - kind: http
    name: h
    description: d
    parameters: {type: object, properties: {id: {type: string}}}
    method: PUT
    url: https://example.com/{id}
    headers: {x-a: b}
    timeout_seconds: 1.5
    at_most_once: true
    max_response_bytes: 100
    deferred: true
    answer_timeout_seconds: never
    approval: {when: {required: [id]}, timeout_seconds: 60}
  - kind: agent
    name: a
    agent: other
    description: d
    fan_out: topics
    parameters: {type: object, properties: {topics: {type: array}}}
    await: false
    timeout_seconds: 5
    max_children: 3
    max_depth: 2
    limits: {max_turns: 5}
    approval: {timeout_seconds: never}
  - kind: deferred
    name: q
    description: d
    parameters: {type: object}
    asks: caller
    timeout_seconds: 7
    approval: always
  - kind: mcp
    name: far
    url: https://example.com/mcp
    headers: {x-a: b}
    include: [read]
    timeout_seconds: 1.5
    at_most_once: true
    max_response_bytes: 100
    approval: always
  - {kind: mcp, name: near, command: [server, --here], env: {TOKEN: t}}
limits: {max_turns: 1, max_total_tokens: 2, max_tool_calls: 3, max_wall_seconds: 4.5, max_cost_usd: 0.5}
prices:
  grok: {input: 1, cached_input: 0.5, output: 2}
  m: {input: 0, output: 0}
context_schema: {type: object}
output: {kind: json, schema: {type: object}}
retry: {max_retries: 1, base_seconds: 0.5, cap_seconds: 2}
worker: {workers: 2, batch_size: 3, turn_timeout_seconds: 60}
"#;

#[test]
fn every_key_is_read_and_known_to_the_schema() {
    let (_dir, paths) = files(&[("full.yml", FULL)]);
    let definition = load(&paths).unwrap().remove(0);
    let written = serde_json::to_value(&definition).unwrap();
    assert_eq!(
        serde_json::from_value::<AgentDefinition>(written.clone()).unwrap(),
        definition
    );
    // The file names every key of the types, as they are all written back; and every key of the schema.
    let schema: Value =
        serde_json::from_str(include_str!("../../src/load/agent.schema.json")).unwrap();
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<BTreeSet<_>>()
    };
    let defs = &schema["$defs"];
    for (written, schema) in [
        (&written, &schema["properties"]),
        (
            &written["model"],
            &schema["properties"]["model"]["properties"],
        ),
        (
            &written["model"]["fallbacks"][0],
            &defs["target"]["properties"],
        ),
        (
            &written["settings"],
            &schema["properties"]["settings"]["properties"],
        ),
        (
            &written["limits"],
            &schema["properties"]["limits"]["properties"],
        ),
        (
            &written["prices"]["grok"],
            &schema["properties"]["prices"]["additionalProperties"]["properties"],
        ),
        (
            &written["output"],
            &schema["properties"]["output"]["then"]["properties"],
        ),
        (
            &written["retry"],
            &schema["properties"]["retry"]["properties"],
        ),
        (
            &written["worker"],
            &schema["properties"]["worker"]["properties"],
        ),
        (
            &written["tools"][0],
            &defs["tool"]["allOf"][0]["then"]["properties"],
        ),
        (
            &written["tools"][1],
            &defs["tool"]["allOf"][1]["then"]["properties"],
        ),
        (
            &written["tools"][2],
            &defs["tool"]["allOf"][2]["then"]["properties"],
        ),
        (
            &written["tools"][3],
            &defs["tool"]["allOf"][3]["then"]["properties"],
        ),
        (
            &written["tools"][1]["approval"],
            &defs["approval"]["then"]["properties"],
        ),
    ] {
        assert_eq!(keys(written), keys(schema));
    }
    // A server is named by its address or by a command, so one entry cannot have all keys.
    let mut servers = keys(&written["tools"][4]);
    servers.extend(keys(&written["tools"][5]));
    assert_eq!(
        servers,
        keys(&defs["tool"]["allOf"][4]["then"]["properties"])
    );
}

#[test]
fn the_version_follows_the_content() {
    let minimal = "name: a\nmodel: {provider: xai, name: grok}\n";
    let version = |text: &str| {
        load(&files(&[("a.yaml", text)]).1)
            .unwrap()
            .remove(0)
            .version()
    };
    assert_eq!(
        version(minimal),
        version(&format!("# a comment\n{minimal}tools: []\n"))
    );
    assert_ne!(
        version(minimal),
        version(&minimal.replace("grok", "grok-2"))
    );
    assert_eq!(
        version(minimal),
        "46b05e472b88",
        "a change here renames the version of every agent"
    );
    assert_eq!(version(minimal).len(), 12);
}

#[test]
fn all_problems_of_a_file_are_told_with_their_place() {
    let text = "name: Bad Name\nmodel:\n  provider: openal\n  nam: x\nsettings:\n  temprature: 3\n  top_p: 7\ntools:\n  - kind: http\n    name: h\n  - kind: magic\n  - name: f\nlimits: []\nextra: 1\n";
    let got = problems(text);
    for expected in [
        "a.yaml:1:7: `name`: \"Bad Name\" does not match \"^[a-z0-9][a-z0-9_-]{0,63}$\"",
        "a.yaml:3:13: `model.provider` must be one of [\"openai\",\"xai\",\"anthropic\",\"gemini\",\"fireworks\",\"ollama\",\"openai_compatible\"]",
        "a.yaml:3:3: `model` lacks the key `name`",
        "a.yaml:4:3: unknown key `nam` in `model`; did you mean `name`?",
        "a.yaml:6:3: unknown key `temprature` in `settings`; did you mean `temperature`?",
        "a.yaml:7:10: `settings.top_p`: 7 is greater than the maximum of 1",
        "a.yaml:9:5: `tools[0]` lacks the key `url`",
        "a.yaml:11:11: `tools[1].kind` must be one of [\"function\",\"http\",\"agent\",\"deferred\",\"mcp\"]",
        "a.yaml:12:5: `tools[2]` lacks the key `kind`",
        "a.yaml:13:9: `limits`: [] is not of type \"object\"",
        "a.yaml:14:1: unknown key `extra` in the agent",
    ] {
        assert!(
            got.iter().any(|line| line == expected),
            "missing: {expected}\ngot: {got:#?}"
        );
    }
    assert_eq!(got.len(), 11, "{got:#?}");
}

#[test]
fn what_the_form_cannot_say_is_checked_too() {
    let text = "name: a\nmodel:\n  provider: xai\n  name: grok\n  fallbacks:\n    - {provider: openai, name: gpt}\n    - {provider: openai_compatible, name: own}\n\
                settings: {tool_choice: {tool: nowhere}}\ntools:\n  - {kind: function, name: mystery}\n  - {kind: function, name: alpha}\n  - kind: http\n    name: alpha\n\
                \x20   url: http://{host}/x\n    parameters: {type: nonsense}\n  - kind: http\n    name: h\n    url: http://h/{id}\n    headers: {x-k: '${NOPE}'}\n\
                limits: {max_cost_usd: 1}\noutput: {kind: json, schema: {type: 5}}\nretry: {base_seconds: 10, cap_seconds: 1}\n";
    let got = problems(text);
    for (place, words) in [
        (
            "a.yaml:6:7:",
            "`model.fallbacks[0]`: model gpt: no API key for provider openai; set OPENAI_API_KEY",
        ),
        ("a.yaml:7:7:", "needs a `base_url`"),
        (
            "a.yaml:8:32:",
            "`settings.tool_choice.tool`: the agent has no tool of this name",
        ),
        (
            "a.yaml:10:",
            "no function \"mystery\" is registered; known ones: alpha",
        ),
        (
            "a.yaml:13:11:",
            "`tools[2].name`: tools[1] has this name too",
        ),
        ("a.yaml:14:10:", "`tools[2].url`: "),
        ("a.yaml:15:17:", "`tools[2].parameters`: not a JSON Schema"),
        (
            "a.yaml:18:10:",
            "`{id}` is not among the properties of `parameters`",
        ),
        ("a.yaml:16:5:", "set NOPE, which the agent file refers to"),
        (
            "a.yaml:20:",
            "`limits.max_cost_usd`: needs an entry in `prices` for model \"grok\"",
        ),
        ("a.yaml:21:", "`output.schema`: not a JSON Schema"),
        ("a.yaml:22:", "greater than `cap_seconds`"),
    ] {
        assert!(
            got.iter()
                .any(|line| line.starts_with(place) && line.contains(words)),
            "missing: {place} {words}\ngot: {got:#?}"
        );
    }
}

#[test]
fn an_mcp_server_is_named_in_one_way() {
    let text = "name: a\nmodel: {provider: ollama, name: m}\nsettings: {tool_choice: {tools: [far__x, near__x, far_x]}}\ntools:\n\
                \x20 - {kind: mcp, name: both, url: http://h/mcp, command: [x]}\n\
                \x20 - {kind: mcp, name: none}\n\
                \x20 - {kind: mcp, name: far, url: http://h/mcp, env: {A: b}}\n\
                \x20 - {kind: mcp, name: near, command: [x], headers: {a: b}}\n\
                \x20 - {kind: mcp, name: secret, url: http://h/mcp, headers: {authorization: '${NOPE}'}}\n\
                \x20 - {kind: mcp, name: own, url: http://h/mcp, headers: {mcp-session-id: x}}\n\
                \x20 - {kind: mcp, name: secret2, command: [x], env: {A: '${NOPE}'}}\n";
    let got = problems(text);
    let expected = [
        "a.yaml:3:51: `settings.tool_choice.tools[2]`: the agent has no tool of this name",
        "a.yaml:5:57: `tools[0].command`: not together with `url`",
        "a.yaml:6:5: `tools[1]`: needs `url` or `command`",
        "a.yaml:7:52: `tools[2].env`: only with `command`",
        "a.yaml:8:52: `tools[3].headers`: only with `url`",
        "a.yaml:9:5: `tools[4]`: tool secret: set NOPE, which the agent file refers to",
        "a.yaml:10:5: `tools[5]`: tool own: header \"mcp-session-id\" belongs to the protocol",
        "a.yaml:11:5: `tools[6]`: tool secret2: set NOPE, which the agent file refers to",
    ];
    for line in expected {
        assert!(
            got.iter().any(|told| told == line),
            "missing: {line}\ngot: {got:#?}"
        );
    }
    assert_eq!(got.len(), expected.len(), "{got:#?}");
    let shape = "name: a\nmodel: {provider: ollama, name: m}\ntools:\n\
                 \x20 - {kind: mcp, name: has space, url: 'ftp://x', comand: [x]}\n";
    let got = problems(shape).join("\n");
    for words in [
        "unknown key `comand`",
        "did you mean `command`?",
        "`tools[0].name`",
        "`tools[0].url`",
    ] {
        assert!(got.contains(words), "missing: {words}\ngot: {got}");
    }
}

#[test]
fn a_context_schema_is_one_of_an_object_and_not_endless() {
    let with = |schema: &str| {
        format!("name: a\nmodel: {{provider: xai, name: grok}}\ncontext_schema: {schema}\n")
    };
    let long = format!("{{type: object, title: {}}}", "x".repeat(32_768));
    for (schema, place, words) in [
        ("", "a.yaml:3:", "`context_schema` is empty"),
        (
            "anything",
            "a.yaml:3:17:",
            "`context_schema`: \"anything\" is not of type",
        ),
        (
            "{type: object, properties: {n: {type: numbr}}}",
            "a.yaml:3:17:",
            "`context_schema`: not a JSON Schema: at /properties/n/type: ",
        ),
        (
            "{type: string}",
            "a.yaml:3:17:",
            "`context_schema`: must have `type: object`",
        ),
        (
            &long,
            "a.yaml:3:17:",
            "`context_schema`: has 32796 bytes as JSON; at most 32768",
        ),
        (
            "{type: object, $ref: 'https://example.com/x'}",
            "a.yaml:3:17:",
            "not a JSON Schema: ",
        ),
    ] {
        let got = problems(&with(schema));
        assert!(
            got.len() == 1 && got[0].starts_with(place) && got[0].contains(words),
            "{schema:.60}: {got:#?}"
        );
    }
    let (_dir, paths) = files(&[("a.yaml", &with("{type: object, required: [city]}"))]);
    let agent = load(&paths).unwrap().remove(0);
    assert_eq!(agent.context_schema.unwrap()["required"][0], "city");
}

#[test]
fn tools_that_wait_are_checked() {
    let text = "name: a\nmodel: {provider: xai, name: grok}\ntools:\n\
                \x20 - {kind: agent, agent: Bad Name, description: d, max_children: 1001, max_depth: 33}\n\
                \x20 - {kind: agent, agent: b, timeout_seconds: ever, limits: {max_turn: 1}}\n\
                \x20 - {kind: deferred, name: q, asks: nobody, aproval: always}\n\
                \x20 - {kind: function, name: alpha, approval: sometimes}\n\
                \x20 - {kind: function, name: beta, approval: {wen: {}}}\n";
    let got = problems(text);
    for (place, words) in [
        (
            "a.yaml:4:26:",
            "`tools[0].agent`: \"Bad Name\" does not match",
        ),
        ("a.yaml:4:", "`tools[0].max_children`: 1001 is greater"),
        ("a.yaml:4:", "`tools[0].max_depth`: 33 is greater"),
        ("a.yaml:5:", "`tools[1]` lacks the key `description`"),
        (
            "a.yaml:5:",
            "`tools[1].timeout_seconds` must be one of [\"never\"]",
        ),
        ("a.yaml:5:", "unknown key `max_turn` in `tools[1].limits`"),
        (
            "a.yaml:6:",
            "`tools[2].asks` must be one of [\"caller\",\"operator\"]",
        ),
        ("a.yaml:6:", "unknown key `aproval` in `tools[2]`"),
        (
            "a.yaml:7:",
            "`tools[3].approval` must be one of [\"always\"]",
        ),
        ("a.yaml:8:", "unknown key `wen` in `tools[4].approval`"),
    ] {
        assert!(
            got.iter()
                .any(|line| line.starts_with(place) && line.contains(words)),
            "missing: {place} {words}\ngot: {got:#?}"
        );
    }
    assert_eq!(got.len(), 10, "{got:#?}");

    let text = "name: a\nmodel: {provider: xai, name: grok}\ntools:\n\
                \x20 - {kind: agent, agent: b, description: d}\n\
                \x20 - {kind: agent, agent: b, description: d}\n\
                \x20 - {kind: agent, name: c, agent: b, description: d, fan_out: x, parameters: {type: object}}\n\
                \x20 - {kind: deferred, name: q, parameters: {type: array}}\n\
                \x20 - {kind: function, name: alpha, approval: {when: {type: 5}}}\n\
                \x20 - {kind: http, name: h, url: 'http://h/', answer_timeout_seconds: 1}\n";
    let got = problems(text);
    for (place, words) in [
        ("a.yaml:5:", "tools[0] has this name too"),
        (
            "a.yaml:6:",
            "`x` is not among the properties of `parameters` with `type: array`",
        ),
        (
            "a.yaml:7:",
            "`tools[3].parameters`: must have `type: object`",
        ),
        ("a.yaml:8:", "`tools[4].approval.when`: not a JSON Schema"),
        (
            "a.yaml:9:",
            "`tools[5].answer_timeout_seconds`: only with `deferred: true`",
        ),
    ] {
        assert!(
            got.iter()
                .any(|line| line.starts_with(place) && line.contains(words)),
            "missing: {place} {words}\ngot: {got:#?}"
        );
    }
    assert_eq!(got.len(), 5, "{got:#?}");
}

#[test]
fn files_are_told_apart() {
    let good = "name: same\nmodel: {provider: xai, name: grok}\n";
    let (dir, mut paths) = files(&[
        ("a.yaml", good),
        ("b.yml", good),
        ("c.yaml", "name: ["),
        ("d.yaml", "name: same\n"),
        ("e.txt", "not ours"),
    ]);
    fs::write(dir.path().join("f.yaml"), b"name: \xff").unwrap();
    fs::write(dir.path().join("g.yaml"), "").unwrap();
    paths.push(dir.path().join("nowhere.yaml"));
    let errors = load(&paths).unwrap_err().to_string();
    let has = |file: &str, words: &str| {
        errors
            .lines()
            .any(|line| line.contains(file) && line.contains(words))
    };
    assert!(
        has(
            "b.yml:1:7: agent name \"same\" is already used in",
            "a.yaml"
        ),
        "{errors}"
    );
    assert!(
        has("d.yaml", "lacks the key `model`") && has("d.yaml:1:7", "already used"),
        "{errors}"
    );
    assert!(has("c.yaml:", ""), "{errors}");
    assert!(has("f.yaml", "not UTF-8 after byte 6"), "{errors}");
    assert!(
        has("g.yaml", "") && has("nowhere.yaml", "No such file"),
        "{errors}"
    );
    assert!(!errors.contains("e.txt"), "{errors}");
}

#[test]
fn hostile_files_are_refused_quickly() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
                e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
    let deep = "[".repeat(10_000);
    let long = format!("name: {}\n", "x".repeat(2 << 20));
    for text in [bomb, &deep, &long, "\0", "- just\n- a list\n", "text"] {
        let (_dir, paths) = files(&[("a.yaml", text)]);
        assert!(load(&paths).is_err());
    }
}

#[tokio::test]
async fn the_examples_work() {
    let sim = sim().await;
    let paths = [PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/agents"
    ))];
    let mut resources = resources(FunctionRegistry::with_builtins(jiff::Timestamp::now));
    assert!(
        load_checked(&paths, &resources)
            .unwrap_err()
            .to_string()
            .contains("set OPENAI_API_KEY")
    );
    resources.providers.settings.insert(
        Provider::Openai,
        ProviderSettings {
            base_url: Some(sim.base_url()),
            key: None,
        },
    );
    let definitions = load_checked(&paths, &resources).unwrap();
    assert!(definitions.len() >= 2);
    for definition in definitions {
        LlmAgent::build(definition, &resources).unwrap();
    }
}
