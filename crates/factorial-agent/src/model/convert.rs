//! From our conversation to the provider library's request.
//!
//! Invariant: arguments that the model wrote badly reach no provider as they are, since most refuse a request whose
//! history holds invalid JSON.

use genai::chat::{
    ChatMessage, ChatOptions, ChatRequest, ChatResponseFormat, ContentPart, JsonSpec,
    MessageContent, ReasoningEffort as Effort, Tool, ToolCall as ProviderCall,
    ToolChoice as Choice, ToolResponse,
};
use serde_json::{Value, json};

use super::ModelRequest;
use crate::{
    Message, ToolCall, definition::Provider, definition::ReasoningEffort, definition::ToolChoice,
};

/// The request without its options.
pub(super) fn request(provider: Provider, request: &ModelRequest<'_>) -> ChatRequest {
    let messages = request
        .messages
        .iter()
        .filter_map(|message| convert(provider, message))
        .collect();
    let mut chat = ChatRequest::new(messages);
    if !request.instructions.is_empty() {
        chat = chat.with_system(request.instructions);
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|spec| {
            Tool::new(spec.name.as_str())
                .with_description(spec.description.as_str())
                .with_schema(spec.parameters.clone())
        });
        chat = chat.with_tools(tools);
    }
    chat
}

/// The options, headers left out. `model` is the name as the agent writes it.
pub(super) fn options(provider: Provider, model: &str, request: &ModelRequest<'_>) -> ChatOptions {
    let settings = request.settings;
    let mut options = ChatOptions {
        temperature: settings.temperature,
        top_p: settings.top_p,
        max_tokens: settings.max_tokens,
        seed: settings.seed,
        reasoning_effort: settings.reasoning_effort.map(effort),
        // `auto` is every provider's default, and some refuse the key in a request without tools.
        tool_choice: request
            .tool_choice
            .filter(|choice| !request.tools.is_empty() && **choice != ToolChoice::Auto)
            .map(choice),
        response_format: request.output.map(|output| {
            ChatResponseFormat::JsonSpec(JsonSpec::new("output", output.schema().clone()))
        }),
        capture_usage: Some(true),
        capture_tool_calls: Some(true),
        // Not for the text, which is collected here, but for the signatures that belong to it.
        capture_reasoning_content: Some(true),
        ..ChatOptions::default()
    };
    if provider.speaks_openai() {
        // The library takes `-high` and the like off a model's name; the name is ours to decide.
        let mut extra = json!({});
        if provider != Provider::Fireworks {
            extra["model"] = json!(model);
        }
        if let (Some(parallel), false) = (settings.parallel_tool_calls, request.tools.is_empty()) {
            extra["parallel_tool_calls"] = json!(parallel);
        }
        options.extra_body = Some(extra);
    }
    options
}

fn convert(provider: Provider, message: &Message) -> Option<ChatMessage> {
    match message {
        Message::System { content } => Some(ChatMessage::system(content.as_str())),
        Message::User { content } => Some(ChatMessage::user(content.as_str())),
        // An empty reply that was repaired; providers refuse empty messages.
        Message::Assistant {
            content,
            tool_calls,
            ..
        } if content.is_empty() && tool_calls.is_empty() => None,
        Message::Assistant {
            content,
            tool_calls,
            reasoning,
        } => {
            let mut parts = Vec::with_capacity(tool_calls.len() + 2);
            if let Some(reasoning) = reasoning
                .as_ref()
                .filter(|_| wants_reasoning(provider, tool_calls))
            {
                parts.push(ContentPart::ReasoningContent(reasoning.clone()));
            }
            if !content.is_empty() {
                parts.push(ContentPart::Text(content.clone()));
            }
            parts.extend(
                tool_calls
                    .iter()
                    .map(|call| ContentPart::ToolCall(tool_call(provider, call))),
            );
            Some(ChatMessage::assistant(MessageContent::from_parts(parts)))
        }
        Message::Tool {
            call_id,
            name,
            content,
            ..
        } => Some(ChatMessage::tool(MessageContent::from_parts(vec![
            ContentPart::ToolResponse(
                ToolResponse::new(call_id.as_str(), content.as_str()).with_fn_name(name.as_str()),
            ),
        ]))),
    }
}

/// OpenAI refuses its own field for reasoning; others ask for it along with tool calls.
fn wants_reasoning(provider: Provider, calls: &[ToolCall]) -> bool {
    provider != Provider::Openai && !calls.is_empty()
}

fn tool_call(provider: Provider, call: &ToolCall) -> ProviderCall {
    let arguments = match serde_json::from_str(&call.arguments) {
        Ok(value @ Value::Object(_)) => value,
        Ok(Value::Null) => json!({}),
        _ if call.arguments.trim().is_empty() => json!({}),
        _ => json!({ "invalid_arguments": call.arguments }),
    };
    let signed =
        matches!(provider, Provider::Anthropic | Provider::Gemini) && !call.signatures.is_empty();
    ProviderCall {
        call_id: call.id.clone(),
        fn_name: call.name.clone(),
        fn_arguments: arguments,
        thought_signatures: signed.then(|| call.signatures.clone()),
    }
}

fn choice(choice: &ToolChoice) -> Choice {
    match choice {
        // A list is taken apart by the turn loop.
        ToolChoice::Auto | ToolChoice::Tools(_) => Choice::Auto,
        ToolChoice::None => Choice::None,
        ToolChoice::Required => Choice::Required,
        ToolChoice::Tool(name) => Choice::tool(name.as_str()),
    }
}

fn effort(effort: ReasoningEffort) -> Effort {
    match effort {
        ReasoningEffort::None => Effort::Zero,
        ReasoningEffort::Minimal => Effort::Minimal,
        ReasoningEffort::Low => Effort::Low,
        ReasoningEffort::Medium => Effort::Medium,
        ReasoningEffort::High => Effort::High,
        ReasoningEffort::Xhigh => Effort::XHigh,
        ReasoningEffort::Max => Effort::Max,
    }
}
