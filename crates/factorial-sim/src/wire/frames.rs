//! A reply as server-sent events, one frame after the other.
//!
//! Drawn from by the stream body. Invariant: a frame is made when it is asked for, so that a huge reply
//! costs memory once, and the frames joined say what the unstreamed reply says.

use bytes::Bytes;

use super::completion::{CREATED, Reply, UsageBody, to_json};
use super::delta::{CallDelta, ChoiceDelta, Delta, FunctionDelta, Head};

/// One event of a stream, with the blank line that ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: FrameKind,
    pub(crate) bytes: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// Role, or head of a tool call.
    Open,
    /// A piece of text, refusal or arguments.
    Token,
    /// `finish_reason`, usage, or `[DONE]`.
    Close,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    Role,
    Text(usize),
    Refusal(usize),
    CallHead(usize),
    CallArguments(usize, usize),
    Finish,
    Usage,
    Done,
    End,
}

/// The frames of one reply.
#[derive(Debug)]
pub(crate) struct Frames {
    reply: Reply,
    /// Each event up to the content of `choices`.
    head: Vec<u8>,
    with_usage: bool,
    /// Characters in a token.
    token_chars: usize,
    next: Next,
}

impl Frames {
    pub(crate) fn new(reply: Reply, with_usage: bool, token_chars: usize) -> Self {
        let mut head = b"data: ".to_vec();
        head.extend(to_json(&Head {
            id: &reply.id,
            object: "chat.completion.chunk",
            created: CREATED,
            model: &reply.model,
        }));
        head.pop(); // the closing brace: `choices` follows
        head.extend_from_slice(b",\"choices\":[");
        let next = if reply.no_choice {
            Next::Finish
        } else {
            Next::Role
        };
        Self {
            reply,
            head,
            with_usage,
            token_chars: token_chars.max(1),
            next,
        }
    }

    fn event(&self, choice: Option<&ChoiceDelta<'_>>, usage: Option<&UsageBody>) -> Bytes {
        let mut event = Vec::with_capacity(self.head.len() + 160);
        event.extend_from_slice(&self.head);
        if let Some(choice) = choice {
            event.extend(to_json(choice));
        }
        event.push(b']');
        if self.with_usage {
            event.extend_from_slice(b",\"usage\":");
            event.extend(to_json(&usage));
        }
        event.extend_from_slice(b"}\n\n");
        event.into()
    }

    fn delta(&self, kind: FrameKind, delta: Delta<'_>) -> Frame {
        let choice = ChoiceDelta {
            index: 0,
            delta,
            logprobs: None,
            finish_reason: None,
        };
        Frame {
            kind,
            bytes: self.event(Some(&choice), None),
        }
    }

    fn call_delta(&self, kind: FrameKind, call: CallDelta<'_>) -> Frame {
        self.delta(
            kind,
            Delta {
                tool_calls: Some([call]),
                ..Delta::default()
            },
        )
    }

    /// Where the stream goes when a part has been said.
    fn after_calls(&self, call: usize) -> Next {
        if call < self.reply.calls.len() {
            Next::CallHead(call)
        } else {
            Next::Finish
        }
    }

    fn role(&mut self) -> Frame {
        self.next = Next::Text(0);
        let content = self.reply.content().map(|_| "");
        self.delta(
            FrameKind::Open,
            Delta {
                role: Some("assistant"),
                content,
                ..Delta::default()
            },
        )
    }

    fn call_head(&mut self, index: usize) -> Option<Frame> {
        let call = self.reply.calls.get(index)?;
        let frame = self.call_delta(
            FrameKind::Open,
            CallDelta {
                index,
                id: Some(&call.id),
                kind: Some("function"),
                function: FunctionDelta {
                    name: Some(&call.name),
                    arguments: "",
                },
            },
        );
        self.next = Next::CallArguments(index, 0);
        Some(frame)
    }

    fn finish(&mut self) -> Option<Frame> {
        self.next = Next::Usage;
        if self.reply.no_choice {
            return Some(Frame {
                kind: FrameKind::Close,
                bytes: self.event(None, None),
            });
        }
        // Without a finish reason the stream just stops: no usage and no `[DONE]` either.
        let Some(finish_reason) = self.reply.finish else {
            self.next = Next::End;
            return None;
        };
        let choice = ChoiceDelta {
            index: 0,
            delta: Delta::default(),
            logprobs: None,
            finish_reason: Some(finish_reason),
        };
        Some(Frame {
            kind: FrameKind::Close,
            bytes: self.event(Some(&choice), None),
        })
    }
}

impl Iterator for Frames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        loop {
            match self.next {
                Next::Role => return Some(self.role()),
                Next::Text(from) => {
                    let Some(content) = token(&self.reply.text, from, self.token_chars) else {
                        self.next = Next::Refusal(0);
                        continue;
                    };
                    let delta = Delta {
                        content: Some(content),
                        ..Delta::default()
                    };
                    let frame = self.delta(FrameKind::Token, delta);
                    self.next = Next::Text(from + content.len());
                    return Some(frame);
                }
                Next::Refusal(from) => {
                    let said = self.reply.refusal.as_deref().unwrap_or_default();
                    let Some(refusal) = token(said, from, self.token_chars) else {
                        self.next = self.after_calls(0);
                        continue;
                    };
                    let delta = Delta {
                        refusal: Some(refusal),
                        ..Delta::default()
                    };
                    let frame = self.delta(FrameKind::Token, delta);
                    self.next = Next::Refusal(from + refusal.len());
                    return Some(frame);
                }
                Next::CallHead(index) => return self.call_head(index),
                Next::CallArguments(index, from) => {
                    let all = self
                        .reply
                        .calls
                        .get(index)
                        .map_or("", |call| &call.arguments);
                    let Some(arguments) = token(all, from, self.token_chars) else {
                        self.next = self.after_calls(index + 1);
                        continue;
                    };
                    let call = CallDelta {
                        index,
                        id: None,
                        kind: None,
                        function: FunctionDelta {
                            name: None,
                            arguments,
                        },
                    };
                    let frame = self.call_delta(FrameKind::Token, call);
                    self.next = Next::CallArguments(index, from + arguments.len());
                    return Some(frame);
                }
                Next::Finish => {
                    if let Some(frame) = self.finish() {
                        return Some(frame);
                    }
                }
                Next::Usage => {
                    self.next = Next::Done;
                    if self.with_usage {
                        return Some(Frame {
                            kind: FrameKind::Close,
                            bytes: self.event(None, Some(&self.reply.usage.into())),
                        });
                    }
                }
                Next::Done => {
                    self.next = Next::End;
                    return Some(Frame {
                        kind: FrameKind::Close,
                        bytes: Bytes::from_static(b"data: [DONE]\n\n"),
                    });
                }
                Next::End => return None,
            }
        }
    }
}

/// The token of `text` that begins at byte `from`; `None` at its end.
fn token(text: &str, from: usize, chars: usize) -> Option<&str> {
    let rest = text.get(from..).filter(|rest| !rest.is_empty())?;
    let end = rest
        .char_indices()
        .nth(chars)
        .map_or(rest.len(), |(index, _)| index);
    rest.get(..end)
}
