//! A slice taken apart and put together again, written from docs/FORMAT.md and not from the code.

use super::independent::{pair, sha};

pub type Hash = [u8; 32];

/// A step: whether the sibling stands to the left, and the sibling.
pub type Steps = Vec<(bool, Hash)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sliced {
    pub head: Vec<u8>,
    pub salt: [u8; 16],
    pub record: Vec<u8>,
    pub subject_path: Steps,
    pub page_body: Hash,
    pub page_path: Steps,
}

impl Sliced {
    /// Every byte has a place; there is nothing else in a slice.
    pub fn read(bytes: &[u8]) -> Self {
        let rest = &mut &bytes[4..];
        assert_eq!(&bytes[..4], b"EGS\x01");
        let head = part(rest);
        let salt = *array(rest);
        let record = part(rest);
        let subject_path = steps(rest);
        let page_body = *array(rest);
        let page_path = steps(rest);
        assert!(rest.is_empty());
        Self { head, salt, record, subject_path, page_body, page_path }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"EGS\x01".to_vec();
        put_part(&mut out, &self.head);
        out.extend(self.salt);
        put_part(&mut out, &self.record);
        put_steps(&mut out, &self.subject_path);
        out.extend(self.page_body);
        put_steps(&mut out, &self.page_path);
        out
    }

    /// All digests that it shows of others.
    pub fn digests(&self) -> Vec<Hash> {
        let siblings = self.subject_path.iter().chain(&self.page_path).map(|(_, hash)| *hash);
        siblings.chain([self.page_body]).collect()
    }

    /// The root over the subjects of its page.
    pub fn subjects_root(&self) -> Hash {
        climb(sha(&[&[2], &self.salt, &self.record]), &self.subject_path)
    }

    /// The root that it leads to.
    pub fn root(&self) -> Hash {
        climb(sha(&[&[0], &self.subjects_root(), &self.page_body]), &self.page_path)
    }
}

fn climb(from: Hash, steps: &Steps) -> Hash {
    steps.iter().fold(
        from,
        |hash, (is_left, sibling)| {
            if *is_left { pair(*sibling, hash) } else { pair(hash, *sibling) }
        },
    )
}

fn array<'a, const N: usize>(rest: &mut &'a [u8]) -> &'a [u8; N] {
    let (taken, after) = rest.split_first_chunk().unwrap();
    *rest = after;
    taken
}

fn varint(rest: &mut &[u8]) -> usize {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let [byte] = *array(rest);
        value |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn part(rest: &mut &[u8]) -> Vec<u8> {
    let length = varint(rest);
    let (taken, after) = rest.split_at(length);
    *rest = after;
    taken.to_vec()
}

fn steps(rest: &mut &[u8]) -> Steps {
    let count = varint(rest);
    let mut step = |_| {
        let [is_left] = *array(rest);
        assert!(is_left < 2);
        (is_left == 1, *array(rest))
    };
    (0..count).map(&mut step).collect()
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_part(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len());
    out.extend(bytes);
}

fn put_steps(out: &mut Vec<u8>, steps: &Steps) {
    put_varint(out, steps.len());
    for (is_left, sibling) in steps {
        out.push(u8::from(*is_left));
        out.extend(sibling);
    }
}
