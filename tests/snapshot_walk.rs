//! From a subject to the signed head, every digest computed once more.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use edgegrant::snapshot::{Body, Digest, Roots, Slice, cut, encode};
use edgegrant::trust::{Head, Keyring, SecretKey, sign, verify};
use snapshot_support::independent::{nodes, pack, page_bytes, page_digest, pair, sha, tree};
use snapshot_support::{
    Own, SEED, bulky_subjects, encode_planned, features, settings, usage_as_of,
};

/// Reads lengths and steps off a slice; see docs/FORMAT.md.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn varint(&mut self) -> usize {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = self.take(1)[0];
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return value;
            }
        }
        value
    }

    fn part(&mut self) -> &'a [u8] {
        let length = self.varint();
        self.take(length)
    }

    fn climb(&mut self, mut digest: [u8; 32]) -> [u8; 32] {
        for _ in 0..self.varint() {
            let is_left = self.take(1)[0] == 1;
            let sibling: [u8; 32] = self.take(32).try_into().unwrap();
            digest = if is_left { pair(sibling, digest) } else { pair(digest, sibling) };
        }
        digest
    }
}

#[test]
fn every_digest_from_a_subject_to_the_head() {
    let encoded = encode(&settings(), &features(11), bulky_subjects(2_500)).unwrap();
    assert!(encoded.page_bits > 8, "two levels of nodes");
    let key = SecretKey::from_seed(1, [1; 32]);
    let head = Head {
        audience: "acme/test".to_owned(),
        version: 7,
        issued_at: usage_as_of(),
        stale_after: usage_as_of().plus_millis(120_000),
        expires_at: usage_as_of().plus_millis(86_400_000),
        dead_at: usage_as_of().plus_millis(7 * 86_400_000),
        usage_as_of: usage_as_of(),
        root: encoded.roots.root.0,
        catalogue: encoded.roots.catalogue.0,
        pack_length: encoded.roots.pack_length,
        shrunk_at_version: 0,
    };
    let head = sign(&head, std::slice::from_ref(&key)).unwrap();
    let keyring = Keyring::new(vec![key.trusted_key()], 1).unwrap();
    let head = verify(&head, &keyring, "acme/test").unwrap();

    // The parts by their names, and the names by the independent tree.
    assert_eq!(sha(&[&encoded.catalogue.bytes]), head.head().catalogue);
    let digests: Vec<_> = encoded.pages.iter().map(|page| page_digest(&page.bytes)).collect();
    let named: Vec<_> = encoded.pages.iter().map(|page| page.digest.0).collect();
    assert_eq!(digests, named);
    let expected: Vec<_> = nodes(&digests);
    let written: Vec<_> = encoded.nodes.iter().map(|node| node.bytes.clone()).collect();
    assert_eq!(written, expected);
    for node in &encoded.nodes {
        let (entries, rest) = node.bytes.as_chunks::<32>();
        assert!(rest.is_empty() && entries.len() <= 256);
        assert_eq!(tree(entries), node.digest.0);
    }
    assert_eq!(encoded.nodes[0].digest.0, head.head().root);
    assert_eq!(tree(&digests), head.head().root);
    let (bytes, roots) = pack(&encoded.catalogue.bytes, &page_bytes(&encoded));
    assert_eq!(roots, encoded.roots);
    assert!(bytes == encoded.pack());

    // One subject by its slice: salt, record, both paths.
    let body = Body::open(bytes, &roots, usage_as_of()).unwrap();
    for id in ["customer-000000", "customer-001234", "customer-002499"] {
        let subject = body.subject(id).unwrap().unwrap();
        let slice = cut(&body, &subject, head.bytes()).unwrap();
        println!("slice of {} bytes", slice.len());
        assert!(slice.len() < 4096);
        let cursor = &mut Cursor(&slice);
        assert_eq!(cursor.take(4), b"EGS\x01");
        assert_eq!(cursor.part(), head.bytes());
        let salt = cursor.take(16);
        let page = encoded.pages.iter().find(|page| {
            let wide = page.bytes.windows(id.len()).any(|window| window == id.as_bytes());
            wide && page.bytes[32..36] == *b"EGP\x01"
        });
        let page = &page.unwrap().bytes;
        let index = u32::from_le_bytes(page[53..57].try_into().unwrap());
        let pepper = &sha(&[&[3], &SEED, &[encoded.page_bits], &index.to_le_bytes()])[..16];
        assert_eq!(&page[36..52], pepper);
        assert_eq!(salt, &sha(&[&[4], pepper, id.as_bytes()])[..16]);
        let record = cursor.part();
        assert!(record.windows(id.len()).any(|window| window == id.as_bytes()));
        let subjects = cursor.climb(sha(&[&[2], salt, record]));
        assert_eq!(subjects, page[..32]);
        let rest = cursor.take(32);
        assert_eq!(rest, sha(&[&page[32..]]));
        assert_eq!(cursor.climb(sha(&[&[0], &subjects, rest])), head.head().root);
        assert!(cursor.0.is_empty());
    }
}

