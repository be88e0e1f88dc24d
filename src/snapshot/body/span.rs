//! Where parts lie, for whoever can read the memory of a program and not call it any more.

use super::Body;
use super::parts::Spot;

/// An address and a length in bytes. Where the length is 0, two spans lie at the address instead:
/// that of a base, and that of the patch which makes the part of it.
///
/// Whoever looks at the memory finds two words of the machine, the address first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Span {
    /// The address.
    pub address: usize,
    /// The length.
    pub length: usize,
}

impl Span {
    /// Where some bytes lie.
    ///
    /// ```
    /// use edgegrant::snapshot::Span;
    ///
    /// assert_eq!(Span::of(b"page").length, 4);
    /// ```
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { address: bytes.as_ptr() as usize, length: bytes.len() }
    }

    /// Where a table of spans lies, and how many they are.
    #[must_use]
    pub fn of_table(spans: &[Self]) -> Self {
        Self { address: spans.as_ptr() as usize, length: spans.len() }
    }

    /// What lies where two spans do.
    pub(super) fn made_of(spans: &[Self; 2]) -> Self {
        Self { length: 0, ..Self::of_table(spans) }
    }
}

/// Where a whole body lies.
pub struct Spans<'a> {
    /// The nodes, from the root downwards.
    pub nodes: Vec<Span>,
    /// The pages, in tables that are kept up to date for as long as the body is whole.
    pub pages: Vec<&'a [Span]>,
}

impl Body {
    /// Where the body lies; `None` unless every part is resident. It takes no longer for more pages
    /// than for the nodes above them.
    #[must_use]
    pub fn spans(&self) -> Option<Spans<'_>> {
        let levels = self.parts.levels;
        let pages = self.parts.page_spans()?;
        let span = |place| {
            let (level, node) = levels.node_at(place)?;
            let slot = self.parts.slot(Spot::Node { level, node })?;
            slot.is_resident().then(|| slot.span())
        };
        let nodes: Option<Vec<_>> = (0..levels.nodes()).map(span).collect();
        Some(Spans { nodes: nodes?, pages })
    }
}
