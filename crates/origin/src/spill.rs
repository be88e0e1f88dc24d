//! What does not fit into memory waits in files without a name, which vanish with the process.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tempfile::{SpooledTempFile, spooled_tempfile_in};

/// How much of a spool stays in memory.
const MEMORY_BYTES: usize = 16 << 20;
/// How much of a bucket is collected before it goes to the spool.
const BUCKET_BYTES: usize = 32 << 10;

/// Bytes that were written once and are read by where they stand, by any thread.
#[derive(Debug)]
pub(crate) struct Spool {
    file: Mutex<(SpooledTempFile, u64)>,
}

/// Where bytes stand in a spool.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: u64,
    pub(crate) length: usize,
}

impl Spool {
    /// A spool whose file, if it needs one, lies on the disk of a folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { file: Mutex::new((spooled_tempfile_in(MEMORY_BYTES, folder), 0)) }
    }

    pub(crate) fn append(&self, bytes: &[u8]) -> io::Result<Span> {
        let mut locked = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, end) = &mut *locked;
        let span = Span { start: *end, length: bytes.len() };
        file.seek(SeekFrom::Start(*end))?;
        file.write_all(bytes)?;
        *end += bytes.len() as u64;
        Ok(span)
    }

    /// Reads behind what `out` holds.
    pub(crate) fn read(&self, span: Span, out: &mut Vec<u8>) -> io::Result<()> {
        let mut locked = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, _) = &mut *locked;
        file.seek(SeekFrom::Start(span.start))?;
        let read = file.take(span.length as u64).read_to_end(out)?;
        if read == span.length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl Span {
    /// The first bytes of it, and what follows them.
    pub(crate) const fn split(self, length: usize) -> (Self, Self) {
        let rest = Self { start: self.start + length as u64, length: self.length - length };
        (Self { length, ..self }, rest)
    }
}

/// Bytes sorted into buckets.
#[derive(Debug)]
pub(crate) struct Buckets {
    spool: Spool,
    buckets: Vec<Bucket>,
}

#[derive(Debug, Default)]
struct Bucket {
    spans: Vec<Span>,
    last: Vec<u8>,
}

impl Buckets {
    pub(crate) fn new(count: usize, folder: &Path) -> Self {
        let mut buckets = Vec::with_capacity(count);
        buckets.resize_with(count, Bucket::default);
        Self { spool: Spool::new(folder), buckets }
    }

    pub(crate) fn put(&mut self, bucket: usize, bytes: &[u8]) -> io::Result<()> {
        let Some(bucket) = self.buckets.get_mut(bucket) else { return Ok(()) };
        bucket.last.extend_from_slice(bytes);
        if bucket.last.len() >= BUCKET_BYTES {
            bucket.spans.push(self.spool.append(&bucket.last)?);
            bucket.last.clear();
        }
        Ok(())
    }

    /// How many bytes a bucket has.
    pub(crate) fn bytes(&self, bucket: usize) -> u64 {
        let Some(bucket) = self.buckets.get(bucket) else { return 0 };
        let spans = bucket.spans.iter().map(|span| span.length).sum::<usize>();
        (spans + bucket.last.len()) as u64
    }

    /// Reads a bucket behind what `out` holds.
    pub(crate) fn read(&self, bucket: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let Some(bucket) = self.buckets.get(bucket) else { return Ok(()) };
        bucket.spans.iter().try_for_each(|span| self.spool.read(*span, out))?;
        out.extend_from_slice(&bucket.last);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn buckets_are_read_as_they_were_filled_also_from_a_file() {
        let root = tempfile::tempdir().unwrap();
        let mut buckets = Buckets::new(3, root.path());
        let piece = |bucket: usize, round: usize| vec![(bucket * 7 + round) as u8; 5_000];
        for (round, bucket) in (0..3_000).flat_map(|round| [(round, 0), (round, 2)]) {
            buckets.put(bucket, &piece(bucket, round)).unwrap();
        }
        for bucket in [0, 2] {
            let mut read = b"before".to_vec();
            buckets.read(bucket, &mut read).unwrap();
            assert_eq!(buckets.bytes(bucket), 3_000 * 5_000);
            let all: Vec<u8> = (0..3_000).flat_map(|round| piece(bucket, round)).collect();
            assert!(read.strip_prefix(b"before").unwrap() == all, "{bucket}");
        }
        let mut read = Vec::new();
        buckets.read(1, &mut read).unwrap();
        assert!(read.is_empty());
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0, "no file has a name");
    }
}
