//! Who calls, what that caller may do, for whom, and how often.
//!
//! One layer around each operation (`guard.rs`), used by the gateway and the dashboard. Invariants: an operation that says
//! nothing of who may call it cannot be added to the routes; a check costs no round trip to Redis once the key is known.

mod audit;
mod bucket;
mod caller;
mod guard;
mod host;
mod issuer;
mod keyring;
mod keys;
mod new_key;
mod origin;
mod session;
mod settings;

pub(crate) use audit::AuditLog;
pub use caller::Caller;
pub(crate) use caller::{Identity, Who};
pub use guard::{Needs, guarded, guarded_plain};
pub(crate) use guard::{ROLE, UNBOUND};
pub(crate) use host::{guard_host, guard_pages};
pub(crate) use issuer::Issuer;
pub(crate) use keyring::Keyring;
pub use keys::{list_keys, make_key, revoke_key};
pub(crate) use origin::Peer;
pub(crate) use origin::is_encrypted;
pub use session::NewSession;
pub(crate) use session::Sessions;
pub use settings::{Access, AccessError};