#[test]
fn a_slice_proves_one_subject_and_shows_no_other() {
    let encoded = encode_planned(500, Own::Anchors);
    let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    let subject = body.subject("customer-000123").unwrap().unwrap();
    let bytes = cut(&body, &subject, b"the head").unwrap();
    let slice = Slice::read(&bytes).unwrap();
    assert_eq!(slice.head(), b"the head");
    let root = encoded.roots.root;
    let proved = slice.prove(&root, usage_as_of(), "customer-000123").unwrap();
    for (feature, entry) in subject.entries() {
        let (same, other) = proved.entry(feature.key).unwrap();
        assert_eq!(same.unit, feature.unit);
        assert_eq!(same.when_expired, feature.when_expired);
        assert_eq!(other.to_record(&same).unwrap(), entry.to_record(&feature).unwrap());
    }
    assert_eq!(proved.entries().count(), 10);
    let refused = |root, id| slice.prove(root, usage_as_of(), id).unwrap_err();
    assert_eq!(refused(&root, "customer-000124").code(), "slice-subject");
    assert_eq!(refused(&Digest([0; 32]), "customer-000123").code(), "snapshot-digest");
    for other in (0..500).filter(|other| *other != 123) {
        let id = format!("customer-{other:06}");
        assert!(!bytes.windows(id.len()).any(|window| window == id.as_bytes()));
    }
}

#[test]
fn every_changed_or_shortened_slice_is_refused() {
    let encoded = encode_planned(30, Own::Usage);
    let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    let subject = body.subject("customer-000007").unwrap().unwrap();
    // An empty head, because the head is verified elsewhere.
    let bytes = cut(&body, &subject, b"").unwrap();
    let opens = |bytes: &[u8]| {
        let slice = Slice::read(bytes)?;
        slice.prove(&encoded.roots.root, usage_as_of(), "customer-000007")
    };
    opens(&bytes).unwrap();
    for length in 0..bytes.len() {
        assert!(opens(&bytes[..length]).is_err(), "cut at {length}");
    }
    assert!(opens(&[bytes.as_slice(), b"x"].concat()).is_err());
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(opens(&changed).is_err(), "bit {bit}");
    }
}

#[test]
fn roots_are_compared_before_anything_is_read() {
    let encoded = encode_planned(10, Own::Usage);
    assert_eq!(encoded.page_bits, 0);
    let roots = encoded.roots;
    let opened = |roots: &Roots| Body::open(encoded.pack(), roots, usage_as_of());
    let open = |roots: &Roots| opened(roots).and_then(|body| body.verify()).unwrap_err();
    let zero = Digest([0; 32]);
    let single = opened(&Roots { root: zero, ..roots }).unwrap();
    assert_eq!(single.subject("customer-000001").err().unwrap().code(), "snapshot-digest");
    assert_eq!(open(&Roots { root: zero, ..roots }).code(), "snapshot-digest");
    assert_eq!(open(&Roots { catalogue: zero, ..roots }).code(), "snapshot-digest");
    let longer = Roots { pack_length: roots.pack_length + 1, ..roots };
    assert_eq!(open(&longer).code(), "snapshot-length");
}
