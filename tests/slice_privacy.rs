//! What a slice shows of anybody else: nothing that can be read, guessed or counted.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]
#![allow(non_snake_case, reason = "faults are named by their ids")]

mod snapshot_support;

use std::collections::HashSet;

use edgegrant::gate::Gate;
use edgegrant::snapshot::{Body, Encoded, Settings, SubjectRecord, encode};
use edgegrant::trust::{Head, sign};
use snapshot_support::independent::{page_digest, pair, sha, tree};
use snapshot_support::signed::{gate, head, key, open};
use snapshot_support::sliced::{Hash, Sliced};
use snapshot_support::{Own, SEED, features, planned_subjects, settings, ulid, usage_as_of};

const SUBJECTS: usize = 1_700;
/// More features than anybody has, and one subject that has fewer than the others.
const FEATURES: usize = 14;
const POOR: &str = "customer-000100";

fn subjects() -> Vec<SubjectRecord> {
    let mut subjects = planned_subjects(SUBJECTS, Own::Anchors);
    for (number, subject) in subjects.iter_mut().enumerate() {
        subject.aliases.push(format!("owner-{number:06}@acme.test"));
    }
    subjects[100].entitlements.truncate(4);
    subjects
}

fn encoded_with(seed: [u8; 32], subjects: Vec<SubjectRecord>) -> Encoded {
    encode(&Settings { seed, ..settings() }, &features(FEATURES), subjects).unwrap()
}

/// A snapshot whose slices are cut.
struct Published {
    subjects: Vec<SubjectRecord>,
    encoded: Encoded,
    gate: Gate,
}

fn published() -> Published {
    let subjects = subjects();
    let encoded = encoded_with(SEED, subjects.clone());
    let gate = gate(&encoded, 1);
    Published { subjects, encoded, gate }
}

