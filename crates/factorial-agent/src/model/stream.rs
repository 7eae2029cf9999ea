//! From the provider library's stream to a whole reply.
//!
//! Invariant: without a stop reason from the provider there is no reply, whatever the library makes of the end.

use std::collections::HashMap;

use futures::StreamExt;
use genai::chat::{
    ChatStream, ChatStreamEvent, StopReason, StreamEnd, ToolCall as ProviderCall,
    Usage as ProviderUsage,
};
use serde_json::Value;
use tokio::time::Instant;

use super::{Deltas, FinishReason, ModelError};
use crate::{ErrorKind, ToolCall, Usage};

/// Largest reply in bytes, reasoning and arguments included.
const MAX_REPLY_BYTES: usize = 8 << 20;

/// What the events of one stream add up to.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) text: String,
    pub(super) reasoning: String,
    /// Raw arguments by call id, as far as they have come.
    arguments: HashMap<String, String>,
    pub(super) first_token: Option<Instant>,
    end: Option<StreamEnd>,
}

impl Collected {
    /// Reads the stream to its end event.
    pub(super) async fn read(
        stream: &mut ChatStream,
        deltas: &mut Deltas<'_>,
    ) -> Result<Self, Result<genai::Error, ModelError>> {
        let mut collected = Self::default();
        let mut bytes = 0usize;
        while let Some(event) = stream.next().await {
            let grown = match event.map_err(Ok)? {
                ChatStreamEvent::Start
                | ChatStreamEvent::Heartbeat
                | ChatStreamEvent::ThoughtSignatureChunk(_) => continue,
                ChatStreamEvent::Chunk(chunk) => {
                    deltas(&chunk.content);
                    collected.text.push_str(&chunk.content);
                    chunk.content.len()
                }
                ChatStreamEvent::ReasoningChunk(chunk) => {
                    collected.reasoning.push_str(&chunk.content);
                    chunk.content.len()
                }
                ChatStreamEvent::ToolCallChunk(chunk) => collected.tool_chunk(chunk.tool_call),
                ChatStreamEvent::End(end) => {
                    collected.end = Some(end);
                    return Ok(collected);
                }
            };
            if collected.first_token.is_none() {
                collected.first_token = Some(Instant::now());
                deltas("");
            }
            bytes = bytes.saturating_add(grown);
            if bytes > MAX_REPLY_BYTES {
                return Err(Err(ModelError::new(
                    ErrorKind::InvalidReply,
                    format!("the reply is larger than {MAX_REPLY_BYTES} bytes"),
                )));
            }
        }
        Ok(collected)
    }

    /// Chunks carry all of the arguments so far; returns by how many bytes they grew.
    fn tool_chunk(&mut self, call: ProviderCall) -> usize {
        let Value::String(raw) = call.fn_arguments else {
            return call.fn_arguments.to_string().len();
        };
        let length = raw.len();
        let before = self
            .arguments
            .insert(call.call_id, raw)
            .map_or(0, |raw| raw.len());
        length.saturating_sub(before).max(1)
    }

    /// Why the provider stopped, the tool calls, and the usage.
    pub(super) fn finish(&mut self) -> Result<(FinishReason, Vec<ToolCall>, Usage), ModelError> {
        let interrupted = |message: &str| ModelError::new(ErrorKind::StreamInterrupted, message);
        let end = self
            .end
            .take()
            .ok_or_else(|| interrupted("the stream ended without its end marker"))?;
        let reason = end
            .captured_stop_reason
            .as_ref()
            .ok_or_else(|| interrupted("the stream ended without a finish reason"))?;
        let finish_reason = match reason {
            StopReason::Completed(_) | StopReason::StopSequence(_) => FinishReason::Stop,
            StopReason::MaxTokens(_) => FinishReason::Length,
            StopReason::ToolCall(_) => FinishReason::ToolCalls,
            StopReason::ContentFilter(_) => FinishReason::Refusal,
            StopReason::Other(reason) if matches!(reason.as_str(), "eos" | "eos_token") => {
                FinishReason::Stop
            }
            StopReason::Other(reason) => {
                let message = format!(
                    "the provider stopped with reason {:?}",
                    reason.chars().take(40).collect::<String>()
                );
                return Err(ModelError::new(ErrorKind::InvalidReply, message));
            }
        };
        let usage = end.captured_usage.as_ref().map(usage).unwrap_or_default();
        let calls = end.captured_into_tool_calls().unwrap_or_default();
        Ok((
            finish_reason,
            calls.into_iter().map(|call| self.tool_call(call)).collect(),
            usage,
        ))
    }

    /// The library parses arguments; the model's own text is kept if it says the same.
    fn tool_call(&self, call: ProviderCall) -> ToolCall {
        let arguments = match (self.arguments.get(&call.call_id), &call.fn_arguments) {
            (Some(raw), parsed)
                if serde_json::from_str::<Value>(raw).is_ok_and(|value| value == *parsed) =>
            {
                raw.clone()
            }
            (Some(raw), Value::String(text)) if raw == text => raw.clone(),
            (None, Value::String(text)) => text.clone(),
            (_, Value::Null) => "{}".to_owned(),
            (_, parsed) => parsed.to_string(),
        };
        ToolCall {
            id: call.call_id,
            name: call.fn_name,
            arguments,
            signatures: call.thought_signatures.unwrap_or_default(),
        }
    }
}

fn usage(usage: &ProviderUsage) -> Usage {
    let count = |tokens: Option<i32>| {
        tokens
            .and_then(|tokens| u64::try_from(tokens).ok())
            .unwrap_or(0)
    };
    Usage {
        input: count(usage.prompt_tokens),
        cached_input: count(
            usage
                .prompt_tokens_details
                .as_ref()
                .and_then(|details| details.cached_tokens),
        ),
        output: count(usage.completion_tokens),
        reasoning: count(
            usage
                .completion_tokens_details
                .as_ref()
                .and_then(|details| details.reasoning_tokens),
        ),
    }
}
