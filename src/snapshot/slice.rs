//! A slice: one subject written out, and the path from it to the root that a signed head names.
//!
//! Whoever holds the page can cut one without a key. It shows nothing of the page's other subjects:
//! their digests are salted with what only the page knows.

use super::Digest;
use super::body::Body;
use super::bytes::{Reader, put_part, put_varint};
use super::catalogue::Feature;
use super::hash::digest;
use super::layout::{
    DIGEST_BYTES, PAGE_BITS_MAX, PREFIX_SUBJECT, RECORD_BYTES_MAX, SALT_BYTES, SLICE_BYTES_MAX,
    SLICE_HEAD_BYTES_MAX, SLICE_MAGIC, SUBJECT_STEPS_MAX,
};
use super::record::Record;
use super::subject::{Entry, Subject};
use super::tree::{self, Step};
use super::{hash, refusal};
use crate::error::Error;
use crate::time::Instant;

/// What a pack and a snapshot in one file begin with.
const BODY_MAGIC: [u8; 3] = *b"EGB";

/// A slice as it was received: nothing in it is verified.
pub struct Slice<'a> {
    head: &'a [u8],
    salt: &'a [u8; SALT_BYTES],
    record: &'a [u8],
    subject_path: Vec<Step>,
    page_body: Digest,
    page_path: Vec<Step>,
}

/// One subject of a slice, proved by the root of a verified head.
#[derive(Clone, Debug)]
pub struct SliceSubject {
    record: Vec<u8>,
    usage_as_of: Instant,
}

/// Cuts the slice of a subject. `head` is the signed head that names the body.
///
/// # Errors
/// `snapshot-digest` when the page does not commit to its subjects, and the codes of
/// [`Body::subject`].
pub fn cut(body: &Body, subject: &Subject<'_>, head: &[u8]) -> Result<Vec<u8>, Error> {
    let (leaves, index) = body.leaves_around(subject)?;
    let record = subject.written_out()?;
    let page = subject.page();
    if Some(&tree::root(leaves.clone()).0) != page.subjects_root() {
        return Err(refusal::DIGEST);
    }
    let mut out = SLICE_MAGIC.to_vec();
    put_part(&mut out, head);
    out.extend_from_slice(&hash::salt(page.pepper(), subject.id()));
    put_part(&mut out, &record);
    put_steps(&mut out, &tree::path(leaves, index));
    out.extend_from_slice(&digest(&[page.body()]).0);
    let mut steps = Vec::new();
    for (entries, entry) in body.nodes_to(subject.place().page)?.into_iter().rev() {
        steps.extend(tree::path(entries, entry));
    }
    put_steps(&mut out, &steps);
    Ok(out)
}

impl<'a> Slice<'a> {
    /// Reads a slice.
    ///
    /// # Errors
    /// `slice-malformed` when it is none, and for a whole snapshot `slice-is-snapshot`.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.starts_with(&BODY_MAGIC) {
            return Err(refusal::SNAPSHOT_FOR_SLICE);
        }
        if bytes.len() > SLICE_BYTES_MAX {
            return Err(refusal::SLICE);
        }
        Self::parse(&mut Reader::new(bytes)).ok_or(refusal::SLICE)
    }

    fn parse(reader: &mut Reader<'a>) -> Option<Self> {
        if reader.array() != Some(&SLICE_MAGIC) {
            return None;
        }
        let head_bytes = reader.count(SLICE_HEAD_BYTES_MAX)?;
        let head = reader.take(head_bytes)?;
        let salt = reader.array()?;
        let record_bytes = reader.count(RECORD_BYTES_MAX)?;
        let record = reader.take(record_bytes)?;
        let subject_path = steps(reader, SUBJECT_STEPS_MAX)?;
        let page_body = Digest(*reader.array()?);
        let page_path = steps(reader, usize::from(PAGE_BITS_MAX))?;
        let slice = Self { head, salt, record, subject_path, page_body, page_path };
        reader.is_empty().then_some(slice)
    }

    /// The signed head that it brings, to be verified before anything else is asked of it.
    #[must_use]
    pub const fn head(&self) -> &'a [u8] {
        self.head
    }

    /// Proves the subject by what the verified head says. The subject is named by whoever opens the
    /// slice: a slice is no credential.
    ///
    /// # Errors
    /// `snapshot-digest` when the path leads elsewhere, `slice-subject` when it is somebody else's,
    /// and for a record that makes no sense `snapshot-value`.
    pub fn prove(
        &self,
        root: &Digest,
        usage_as_of: Instant,
        subject: &str,
    ) -> Result<SliceSubject, Error> {
        let leaf = digest(&[PREFIX_SUBJECT, self.salt, self.record]);
        let subjects = tree::climb(leaf, &self.subject_path);
        let page = tree::page_leaf(&subjects, &self.page_body);
        if tree::climb(page, &self.page_path) != *root {
            return Err(refusal::DIGEST);
        }
        let record = Record::read(self.record).ok_or(refusal::VALUE)?;
        if record.id != subject {
            return Err(refusal::SLICE_SUBJECT);
        }
        record.validate(usage_as_of)?;
        Ok(SliceSubject { record: self.record.to_vec(), usage_as_of })
    }
}

impl SliceSubject {
    /// All that the subject has, with the feature of each, ordered by key.
    pub fn entries(&self) -> impl Iterator<Item = (Feature<'_>, Entry<'_>)> {
        let entries = Record::read(&self.record).map(|record| record.entries).unwrap_or_default();
        entries.into_iter().map(|(feature, bytes)| (feature, Entry::new(bytes, self.usage_as_of)))
    }

    /// What the subject has for the feature with a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<(Feature<'_>, Entry<'_>)> {
        self.entries().find(|(feature, _)| feature.key == key)
    }
}

fn put_steps(out: &mut Vec<u8>, steps: &[Step]) {
    put_varint(out, steps.len() as u64);
    for step in steps {
        out.push(u8::from(step.sibling_is_left));
        out.extend_from_slice(&step.sibling.0);
    }
}

fn steps(reader: &mut Reader<'_>, max: usize) -> Option<Vec<Step>> {
    let count = reader.count(max)?;
    let step = |_| {
        let sibling_is_left = match reader.byte()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let sibling = reader.array::<DIGEST_BYTES>()?;
        Some(Step { sibling_is_left, sibling: Digest(*sibling) })
    };
    (0..count).map(step).collect()
}
