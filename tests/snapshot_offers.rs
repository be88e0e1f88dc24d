//! Offers that go wrong in one certain way, and bodies of unusual sizes.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use std::collections::HashMap;

use edgegrant::gate::{Clock, Gate, Offer, Origin, Reason, Wanted};
use edgegrant::snapshot::{Digest, Encoded, Settings, encode};
use edgegrant::trust::{Head, sign};
use snapshot_support::assemble::{Parts, catalogue, place};
use snapshot_support::independent::{page_digest, sha, tree};
use snapshot_support::signed::{ask, head, key, options};
use snapshot_support::{SEED, bulky_subjects, features, settings, usage_as_of};

fn bulky(count: usize, previous_page_bits: Option<u8>) -> Encoded {
    let mut subjects = bulky_subjects(count);
    subjects.iter_mut().for_each(|subject| subject.aliases.push(format!("{}-too", subject.id)));
    encode(&Settings { previous_page_bits, ..settings() }, &features(11), subjects).unwrap()
}

fn parts(encoded: &Encoded) -> HashMap<Digest, &Vec<u8>> {
    encoded.parts().map(|part| (part.digest, &part.bytes)).collect()
}

fn new_gate(resident_bytes_max: Option<usize>) -> Gate {
    let mut gate = Gate::new(options(&[key(1)], 1));
    resident_bytes_max.into_iter().for_each(|bytes| gate.hold_pages(bytes));
    gate
}

fn offer(gate: &mut Gate, head: &Head, origin: Origin) -> Offer {
    gate.offer(&sign(head, &[key(1)]).unwrap(), Clock::Untrusted, origin).unwrap()
}

fn supply_all(gate: &mut Gate, parts: &HashMap<Digest, &Vec<u8>>) {
    while let Wanted::Parts(names) = gate.wanted(false) {
        names.iter().for_each(|name| gate.supply(*name, parts[name]).unwrap());
    }
    assert!(gate.swap().unwrap());
}

#[test]
fn an_alias_is_answered_for_where_hardly_anything_may_stay() {
    let encoded = bulky(300, None);
    let parts = parts(&encoded);
    let mut gate = new_gate(Some(1));
    offer(&mut gate, &head(&encoded, 1), Origin::Network);
    supply_all(&mut gate, &parts);
    for number in 0..300 {
        let alias = format!("customer-{number:06}-too");
        let mut fetched = 0;
        while let Some(name) = gate.needs(&alias).unwrap() {
            gate.keep(&alias, name, parts[&name]).unwrap();
            fetched += 1;
            assert!(fetched < 8, "{alias} is never there");
        }
        assert_eq!(gate.check(&ask(&alias, "feature_5", usage_as_of())).reason, Reason::Static);
    }
}

#[test]
fn a_download_goes_on_into_no_offer_that_lacks_its_front() {
    let (ours, others) = (bulky(300, None), bulky(299, None));
    let pack = ours.pack();
    let mut gate = new_gate(None);
    offer(&mut gate, &head(&ours, 2), Origin::Network);
    let mut slow = gate.stream(false).unwrap();
    let (front, rest) = pack.split_at(pack.len() / 2);
    assert!(gate.feed(&mut slow, front).unwrap());
    // Meanwhile somebody is served an older head, and somebody else this one again.
    offer(&mut gate, &head(&others, 1), Origin::Network);
    offer(&mut gate, &head(&ours, 2), Origin::Network);
    let mut quick = gate.stream(false).unwrap();
    assert!(gate.feed(&mut quick, &pack[..pack.len() / 4]).unwrap());
    assert!(!gate.feed(&mut slow, rest).unwrap());
    assert!(!gate.swap().unwrap());
    assert!(gate.feed(&mut quick, &pack[pack.len() / 4..]).unwrap());
    assert!(gate.swap().unwrap());
    for number in 0..300 {
        let id = format!("customer-{number:06}");
        assert_eq!(gate.check(&ask(&id, "feature_5", usage_as_of())).reason, Reason::Static);
    }
}

