//! Numbers for the texts that decisions come with, so that each crosses to JavaScript once.

/// Texts under numbers, in cells that others take over in time.
pub(super) struct Texts {
    cells: Vec<Cell>,
    /// How often a cell was taken.
    taken: u64,
}

#[derive(Clone, Default)]
struct Cell {
    number: f64,
    text: Box<str>,
}

/// `pkg/src/answer.ts` has as many.
const CELLS: usize = 256;
/// What is longer takes longer to read than to cross.
const BYTES_MAX: usize = 1024;

impl Default for Texts {
    fn default() -> Self {
        Self { cells: vec![Cell::default(); CELLS], taken: 0 }
    }
}

impl Texts {
    /// The number of a text, which no other text ever has; `None` if it is too long, or empty.
    #[inline]
    pub(super) fn keep(&mut self, text: &str) -> Option<f64> {
        let place = place(text);
        match self.cells.get(place) {
            Some(cell) if *cell.text == *text && !text.is_empty() => Some(cell.number),
            _ => self.take(place, text),
        }
    }

    #[cold]
    fn take(&mut self, place: usize, text: &str) -> Option<f64> {
        if !(1..=BYTES_MAX).contains(&text.len()) {
            return None;
        }
        let cell = self.cells.get_mut(place)?;
        self.taken += 1;
        let number = (self.taken * CELLS as u64 + place as u64) as f64;
        *cell = Cell { number, text: text.into() };
        Some(number)
    }

    /// The text with a number, for as long as no other took its cell.
    pub(super) fn get(&self, number: f64) -> Option<&str> {
        // Numbers outgrow the wasm's addresses in time.
        let cell = self.cells.get((number as u64 % CELLS as u64) as usize)?;
        (cell.number == number).then_some(&*cell.text)
    }
}

/// The cell for a text. Whoever writes texts is trusted, so they may meet on purpose.
fn place(text: &str) -> usize {
    let (words, rest) = text.as_bytes().as_chunks();
    let hash =
        words.iter().fold(text.len() as u64, |hash, word| mix(hash ^ u64::from_le_bytes(*word)));
    let hash = rest.iter().fold(hash, |hash, byte| mix(hash ^ u64::from(*byte)));
    (hash >> 32) as usize % CELLS
}

const fn mix(hash: u64) -> u64 {
    (hash ^ hash >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
