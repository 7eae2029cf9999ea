//! Where the messages of a stream come from: the log of a task or a batch, or the feed of an owner.
//!
//! Used by both kinds of connections, `sse.rs` and `socket.rs`. Invariant: these differ in nothing but how they write.

use super::{feed::Feed, follow::Follow, item::Item};

/// Why there is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its subject has ended, and everything was read.
    Finished,
    /// Its subject has expired.
    Gone,
    /// What is stored cannot be read.
    Failed,
}

impl End {
    /// For metrics.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Gone => "gone",
            Self::Failed => "failed",
        }
    }
}

/// A reader's place in it.
pub(crate) enum Source {
    Log(Box<Follow>),
    Feed(Box<Feed>),
}

impl Source {
    /// The next messages, at least one. Waits for them, also while Redis is away. Safe to be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<Vec<Item>, End> {
        match self {
            Self::Log(follow) => follow.next().await,
            Self::Feed(feed) => feed.next().await,
        }
    }

    /// Where a reader to whom nothing was sent for a while would go on.
    pub(crate) fn quiet(&self) -> Option<String> {
        match self {
            Self::Log(_) => None,
            Self::Feed(feed) => Some(feed.cursor()),
        }
    }

    /// For logs: what it is of.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Log(follow) => follow.log().id(),
            Self::Feed(_) => "feed",
        }
    }

    /// For people: why it ends.
    pub(crate) fn farewell(&self, end: End) -> String {
        let noun = match self {
            Self::Log(follow) => follow.log().noun(),
            Self::Feed(_) => "feed",
        };
        match end {
            End::Finished => format!("the {noun} has ended"),
            End::Gone => format!("the {noun} has expired"),
            End::Failed => "the stream failed".to_owned(),
        }
    }
}