impl Published {
    fn slice(&self, id: &str) -> Vec<u8> {
        self.gate.slice(id).unwrap()
    }
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn fault_X02_a_slice_holds_no_id_alias_or_grant_of_another_subject() {
    let published = published();
    for number in [0, 100, 849, SUBJECTS - 1] {
        let own = &published.subjects[number];
        let bytes = published.slice(&own.id);
        assert!(holds(&bytes, own.id.as_bytes()));
        assert!(!holds(&bytes, own.aliases[0].as_bytes()), "an alias is nobody's business either");
        for other in published.subjects.iter().filter(|other| other.id != own.id) {
            assert!(!holds(&bytes, other.id.as_bytes()));
            assert!(!holds(&bytes, other.aliases[0].as_bytes()));
            for id in other.entitlements.iter().flat_map(|entitlement| &entitlement.grant_ids) {
                assert!(!holds(&bytes, id.as_bytes()) && !holds(&bytes, &ulid_bytes(id)));
            }
        }
    }
    // The search finds what is there.
    let own = &published.subjects[0];
    let ids = own.entitlements.iter().flat_map(|entitlement| &entitlement.grant_ids);
    assert!(ids.clone().count() > 0);
    ids.for_each(|id| assert!(holds(&published.slice(&own.id), &ulid_bytes(id))));
}

/// A ULID as a snapshot holds it.
fn ulid_bytes(id: &str) -> [u8; 16] {
    let digits = ulid(0, 0).into_bytes();
    assert_eq!(digits.len(), id.len());
    let alphabet = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digit = |char| alphabet.iter().position(|other| *other == char).unwrap() as u128;
    id.bytes().fold(0_u128, |value, char| value << 5 | digit(char)).to_be_bytes()
}

/// Whatever the others have, of a slice it changes digests and the head and nothing else.
#[test]
fn fault_X02_what_others_have_changes_nothing_but_digests() {
    let published = published();
    let own = &published.subjects[5].id;
    let mut others = subjects();
    for (number, subject) in others.iter_mut().enumerate().filter(|(number, _)| *number != 5) {
        subject.entitlements.rotate_left(number % 7);
        subject.entitlements.truncate(9);
        subject.aliases.clear();
    }
    let previous_page_bits = Some(published.encoded.page_bits);
    let settings = Settings { previous_page_bits, ..settings() };
    let changed = encode(&settings, &features(FEATURES), others).unwrap();
    assert_eq!(changed.page_bits, published.encoded.page_bits);
    let before = Sliced::read(&published.slice(own));
    let after = Sliced::read(&gate(&changed, 1).slice(own).unwrap());
    assert_eq!((before.salt, &before.record), (after.salt, &after.record));
    assert_eq!(before.bytes().len(), after.bytes().len());
    let shared: HashSet<Hash> = before.digests().into_iter().collect();
    assert!(after.digests().iter().all(|digest| !shared.contains(digest)));
}

#[test]
fn fault_X03_a_slice_names_no_feature_that_the_subject_lacks() {
    let published = published();
    let bytes = published.slice(POOR);
    for number in 0..FEATURES {
        let key = format!("feature_{number}\0");
        // A key is followed by its policy, which is below 3.
        let named = (0..3).any(|policy| {
            let mut wanted = key.clone().into_bytes();
            wanted[key.len() - 1] = policy;
            holds(&bytes, &wanted)
        });
        assert_eq!(named, number < 4, "feature_{number}");
    }
    let opened = open(&bytes, POOR).unwrap();
    assert_eq!(opened.features().len(), 4);
}

#[test]
fn a_slice_holds_no_count() {
    let published = published();
    let catalogue = &published.encoded.catalogue.bytes;
    let entitlements: usize = published.subjects.iter().map(|s| s.entitlements.len()).sum();
    for count in [SUBJECTS, entitlements] {
        let plain = [
            (count as u32).to_le_bytes().to_vec(),
            (count as u32).to_be_bytes().to_vec(),
            [&[0x19], &(count as u16).to_be_bytes()[..]].concat(),
            count.to_string().into_bytes(),
        ];
        assert!(holds(catalogue, &plain[0]), "the search finds what is there");
        for id in [POOR, "customer-000000", "customer-001234"] {
            let bytes = published.slice(id);
            assert!(plain.iter().all(|wanted| !holds(&bytes, wanted)), "{count}");
        }
    }
}

/// What an attacker knows who holds one slice and guessed everybody's record to the last byte: the
/// subjects of the slice's page, in their order, with ids and records.
struct Dictionary {
    page: Vec<(String, Vec<u8>)>,
    all: Vec<(String, Vec<u8>)>,
}

impl Dictionary {
    fn of(published: &Published, own: &Sliced) -> Self {
        let (roots, pack) = (&published.encoded.roots, published.encoded.pack());
        let body = Body::open(pack, roots, usage_as_of()).unwrap();
        let (mut page, mut all) = (Vec::new(), Vec::new());
        // They come page by page, in the order of their page.
        for subject in body.subjects() {
            let id = subject.unwrap().id().to_owned();
            let slice = Sliced::read(&published.slice(&id));
            if slice.page_body == own.page_body {
                page.push((id.clone(), slice.record.clone()));
            }
            all.push((id, slice.record));
        }
        assert!(page.len() > 20, "the page has neighbours");
        Self { page, all }
    }

