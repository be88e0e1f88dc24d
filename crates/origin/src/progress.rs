//! How far long work is.

use std::fmt;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Facts are read; counted in bytes.
    Reading,
    /// Pages are encoded; counted in 256ths of all subjects.
    Encoding,
    /// Files are written; counted in files.
    Writing,
    /// Facts are made up; counted in subjects.
    Generating,
    /// Facts are checked; counted in lines.
    Checking,
}

/// Tells somebody how far the work is, from any thread.
#[derive(Clone, Copy, Default)]
pub struct Progress<'a> {
    told: Option<&'a (dyn Fn(Stage, u64) + Sync)>,
}

impl<'a> Progress<'a> {
    /// Tells how much more of a stage is done.
    ///
    /// ```
    /// use edgegrant_origin::progress::{Progress, Stage};
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// let done = AtomicU64::new(0);
    /// let tell = |_stage, more| _ = done.fetch_add(more, Ordering::Relaxed);
    /// Progress::to(&tell).add(Stage::Writing, 3);
    /// assert_eq!(done.into_inner(), 3);
    /// ```
    #[must_use]
    pub fn to(told: &'a (dyn Fn(Stage, u64) + Sync)) -> Self {
        Self { told: Some(told) }
    }

    /// Says that so much more of a stage is done.
    pub fn add(&self, stage: Stage, more: u64) {
        if let Some(told) = self.told {
            told(stage, more);
        }
    }
}

impl fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}
