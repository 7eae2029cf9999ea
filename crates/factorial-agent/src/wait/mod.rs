//! What a task waits for: children, deferred calls and approvals.
//!
//! Registered and taken by the turn loop through the [`crate::Journal`], answered by everybody else.
//! Invariant: a wait is registered before or together with what will answer it, and its first answer is the only one.

mod child;
mod key;
mod names;
mod state;

pub use self::{
    child::{NewChild, SpawnRefusal, Spawned},
    key::{WaitKey, WaitKeyError},
    names::{WaitKind, WaitOutcome},
    state::{CallerTool, NewWait, ParkedFor, Parking, Wait, WaitStatus},
};
