//! How far a run is, for those who watch.

/// Hears how a run goes on.
pub trait Progress: Send + Sync {
    /// Something else begins, of so many steps.
    fn begin(&self, what: &str, steps: u64);
    /// So many of them are done.
    fn reach(&self, done: u64);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _steps: u64) {}
    fn reach(&self, _done: u64) {}
}
