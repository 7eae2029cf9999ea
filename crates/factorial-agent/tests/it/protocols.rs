//! What goes over the wire, and what is read from it.

use std::sync::Arc;

use factorial_agent::{
    ErrorKind, LlmAgent, Message, ModelSpec, Output, OutputSpec, Provider, ProviderSettings,
    Providers, ReasoningEffort, RunEnd, ToolCall, ToolChoice, Usage,
};
use secrecy::SecretString;
use serde_json::json;

use crate::support::{
    Entry, MemoryJournal, Script, build, definition, functions, resources, with_tools,
};

const STOP: &str =
    r#"{"id":"resp-1","choices":[{"index":0,"delta":{"content":"fine"},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":60},"completion_tokens_details":{"reasoning_tokens":5}}}"#;

#[tokio::test]
async fn a_request_says_what_the_agent_says() {
    let server = Script::start(vec![Script::stream(&[STOP, USAGE, "[DONE]"])]).await;
    let mut definition = with_tools(definition(&server.base_url()), &["alpha"]);
    definition.model.name = "my::model-high".to_owned();
    definition
        .model
        .headers
        .insert("x-team".to_owned(), "red".to_owned());
    definition.instructions = "be good".to_owned();
    definition.settings.temperature = Some(0.5);
    definition.settings.max_tokens = Some(99);
    definition.settings.seed = Some(7);
    definition.settings.parallel_tool_calls = Some(false);
    definition.settings.tool_choice = Some(ToolChoice::Required);
    definition.settings.reasoning_effort = Some(ReasoningEffort::Low);
    let journal = MemoryJournal::new("hello");
    assert_eq!(journal.run(&build(definition)).await, RunEnd::Completed);
    let asked = &server.asked()[0];
    assert!(
        asked.head.starts_with("post /v1/chat/completions "),
        "{}",
        asked.head
    );
    assert!(
        asked.head.contains("x-factorial-task: task-1") && asked.head.contains("x-team: red"),
        "{}",
        asked.head
    );
    let body = &asked.body;
    assert_eq!(body["model"], "my::model-high");
    assert_eq!(body["stream"], true);
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    assert_eq!(
        body["messages"],
        json!([{"role": "system", "content": "be good"}, {"role": "user", "content": "hello"}])
    );
    assert_eq!(body["tools"][0]["function"]["name"], "alpha");
    for (key, value) in [
        ("temperature", json!(0.5)),
        ("max_tokens", json!(99)),
        ("seed", json!(7)),
        ("parallel_tool_calls", json!(false)),
        ("tool_choice", json!("required")),
        ("reasoning_effort", json!("low")),
    ] {
        assert_eq!(body[key], value, "{key}");
    }
    let Some(Entry::Complete(turn, _)) = journal.entries().last().cloned() else {
        panic!("no completion")
    };
    assert_eq!(
        turn.usage,
        Usage {
            input: 100,
            cached_input: 60,
            output: 20,
            reasoning: 5
        }
    );
    assert_eq!(
        (turn.provider.as_str(), turn.model.as_str()),
        ("openai_compatible", "my::model-high")
    );
    assert_eq!(turn.provider_response_id.as_deref(), Some("resp-1"));
    assert_eq!(journal.deltas(), "fine");
}

#[tokio::test]
async fn history_keeps_its_order_and_bad_arguments_do_no_harm() {
    let server = Script::start(vec![Script::stream(&[STOP, "[DONE]"])]).await;
    let call = |id: &str, arguments: &str| ToolCall {
        id: id.into(),
        name: "alpha".into(),
        arguments: arguments.into(),
        signatures: vec!["sig".into()],
    };
    let result = |id: &str| Message::Tool {
        call_id: id.into(),
        name: "alpha".into(),
        content: id.into(),
        is_error: false,
    };
    let calls = Message::Assistant {
        content: String::new(),
        tool_calls: vec![
            call("a", "{\"b\":1,\"a\":2}"),
            call("b", "{bad"),
            call("c", ""),
        ],
        reasoning: Some("hm".into()),
    };
    let journal = MemoryJournal::of(vec![
        Message::user("q"),
        calls,
        result("c"),
        result("b"),
        result("a"),
        Message::user("now?"),
    ]);
    assert_eq!(
        journal
            .run(&build(with_tools(
                definition(&server.base_url()),
                &["alpha"]
            )))
            .await,
        RunEnd::Completed
    );
    let messages = server.asked()[0].body["messages"].clone();
    let arguments: Vec<_> = (0..3)
        .map(|index| messages[1]["tool_calls"][index]["function"]["arguments"].clone())
        .collect();
    assert_eq!(
        arguments,
        [
            json!("{\"b\":1,\"a\":2}"),
            json!("{\"invalid_arguments\":\"{bad\"}"),
            json!("{}")
        ]
    );
    let order: Vec<_> = (2..5)
        .map(|index| messages[index]["tool_call_id"].clone())
        .collect();
    assert_eq!(order, ["a", "b", "c"]);
    assert_eq!(messages[5], json!({"role": "user", "content": "now?"}));
}

