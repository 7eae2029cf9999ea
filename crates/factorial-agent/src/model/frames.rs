//! What the provider library leaves out of OpenAI's stream.
//!
//! The library drops `delta.refusal` and the reply's id, so this listens to the raw frames beside it.

use std::sync::{Mutex, PoisonError};

use genai::chat::{ChatFrameSink, FrameCtx, RawFrameRef, StreamEnd};
use serde::Deserialize;

/// Collects from the frames of one call.
#[derive(Debug, Default)]
pub(super) struct Frames(Mutex<Seen>);

/// What was collected.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    pub(super) id: Option<String>,
    pub(super) refusal: String,
    pub(super) frames: u32,
}

#[derive(Deserialize)]
struct Chunk {
    id: Option<String>,
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
}

#[derive(Deserialize)]
struct Delta {
    refusal: Option<String>,
}

impl Frames {
    pub(super) fn seen(&self) -> Seen {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ChatFrameSink for Frames {
    fn on_frame(&self, _ctx: &FrameCtx, frame: RawFrameRef<'_>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.frames = seen.frames.saturating_add(1);
        // Every frame is parsed once by the library; only those that may matter are parsed here again.
        if seen.id.is_some() && !frame.data.contains("\"refusal\"") {
            return;
        }
        let Ok(chunk) = serde_json::from_str::<Chunk>(frame.data) else {
            return;
        };
        if seen.id.is_none() {
            seen.id = chunk.id.filter(|id| id.len() <= 256);
        }
        if let Some(text) = chunk
            .choices
            .into_iter()
            .next()
            .and_then(|choice| choice.delta?.refusal)
        {
            seen.refusal.push_str(&text);
        }
    }

    fn on_end(&self, _ctx: &FrameCtx, _end: &StreamEnd) {}

    fn on_error(&self, _ctx: &FrameCtx, _err: &genai::Error) {}
}
