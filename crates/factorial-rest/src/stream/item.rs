//! What goes over the wire, whichever wire it is.

use factorial_api::FeedEvent;
use factorial_core::StoreError;

/// One message of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Where to go on after it; `None` if that is where it was before.
    pub(crate) cursor: Option<String>,
    /// Its type.
    pub(crate) name: String,
    /// JSON.
    pub(crate) data: String,
}

impl Item {
    /// A message of a feed, without its cursor in the data.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn of_feed(cursor: Option<String>, event: &FeedEvent) -> Result<Self, StoreError> {
        Ok(Self {
            cursor,
            name: event.event_type.clone(),
            data: serde_json::to_string(event).map_err(|e| corrupt(&e))?,
        })
    }

    /// The event of a feed, with its cursor.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn with_cursor(self) -> Result<FeedEvent, StoreError> {
        let event: FeedEvent = serde_json::from_str(&self.data).map_err(|e| corrupt(&e))?;
        Ok(FeedEvent {
            cursor: self.cursor,
            ..event
        })
    }

    /// The data, with the cursor as its first field.
    pub(crate) fn data_with_cursor(self) -> String {
        match (self.cursor, self.data.strip_prefix('{')) {
            (Some(cursor), Some(fields)) => format!(r#"{{"cursor":"{cursor}",{fields}"#),
            _ => self.data,
        }
    }
}

fn corrupt(error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt {
        place: "event",
        detail: error.to_string(),
    }
}
