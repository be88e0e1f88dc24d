//! The line of a subject cut at its entitlements.

use std::ops::Range;

use memchr::memchr2;
use memchr::memmem::Finder;

use super::frames::{self, Framed};
use super::known::{Before, Known, Made, Name};

/// The text of an entitlement in a line.
pub(super) struct Piece {
    pub(super) text: Range<usize>,
    /// What to remember it by, unless it was guessed.
    pub(super) name: Option<Name>,
    pub(super) made: Option<Made>,
    /// What it is where nothing was made of it, if that is known, or by what to remember it.
    pub(super) framing: Framing,
}

/// What is known of what stands around the usage in a text.
pub(super) enum Framing {
    Nothing,
    Named(frames::Name),
    Known(Framed),
}

/// Cuts lines.
pub(super) struct Cutter {
    key: Finder<'static>,
    /// The line without what its entitlements are.
    rest: Vec<u8>,
}

impl Cutter {
    pub(super) fn new() -> Self {
        Self { key: Finder::new(b"\"entitlements\""), rest: Vec::new() }
    }

    /// Cuts a line and gives what is left of it, in which the list of entitlements holds nothing
    /// but a 0, and where that stands. `None` for a line that somebody has to read as a whole.
    ///
    /// Each piece is an object if it is JSON at all. Whoever reads the pieces and what is left has
    /// read the line.
    pub(super) fn cut(
        &mut self,
        line: &[u8],
        known: &mut Known,
        pieces: &mut Vec<Piece>,
    ) -> Option<(&str, usize)> {
        let key = self.key.find(line)?;
        let colon = after_spaces(line, key + self.key.needle().len());
        let bracket = after_spaces(line, expect(line, colon, b':')?);
        let start = expect(line, bracket, b'[')?;
        let end = cut_list(line, start, known, pieces)?;
        self.rest.clear();
        self.rest.extend_from_slice(line.get(..start)?);
        self.rest.push(b'0');
        self.rest.extend_from_slice(line.get(end..)?);
        Some((std::str::from_utf8(&self.rest).ok()?, start))
    }
}

/// Cuts the list that begins at `start`, and says where it ends.
fn cut_list(
    line: &[u8],
    start: usize,
    known: &mut Known,
    pieces: &mut Vec<Piece>,
) -> Option<usize> {
    pieces.clear();
    let mut at = after_spaces(line, start);
    if line.get(at) == Some(&b']') {
        return Some(at);
    }
    let mut before = Before::default();
    loop {
        let rest = line.get(at..)?;
        let piece = match known.guessed(&mut before, rest) {
            Some((length, made)) => {
                let (text, made) = (at..at + length, Some(made));
                Piece { text, name: None, made, framing: Framing::Nothing }
            }
            None => unguessed(rest, at, known, &mut before)?,
        };
        let end = piece.text.end;
        pieces.push(piece);
        at = after_spaces(line, end);
        match line.get(at)? {
            b',' => at = after_spaces(line, at + 1),
            b']' => return Some(at),
            _ => return None,
        }
    }
}

/// The text that some bytes at `start` begin with, which was not guessed.
fn unguessed(bytes: &[u8], start: usize, known: &mut Known, before: &mut Before) -> Option<Piece> {
    let stood_before = *before;
    let guessed = known.framed(stood_before, bytes);
    let length = match &guessed {
        Some((_, length, _)) => *length,
        None => object_bytes(bytes)?,
    };
    let text = bytes.get(..length)?;
    let (name, made) = known.found(before, text);
    let framing = match guessed {
        _ if made.is_some() => Framing::Nothing,
        Some((framed, _, after)) => {
            *before = after;
            Framing::Known(framed)
        }
        None => match known.framed_as(stood_before, text) {
            Some((_, Some((framed, after)))) => {
                *before = after;
                Framing::Known(framed)
            }
            Some((name, None)) => Framing::Named(name),
            None => Framing::Nothing,
        },
    };
    Some(Piece { text: start..start + length, name: Some(name), made, framing })
}

/// How long the object is that some bytes begin with, if it is one.
pub(super) fn object_bytes(bytes: &[u8]) -> Option<usize> {
    bytes.first().filter(|byte| **byte == b'{')?;
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => at += string_bytes(bytes.get(at + 1..)?)?,
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(at + 1),
            b'}' => depth -= 1,
            _ => (),
        }
        at += 1;
    }
}

/// How many bytes are left of a string, with the quote that ends it.
fn string_bytes(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn after_spaces(line: &[u8], at: usize) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count()
}

fn expect(line: &[u8], at: usize, byte: u8) -> Option<usize> {
    line.get(at).filter(|found| **found == byte).map(|_| at + 1)
}