#[tokio::test]
async fn arguments_are_kept_as_the_model_wrote_them() {
    let piece = |index: u32, id: &str, name: &str, arguments: &str| {
        let mut function = json!({ "arguments": arguments });
        if !name.is_empty() {
            function["name"] = json!(name);
        }
        let mut call = json!({"index": index, "function": function});
        if !id.is_empty() {
            call["id"] = json!(id);
        }
        json!({"id": "r", "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}).to_string()
    };
    let done = r#"{"id":"r","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#;
    let chunks = [
        piece(0, "x", "alpha", ""),
        piece(0, "", "", "{ \"n\":"),
        piece(0, "", "", " 3 }"),
        piece(1, "y", "beta", "{\"n\": \"thr"),
        piece(2, "x", "alpha", "{\"n\": 4}"),
    ];
    let mut lines: Vec<&str> = chunks.iter().map(String::as_str).collect();
    lines.extend([done, "[DONE]"]);
    let server = Script::start(vec![
        Script::stream(&lines),
        Script::stream(&[STOP, "[DONE]"]),
    ])
    .await;
    let journal = MemoryJournal::new("q");
    assert_eq!(
        journal
            .run(&build(with_tools(
                definition(&server.base_url()),
                &["alpha", "beta"]
            )))
            .await,
        RunEnd::Completed
    );
    let Some(Entry::Reply(turn)) = journal.entries().first().cloned() else {
        panic!("no reply")
    };
    let calls: Vec<_> = turn
        .message
        .tool_calls()
        .iter()
        .map(|call| {
            (
                call.id.as_str(),
                call.name.as_str(),
                call.arguments.as_str(),
            )
        })
        .collect();
    assert_eq!(calls[0].0, "x");
    assert_eq!((calls[1].0, calls[1].2), ("y", "{\"n\": \"thr"));
    assert_eq!((calls[2].0, calls[2].2), ("call_1_2", "{\"n\": 4}"));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(calls[0].2).unwrap(),
        json!({"n": 3})
    );
    let errors: Vec<bool> = server.asked()[1].body["messages"].as_array().unwrap()[2..]
        .iter()
        .map(|message| {
            message["content"]
                .as_str()
                .unwrap()
                .starts_with("error (invalid_arguments)")
        })
        .collect();
    assert_eq!(errors, [false, true, false]);
}

#[tokio::test]
async fn json_output_asks_for_its_schema() {
    let reply = r#"{"id":"r","choices":[{"index":0,"delta":{"content":"{\"city\": \"Oslo\"}"},"finish_reason":"stop"}]}"#;
    let server = Script::start(vec![Script::stream(&[reply, "[DONE]"])]).await;
    let mut definition = definition(&server.base_url());
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false});
    definition.output = OutputSpec::Json {
        schema: schema.clone(),
    };
    let journal = MemoryJournal::new("where?");
    assert_eq!(journal.run(&build(definition)).await, RunEnd::Completed);
    let format = &server.asked()[0].body["response_format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["json_schema"]["schema"], schema);
    assert_eq!(
        journal.output(),
        Some(Output::Json {
            value: json!({"city": "Oslo"})
        })
    );
}

