//! Lines of bounded length from any reader.

use std::io::{self, BufRead};

use super::Problem;

/// The longest line that is read; one subject with everything it has.
pub const MAX_LINE_BYTES: usize = 8 << 20;

/// One line of the input.
#[derive(Debug)]
pub(super) enum Line<'a> {
    /// Its bytes, without the line feed.
    Text(&'a [u8]),
    /// It exceeds [`MAX_LINE_BYTES`] and was passed over without being kept.
    TooLong,
}

/// A reader cut at line feeds. Blank lines are passed over.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), number: 0 }
    }

    /// The next line that is not blank, with its number.
    pub(super) fn next_line(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let next = self.append(&mut buffer);
        self.buffer = buffer;
        Ok(next?.map(|(number, fits)| match fits {
            true => (number, Line::Text(&self.buffer)),
            false => (number, Line::TooLong),
        }))
    }

    /// Puts the next line that is not blank behind what `out` holds, and gives its number and
    /// whether it fitted; what did not is to be thrown away.
    pub(super) fn append(&mut self, out: &mut Vec<u8>) -> io::Result<Option<(u64, bool)>> {
        let start = out.len();
        loop {
            let Some(fits) = self.fill(out, start)? else { return Ok(None) };
            self.number += 1;
            let line = out.get(start..).unwrap_or_default();
            if !fits || !line.trim_ascii().is_empty() {
                return Ok(Some((self.number, fits)));
            }
            out.truncate(start);
        }
    }

    /// Reads up to the next line feed; `Some(false)` when the line did not fit.
    fn fill(&mut self, out: &mut Vec<u8>, start: usize) -> io::Result<Option<bool>> {
        let (mut any, mut fits) = (false, true);
        loop {
            let chunk = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            if chunk.is_empty() {
                return Ok(any.then_some(fits));
            }
            any = true;
            let end = memchr::memchr(b'\n', chunk);
            let head = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            fits = fits && out.len() - start + head.len() <= MAX_LINE_BYTES;
            if fits {
                out.extend_from_slice(head);
            }
            let used = head.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                return Ok(Some(fits));
            }
        }
    }
}

pub(super) fn too_long() -> Problem {
    Problem::new(
        "",
        "line-too-long",
        "the line exceeds 8 MiB; write one subject a line and sum up its usage events",
    )
}
