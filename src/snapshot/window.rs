//! Bytes that several owners share: a whole file, or a part within one.

use std::rc::Rc;

/// A range of a file that stays in memory as long as anything looks at it.
#[derive(Clone)]
pub(super) struct Window {
    file: Rc<Vec<u8>>,
    start: usize,
    end: usize,
}

impl Window {
    pub(super) fn whole(file: Vec<u8>) -> Self {
        let end = file.len();
        Self { file: Rc::new(file), start: 0, end }
    }

    /// The part from `start` to `end`, or `None` when it does not lie within.
    pub(super) fn part(&self, start: usize, end: usize) -> Option<Self> {
        let (start, end) = (self.start.checked_add(start)?, self.start.checked_add(end)?);
        if start > end || end > self.end {
            return None;
        }
        Some(Self { file: Rc::clone(&self.file), start, end })
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.file.get(self.start..self.end).unwrap_or_default()
    }
}