#[test]
fn what_is_given_is_there_as_a_whole_also_while_pages_are_fetched() {
    let (old, new) = (bulky(300, None), bulky(301, None));
    let mut gate = new_gate(Some(usize::MAX));
    offer(&mut gate, &head(&old, 1), Origin::Network);
    supply_all(&mut gate, &parts(&old));
    offer(&mut gate, &head(&new, 2), Origin::Network);
    offer(&mut gate, &head(&new, 2), Origin::Bytes);
    gate.accept(new.pack()).unwrap();
    for number in 0..301 {
        assert_eq!(gate.needs(&format!("customer-{number:06}")).unwrap(), None);
    }
}

/// Of 16,777,216 pages one is written, and the nodes above it; the rest are names.
#[test]
fn one_page_of_as_many_as_there_can_be() {
    const BITS: u8 = 24;
    let index = (place(&SEED, b"nobody") >> (64 - BITS)) as u32;
    let page = Parts::default().page(&SEED, BITS, index);
    let mut parts = HashMap::new();
    let mut name = page_digest(&page);
    parts.insert(Digest(name), page);
    for level in 0..3 {
        let made_up = |entry: u32| sha(&[&[level], &entry.to_le_bytes()]);
        let mut entries: Vec<[u8; 32]> = (0..256).map(made_up).collect();
        entries[(index >> (8 * level)) as usize & 255] = name;
        name = tree(&entries);
        parts.insert(Digest(name), entries.concat());
    }
    let catalogue = catalogue(&SEED, BITS, &[], &[]);
    let mut named = head(&bulky(3, None), 1);
    (named.root, named.catalogue) = (name, sha(&[&catalogue]));
    parts.insert(Digest(named.catalogue), catalogue);
    // The pages alone would take more than this.
    named.pack_length = 1 << 30;
    let mut gate = new_gate(Some(1 << 20));
    offer(&mut gate, &named, Origin::Network);
    let catalogue = Digest(named.catalogue);
    let refused = gate.supply(catalogue, &parts[&catalogue]).unwrap_err();
    assert_eq!(refused.code(), "snapshot-bounds");
    assert_eq!(gate.check(&ask("nobody", "x", usage_as_of())).reason, Reason::NoSnapshot);

    named.pack_length = 1 << 33;
    offer(&mut gate, &named, Origin::Network);
    gate.supply(catalogue, &parts[&catalogue]).unwrap();
    assert!(gate.swap().unwrap());
    let before = gate.check(&ask("nobody", "x", usage_as_of())).reason;
    assert_eq!(before, Reason::NotResident);
    let mut fetched = 0;
    while let Some(name) = gate.needs("nobody").unwrap() {
        // A node with fewer entries is another.
        if parts[&name].len() == 8192 {
            let narrow = tree_of_pairs(&parts[&name]);
            assert_eq!(gate.keep("nobody", name, &narrow).unwrap_err().code(), "snapshot-digest");
        }
        gate.keep("nobody", name, &parts[&name]).unwrap();
        fetched += 1;
    }
    assert_eq!(fetched, 4);
    assert!(gate.resident_bytes() < 64 * 1024);
    let after = gate.check(&ask("nobody", "x", usage_as_of())).reason;
    assert_eq!(after, Reason::UnknownSubject);
}

/// A node of half as many entries with the same root.
fn tree_of_pairs(node: &[u8]) -> Vec<u8> {
    let entries: &[[u8; 32]] = node.as_chunks().0;
    let narrow: Vec<[u8; 32]> = entries.chunks(2).map(tree).collect();
    assert_eq!(tree(&narrow), tree(entries));
    narrow.concat()
}

#[test]
fn one_subject_of_three_is_less_than_half() {
    let mut gate = new_gate(None);
    for (version, subjects, code) in [(1, 3, "taken"), (2, 1, "snapshot-shrunk"), (3, 2, "taken")] {
        let encoded = bulky(subjects, None);
        offer(&mut gate, &head(&encoded, version), Origin::Network);
        let taken = gate.accept(encoded.pack());
        assert_eq!(taken.err().map_or("taken", |error| error.code()), code, "{version}");
    }
}
