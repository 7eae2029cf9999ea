//! The reply policy: words, tool calls, structured output, directives, usage.

use serde_json::{Value, json};

use crate::support::*;

#[tokio::test]
async fn an_answer_quotes_the_query_and_is_repeatable() {
    let h = Harness::start().await;
    let body = ask("why is the sky blue");
    let first = h.post(&body).await.text().await.unwrap();
    assert_eq!(first, h.post(&body).await.text().await.unwrap());
    let other = Harness::start().await;
    assert_eq!(first, other.post(&body).await.text().await.unwrap());

    let reply: Value = serde_json::from_str(&first).unwrap();
    assert!(text(&reply).contains("why is the sky blue"));
    assert_eq!(reply["object"], "chat.completion");
    assert_eq!(reply["model"], "gpt-test");
    assert_eq!(reply["choices"][0]["finish_reason"], "stop");
    assert!(reply["choices"][0]["message"].get("tool_calls").is_none());
}

#[tokio::test]
async fn a_tool_is_called_and_its_result_quoted() {
    let h = Harness::start().await;
    let body = ask_with_tool("what is the weather in Paris");
    let call = h.chat(&body).await;
    assert_eq!(call_names(&call), ["get_weather"]);
    assert_eq!(call["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(call["choices"][0]["message"]["content"], Value::Null);
    let args: Value = serde_json::from_str(arguments(&call)).unwrap();
    assert_eq!(args, json!({"city": "what is the weather in Paris"}));

    let answer = h.chat(&answered(body, &call, "sunny, 21 degrees")).await;
    assert!(text(&answer).contains("get_weather returned sunny, 21 degrees"));
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn tools_named_in_the_text_are_called_in_its_order() {
    let h = Harness::start().await;
    let any = json!({"type": "object", "properties": {}});
    let tools = json!([
        tool("alpha", &any),
        tool("tool_a", &any),
        tool("tool_b", &any)
    ]);
    let body = |text: &str| with(ask(text), "tools", tools.clone());
    let reply = h.chat(&body("use tool_b and tool_a, not tool_abc")).await;
    assert_eq!(call_names(&reply), ["tool_b", "tool_a"]);
    let reply = h.chat(&body("anything")).await;
    assert_eq!(call_names(&reply), ["alpha"]);
    let one = with(
        body("use tool_a and tool_b"),
        "parallel_tool_calls",
        false.into(),
    );
    assert_eq!(call_names(&h.chat(&one).await), ["tool_a"]);
    let many = h.chat(&body("[[sim:calls=3]]use tool_a")).await;
    assert_eq!(call_names(&many), ["tool_a"; 3]);
    let calls = many["choices"][0]["message"]["tool_calls"]
        .as_array()
        .unwrap();
    assert_ne!(calls[0]["id"], calls[1]["id"]);
}

#[tokio::test]
async fn tool_choice_is_honoured() {
    let h = Harness::start().await;
    let body = ask_with_tool("hello");
    let none = h
        .chat(&with(body.clone(), "tool_choice", "none".into()))
        .await;
    assert!(call_names(&none).is_empty());
    let call = h.chat(&body).await;
    let after = answered(body.clone(), &call, "done");
    let required = h
        .chat(&with(after.clone(), "tool_choice", "required".into()))
        .await;
    assert_eq!(call_names(&required), ["get_weather"]);
    let named = json!({"type": "function", "function": {"name": "get_weather"}});
    assert_eq!(
        call_names(&h.chat(&with(after, "tool_choice", named)).await),
        ["get_weather"]
    );
}

#[tokio::test]
async fn structured_output_fits_its_schema() {
    let h = Harness::start().await;
    let schema = json!({"type": "object", "additionalProperties": false, "required": ["title", "score", "tags"],
        "properties": {"title": {"type": "string"}, "score": {"type": "integer", "minimum": 1, "maximum": 5},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "x", "strict": true, "schema": schema}});
    let reply = h
        .chat(&with(ask("rate this"), "response_format", format))
        .await;
    let value: Value = serde_json::from_str(text(&reply)).unwrap();
    assert!(jsonschema::is_valid(&schema, &value), "{value}");

    let format = json!({"type": "json_object"});
    let reply = h
        .chat(&with(ask("rate this"), "response_format", format))
        .await;
    let value: Value = serde_json::from_str(text(&reply)).unwrap();
    assert!(value.is_object());
}

#[tokio::test]
async fn directives_shape_the_run() {
    let h = Harness::start().await;
    let exact = h.chat(&ask_with_tool("x [[sim:reply=exact text]]")).await;
    assert_eq!(text(&exact), "exact text");
    assert_eq!(text(&h.chat(&ask_with_tool("[[sim:noop]]")).await), "ok");
    assert_eq!(
        text(&h.chat(&ask("[[sim:tokens=200]] go")).await)
            .chars()
            .count(),
        800
    );

    let mut body = ask_with_tool("work [[sim:turns=5]][[sim:reply=all done]]");
    for _ in 0..5 {
        let reply = h.chat(&body).await;
        assert_eq!(call_names(&reply).len(), 1);
        body = answered(body, &reply, "r");
    }
    let last = h.chat(&body).await;
    assert_eq!(text(&last), "all done");

    // A later question in the same conversation is a run of its own.
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(last["choices"][0]["message"].clone());
    messages.push(json!({"role": "user", "content": "and now?"}));
    let next = h.chat(&body).await;
    assert_eq!(call_names(&next), ["get_weather"]);
    assert!(text(&h.chat(&answered(body, &next, "42")).await).contains("42"));
}

#[tokio::test]
async fn content_parts_count_as_text() {
    let h = Harness::start().await;
    let body = json!({"model": "m", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "first \"part\""}, {"type": "image_url", "image_url": {"url": "data:,"}},
        {"type": "text", "text": "second"}]}]});
    assert!(text(&h.chat(&body).await).contains("first \"part\" second"));
}

#[tokio::test]
async fn usage_counts_quarters_and_repeated_prefixes() {
    let h = Harness::start().await;
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "12345[[sim:reply=abcdefghi]]"}]});
    let reply = h.chat(&body).await;
    let chars = "12345[[sim:reply=abcdefghi]]".len() as u64;
    assert_eq!(
        reply["usage"],
        json!({
        "prompt_tokens": chars.div_ceil(4), "completion_tokens": 3, "total_tokens": chars.div_ceil(4) + 3,
        "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}})
    );

    let body = ask_with_tool("weather please");
    let first = h.chat(&body).await;
    let second = h.chat(&answered(body, &first, "rain")).await;
    assert_eq!(
        second["usage"]["prompt_tokens_details"]["cached_tokens"],
        first["usage"]["prompt_tokens"]
    );
    assert_eq!(
        h.sim.stats().prompt_tokens,
        [&reply, &first, &second]
            .map(|reply| reply["usage"]["prompt_tokens"].as_u64().unwrap())
            .iter()
            .sum::<u64>()
    );
}

#[tokio::test]
async fn the_clients_limit_ends_the_text() {
    let h = Harness::start().await;
    let body = with(ask("[[sim:tokens=50]]"), "max_completion_tokens", 10.into());
    let reply = h.chat(&body).await;
    assert_eq!(reply["choices"][0]["finish_reason"], "length");
    assert_eq!(reply["usage"]["completion_tokens"], 10);
}