#[tokio::test]
async fn keys_are_sent_and_never_told() {
    let body = r#"{"error":{"message":"Incorrect API key provided: sk-secret-123456.","code":"invalid_api_key"}}"#;
    let server = Script::start(vec![Script::response(
        "401 Unauthorized",
        "content-type: application/json\r\n",
        body,
    )])
    .await;
    let settings = ProviderSettings {
        base_url: Some(server.base_url()),
        key: Some(SecretString::from("sk-secret-123456")),
    };
    let providers = Providers {
        settings: [(Provider::Openai, settings)].into(),
        ..Providers::default()
    };
    let definition = factorial_agent::AgentDefinition::new(
        "test".parse().unwrap(),
        ModelSpec::new(Provider::Openai, "gpt"),
    );
    let mut resources = resources(functions().0);
    resources.providers = providers;
    let agent = LlmAgent::build(definition, &resources).unwrap();
    let RunEnd::Failed(failure) = MemoryJournal::new("q").run(&agent).await else {
        panic!("no failure")
    };
    assert_eq!(failure.kind, ErrorKind::Authentication);
    assert!(
        failure
            .message
            .contains("Incorrect API key provided: [key]"),
        "{}",
        failure.message
    );
    assert!(
        server.asked()[0]
            .head
            .contains("authorization: bearer sk-secret-123456")
    );
    assert!(!format!("{resources:?} {agent:?}").contains("sk-secret"));
}

#[tokio::test]
async fn anthropic_streams_are_read_and_cut_ones_refused() {
    let event = |name: &str, data: serde_json::Value| format!("event: {name}\ndata: {data}\n\n");
    let begin = event(
        "message_start",
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 11, "output_tokens": 1}}}),
    ) + &event(
        "content_block_start",
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    ) + &event(
        "content_block_delta",
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "fine"}}),
    ) + &event(
        "content_block_stop",
        json!({"type": "content_block_stop", "index": 0}),
    );
    let end = event(
        "message_delta",
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}),
    ) + &event("message_stop", json!({"type": "message_stop"}));
    let overloaded = event(
        "error",
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    );
    for (body, expected) in [
        (begin.clone() + &end, None),
        (begin.clone(), Some(ErrorKind::StreamInterrupted)),
        (begin + &overloaded, Some(ErrorKind::Overloaded)),
    ] {
        let server = Script::start(vec![Script::response(
            "200 OK",
            "content-type: text/event-stream\r\n",
            &body,
        )])
        .await;
        let model = ModelSpec {
            base_url: Some(server.base_url()),
            ..ModelSpec::new(Provider::Anthropic, "claude-x")
        };
        let agent = build(factorial_agent::AgentDefinition::new(
            "test".parse().unwrap(),
            model,
        ));
        let journal = MemoryJournal::new("q");
        match (journal.run(&agent).await, expected) {
            (RunEnd::Completed, None) => assert_eq!(
                journal.usage(),
                Usage {
                    input: 11,
                    output: 3,
                    ..Usage::default()
                }
            ),
            (RunEnd::Failed(failure), Some(kind)) => assert_eq!(failure.kind, kind),
            other => panic!("{other:?}"),
        }
        assert!(
            server.asked()[0].head.starts_with("post /v1/messages "),
            "{}",
            server.asked()[0].head
        );
    }
}

#[tokio::test]
async fn gemini_and_ollama_streams_without_an_end_are_refused() {
    let gemini = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"half\"}]}}]}\n\n";
    let ollama = "{\"message\":{\"role\":\"assistant\",\"content\":\"half\"},\"done\":false}\n";
    for (provider, body) in [(Provider::Gemini, gemini), (Provider::Ollama, ollama)] {
        let server = Script::start(vec![Script::response(
            "200 OK",
            "content-type: text/event-stream\r\n",
            body,
        )])
        .await;
        let model = ModelSpec {
            base_url: Some(server.base_url()),
            ..ModelSpec::new(provider, "m")
        };
        let agent = build(factorial_agent::AgentDefinition::new(
            "test".parse().unwrap(),
            model,
        ));
        match MemoryJournal::new("q").run(&agent).await {
            RunEnd::Failed(failure) => {
                assert_eq!(failure.kind, ErrorKind::StreamInterrupted, "{failure:?}")
            }
            other => panic!("{provider}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn headers_take_secrets_from_keys() {
    let server = Script::start(vec![Script::stream(&[STOP, "[DONE]"])]).await;
    let mut definition = definition(&server.base_url());
    definition
        .model
        .headers
        .insert("x-key".into(), "k ${GATE}".into());
    let mut resources = resources(functions().0);
    assert!(
        LlmAgent::build(definition.clone(), &resources)
            .unwrap_err()
            .to_string()
            .contains("set GATE")
    );
    resources.providers.keys =
        Arc::new(|name: &str| (name == "GATE").then(|| SecretString::from("open")));
    let agent = LlmAgent::build(definition, &resources).unwrap();
    assert_eq!(MemoryJournal::new("q").run(&agent).await, RunEnd::Completed);
    assert!(server.asked()[0].head.contains("x-key: k open"));
}
