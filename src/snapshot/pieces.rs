//! Pieces of a file that arrives in chunks, wherever the chunks are cut.

/// Gathers what a piece needs. Nothing is copied of a piece that lies within one chunk.
#[derive(Default)]
pub(super) struct Pieces {
    held: Vec<u8>,
    given: bool,
}

impl Pieces {
    /// Takes the next piece off the front of a chunk, or as much of it as there is.
    ///
    /// Memory grows with the bytes that arrive, not with the length that somebody announced.
    pub(super) fn next<'a, 'c: 'a>(
        &'a mut self,
        length: usize,
        chunk: &mut &'c [u8],
    ) -> Option<&'a [u8]> {
        if core::mem::take(&mut self.given) {
            self.held.clear();
        }
        if self.held.is_empty()
            && let Some((piece, rest)) = chunk.split_at_checked(length)
        {
            *chunk = rest;
            return Some(piece);
        }
        let missing = length.saturating_sub(self.held.len());
        let (more, rest) = chunk.split_at_checked(missing).unwrap_or((*chunk, &[]));
        self.held.extend_from_slice(more);
        *chunk = rest;
        self.given = self.held.len() == length;
        self.given.then_some(self.held.as_slice())
    }

    /// Whether nothing is left over from the chunks so far.
    pub(super) fn is_empty(&self) -> bool {
        self.given || self.held.is_empty()
    }
}
