//! Whose tasks, batches and webhooks are meant: everybody's, or those of some owners.
//!
//! What a caller may see is one of these, and so is what a list shows. Invariant: no owners at all is nobody, never
//! everybody.

use std::sync::Arc;

use crate::ids::OwnerId;

/// Some owners, or all there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Owners {
    /// Everybody.
    #[default]
    All,
    /// These.
    Only(Arc<[OwnerId]>),
}

impl Owners {
    /// This one, or everybody.
    #[must_use]
    pub fn of(owner: Option<OwnerId>) -> Self {
        owner.map_or(Self::All, |owner| Self::Only([owner].into()))
    }

    /// Whether this owner is one of them.
    #[must_use]
    pub fn include(&self, owner: &OwnerId) -> bool {
        self.listed().is_none_or(|owners| owners.contains(owner))
    }

    /// They by name, unless all are meant.
    #[must_use]
    pub fn listed(&self) -> Option<&[OwnerId]> {
        match self {
            Self::All => None,
            Self::Only(owners) => Some(owners),
        }
    }

    /// Everybody is meant.
    #[must_use]
    pub fn are_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// The only one that is meant.
    #[must_use]
    pub fn single(&self) -> Option<&OwnerId> {
        match self.listed() {
            Some([owner]) => Some(owner),
            _ => None,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_not_everybody() {
        let (a, b) = (OwnerId::new("a").unwrap(), OwnerId::new("b").unwrap());
        assert!(Owners::All.include(&a) && Owners::All.single().is_none());
        let one = Owners::of(Some(a.clone()));
        assert!(one.include(&a) && !one.include(&b));
        assert_eq!(one.single(), Some(&a));
        let none = Owners::Only(Vec::new().into());
        assert!(!none.include(&a) && !none.are_all() && none.single().is_none());
    }
}