    /// Every digest that a way to choose salts leads to: each record of the snapshot as a leaf, and
    /// the whole tree of the page.
    fn digests(&self, salt: impl Fn(&str) -> Vec<u8>) -> Vec<Hash> {
        let leaf = |(id, record): &(String, Vec<u8>)| sha(&[&[2], &salt(id), record]);
        let mut found: Vec<Hash> = self.all.iter().map(leaf).collect();
        let mut level: Vec<Hash> = self.page.iter().map(leaf).collect();
        while level.len() > 1 {
            let above = |two: &[Hash]| if let [a, b] = two { pair(*a, *b) } else { two[0] };
            level = level.chunks(2).map(above).collect();
            found.extend(&level);
        }
        found
    }
}

fn hits(slice: &Sliced, head: &Head, found: &[Hash]) -> usize {
    let found: HashSet<&Hash> = found.iter().collect();
    let targets = slice.digests().into_iter().chain([head.root, head.catalogue]);
    targets.filter(|target| found.contains(target)).count()
}

#[test]
fn fault_X04_a_full_dictionary_guesses_no_digest_of_a_slice() {
    let published = published();
    let head = head(&published.encoded, 1);
    let slice = Sliced::read(&published.slice("customer-000777"));
    let dictionary = Dictionary::of(&published, &slice);
    let short = |hash: &Hash| hash[..16].to_vec();
    let derived = |pepper: &[u8], id: &str| sha(&[&[4], pepper, id.as_bytes()])[..16].to_vec();

    // Everything of 16 bytes that the attacker has could be the salt, or the pepper of all salts.
    let mut known = vec![slice.salt.to_vec(), vec![0; 16], Vec::new()];
    known.extend(slice.digests().iter().map(short));
    known.extend([short(&head.root), short(&head.catalogue), short(&slice.root())]);
    let mut tried = 0;
    for secret in &known {
        for found in
            [dictionary.digests(|_| secret.clone()), dictionary.digests(|id| derived(secret, id))]
        {
            assert_eq!(hits(&slice, &head, &found), 0);
            tried += found.len();
        }
    }
    let bare = dictionary.all.iter().flat_map(|(id, record)| {
        let own = &slice.salt[..];
        let (id, record) = (id.as_bytes(), record.as_slice());
        [sha(&[id]), sha(&[record]), sha(&[&[2], record]), sha(&[own, id]), sha(&[own, record])]
    });
    assert_eq!(hits(&slice, &head, &bare.collect::<Vec<_>>()), 0);
    println!("{tried} guesses, 0 hits");

    // With the pepper, which is in the page alone, the same search finds every neighbour.
    let index =
        published.encoded.pages.iter().position(|page| page.bytes[..32] == slice.subjects_root());
    let bits = [published.encoded.page_bits];
    let index = (index.unwrap() as u32).to_le_bytes();
    let pepper = sha(&[&[3], &SEED, &bits, &index])[..16].to_vec();
    let found = dictionary.digests(|id| derived(&pepper, id));
    assert_eq!(hits(&slice, &head, &found), slice.subject_path.len());
}

#[test]
fn fault_X04_knowing_all_facts_leads_to_no_page_without_the_seed() {
    let published = published();
    let head = head(&published.encoded, 1);
    let slice = Sliced::read(&published.slice("customer-000777"));
    let attempt = |seed: [u8; 32]| {
        let encoded = encoded_with(seed, subjects());
        let pages = encoded.pages.iter();
        let bodies = pages.clone().map(|page| sha(&[&page.bytes[32..]]));
        let subjects = pages.clone().map(|page| page.bytes[..32].try_into().unwrap());
        let digests: Vec<Hash> = pages.map(|page| page_digest(&page.bytes)).collect();
        let mut found: Vec<Hash> = bodies.chain(subjects).chain(digests.clone()).collect();
        for width in (0..=encoded.page_bits).map(|bits| 1 << bits) {
            found.extend(digests.chunks(width).map(tree));
        }
        found.push(sha(&[&encoded.catalogue.bytes]));
        hits(&slice, &head, &found)
    };
    let mut doubled = [0; 32];
    doubled[..16].copy_from_slice(&slice.salt);
    doubled[16..].copy_from_slice(&slice.salt);
    for guess in [[0; 32], [0xff; 32], doubled, head.root, head.catalogue, slice.page_body] {
        assert_eq!(attempt(guess), 0);
    }
    // The page's siblings, its body, the root and the catalogue.
    assert_eq!(attempt(SEED), slice.page_path.len() + 3);
}

/// The path as long as the format allows, for any number of subjects, under the longest head.
#[test]
fn a_slice_of_ten_features_has_at_most_four_kilobytes_whatever_the_number_of_subjects() {
    let published = published();
    let mut slice = Sliced::read(&published.slice("customer-000001"));
    assert_eq!(open(&slice.bytes(), "customer-000001").unwrap().features().len(), 10);
    let sibling = |step: u8| (step.is_multiple_of(2), sha(&[&[step]]));
    while slice.subject_path.len() < 16 {
        slice.subject_path.push(sibling(slice.subject_path.len() as u8));
    }
    while slice.page_path.len() < 24 {
        slice.page_path.push(sibling(slice.page_path.len() as u8));
    }
    let signers: Vec<_> = (1..=8).map(key).collect();
    let head = Head {
        root: slice.root(),
        pack_length: u64::from(u32::MAX),
        version: 1 << 53,
        ..head(&published.encoded, 1)
    };
    assert_eq!(head.usage_as_of, usage_as_of());
    slice.head = sign(&head, &signers[..1]).unwrap();
    let (one, bytes) = (slice.bytes().len(), slice.bytes());
    open(&bytes, "customer-000001").unwrap();
    slice.head = sign(&head, &signers).unwrap();
    let eight = slice.bytes().len();
    println!("{one} bytes, {eight} with eight signatures");
    assert!(one <= 4096 && eight <= 4096);
    let beyond =
        Sliced { page_path: [slice.page_path.clone(), vec![sibling(24)]].concat(), ..slice };
    assert_eq!(open(&beyond.bytes(), "customer-000001").unwrap_err().code(), "slice-malformed");
}
