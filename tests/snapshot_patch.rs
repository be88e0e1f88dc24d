//! Patches: what comes of any two pages, what cannot be applied, and gates that are refreshed by
//! them.

#![allow(
    non_snake_case,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use std::collections::{BTreeMap, BTreeSet};

use edgegrant::Error;
use edgegrant::amount::Amount;
use edgegrant::engine::program::{Rule, Usage};
use edgegrant::gate::{Clock, Gate, Origin, Wanted};
use edgegrant::snapshot::{
    DeltaReader, Digest, Encoded, Part, Settings, SubjectRecord, encode, patched,
};
use edgegrant::trust::sign;
use snapshot_support::patches::{self, COPY, INSERT, MOVE, SHIFT, step, varint};
use snapshot_support::random::Random;
use snapshot_support::signed::{self, ask, head, key, options};
use snapshot_support::{Own, features, planned_subjects, settings, usage_as_of};

/// The delta from one body to another.
fn delta(old: &Encoded, new: &Encoded) -> Vec<u8> {
    let has: BTreeSet<Digest> = old.parts().map(|part| part.digest).collect();
    let alike = old.page_bits == new.page_bits;
    let parts: Vec<&Part> = old.parts().collect();
    let earlier = |place: usize| alike.then(|| parts[place].bytes.clone());
    new.delta(|name| has.contains(name), earlier)
}

/// The parts of a delta: the name, the bytes, and whether they are a patch.
fn told(file: &[u8]) -> Vec<(Digest, Vec<u8>, bool)> {
    let (mut reader, mut parts) = (DeltaReader::default(), Vec::new());
    let keep = |part: edgegrant::snapshot::DeltaPart<'_>| {
        parts.push((part.name, part.bytes.to_vec(), part.is_patch));
        Ok(())
    };
    reader.feed(file, keep).unwrap();
    assert!(reader.is_complete());
    parts
}

/// What the writer makes of any two parts.
fn diff(old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let part = |bytes: &[u8]| Part { digest: Digest([0; 32]), bytes: bytes.to_vec() };
    let mut body = encode(&settings(), &[], Vec::new()).unwrap();
    (body.catalogue, body.nodes, body.pages) = (part(new), Vec::new(), Vec::new());
    let file = body.delta(|_| false, |_| Some(old.to_vec()));
    let (_, bytes, is_patch) = told(&file).swap_remove(0);
    is_patch.then_some(bytes)
}

/// Bytes with tables in them, and others made of them.
fn random_parts(random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let mut old: Vec<u8> = (0..random.below(400)).map(|_| random.below(7) as u8).collect();
    let ends = (1..random.below(200) as u32).flat_map(|end| (end * 29).to_le_bytes()[..3].to_vec());
    old.extend(ends.collect::<Vec<_>>());
    old.extend((0..random.below(2_000)).map(|_| random.next() as u8));
    let mut new = old.clone();
    for _ in 0..random.below(6) {
        let at = random.below(new.len() as u64 + 1) as usize;
        let end = (at + random.below(60) as usize).min(new.len());
        match random.below(5) {
            0 => drop(new.drain(at..end)),
            1 => drop(new.splice(at..at, (0..random.below(40)).map(|byte| byte as u8))),
            2 => new[at..end].iter_mut().for_each(|byte| *byte ^= 0x55),
            3 => new[at..end].as_chunks_mut::<3>().0.iter_mut().for_each(|[low, middle, _]| {
                let more = u16::from_le_bytes([*low, *middle]).wrapping_add(11);
                [*low, *middle] = more.to_le_bytes();
            }),
            _ => new.rotate_left(at),
        }
    }
    (old, new)
}

/// Long runs that differ everywhere alike, and by too much for a table, were once counted anew for
/// each byte: hours for a part of this length.
#[test]
fn the_longest_part_is_told_in_time_however_it_differs() {
    let of = |byte| vec![byte; 1 << 20];
    assert_eq!(diff(&of(b'a'), &of(b'b')), None);
    assert_eq!(diff(&of(b'a'), &of(b'a')).unwrap().len(), 7);
}

#[test]
fn a_patch_makes_the_new_of_the_old() {
    let random = &mut Random(5);
    let (mut patches, mut spared) = (0, 0);
    for _ in 0..3_000 {
        let (old, new) = random_parts(random);
        let Some(patch) = diff(&old, &new) else { continue };
        assert_eq!(patched(&old, &patch).as_ref(), Some(&new));
        assert_eq!(patches::apply(&old, &patch).as_ref(), Some(&new), "as docs/FORMAT.md says");
        (patches, spared) = (patches + 1, spared + new.len() - patch.len());
    }
    assert!(patches > 2_500 && spared > 2_500 * 500, "{patches} patches spared {spared} bytes");
}

#[test]
fn a_changed_customer_takes_a_few_hundred_bytes() {
    let (old, new) = (body(&[]), body(&[3, 700]));
    let file = told(&delta(&old, &new));
    let lengths: BTreeMap<Digest, usize> =
        new.parts().map(|part| (part.digest, part.bytes.len())).collect();
    assert_eq!(file.len(), 3, "the node and two pages");
    for (name, bytes, is_patch) in file {
        assert!(is_patch && lengths[&name] >= 512, "{}", lengths[&name]);
        assert!(bytes.len() < 200, "{} bytes of {}", bytes.len(), lengths[&name]);
    }
}

#[test]
fn fault_B09_a_patch_that_does_not_apply_is_refused() {
    let base = b"abcdefghij";
    let of = |length: u64, steps: &[&[u8]]| [varint(length), steps.concat()].concat();
    let takes = |patch: &[u8]| {
        let taken = patched(base, patch);
        assert_eq!(taken, patches::apply(base, patch));
        taken.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let good = of(13, &[&step(COPY, 3), &step(INSERT, 2), b"XY", &step(MOVE, 3), &step(COPY, 5)]);
    assert_eq!(
        takes(&[good.as_slice(), &step(SHIFT, 1), &varint(1)].concat()),
        None,
        "past the end"
    );
    let good = of(9, &[&step(COPY, 3), &step(INSERT, 2), b"XY", &step(MOVE, 1), &step(COPY, 4)]);
    assert_eq!(takes(&good).as_deref(), Some("abcXYefgh"));
    for length in 0..good.len() {
        assert_eq!(takes(&good[..length]), None, "{length}");
    }
    assert_eq!(takes(&of(3, &[&step(SHIFT, 1), &varint(0x2_0001)])).as_deref(), Some("bbe"));
    let back = (1_u64 << 24) - 1;
    assert_eq!(takes(&of(3, &[&step(SHIFT, 1), &varint(back)])).as_deref(), Some("`bc"));
    assert_eq!(takes(&of(0, &[])).as_deref(), Some(""));
    for (length, steps) in [
        (10, vec![step(COPY, 11)]),
        (9, vec![step(COPY, 10)]),
        (11, vec![step(COPY, 10)]),
        (1, vec![step(MOVE, 1), step(COPY, 1)]),
        (1, vec![step(MOVE, 20), step(COPY, 1)]),
        (1, vec![step(MOVE, u64::MAX >> 2), step(COPY, 1)]),
        (1, vec![step(MOVE, (u64::MAX >> 2) - 1), step(MOVE, (u64::MAX >> 2) - 1), step(COPY, 1)]),
        (12, vec![step(SHIFT, 4), varint(1)]),
        (3, vec![step(SHIFT, 1)]),
        (3, vec![step(SHIFT, u64::MAX >> 2), varint(1)]),
        (3, vec![step(INSERT, u64::MAX >> 2), vec![0; 3]]),
        (1 << 20 | 1, vec![step(COPY, 1)]),
        (u64::MAX, vec![]),
    ] {
        let steps: Vec<&[u8]> = steps.iter().map(Vec::as_slice).collect();
        assert_eq!(takes(&of(length, &steps)), None, "{length} {steps:?}");
    }
}

const SUBJECTS: usize = 1_500;

/// So many customers, of whom some used more than before.
fn subjects(count: usize, changed: &[usize]) -> Vec<SubjectRecord> {
    let mut subjects = planned_subjects(count, Own::Usage);
    for number in changed {
        let Rule::Metered(metered) = &mut subjects[*number].entitlements[0].program.rule else {
            panic!("the first feature is metered")
        };
        metered.usage = Usage::Flow { since_opening: Amount::from_units(70_000) };
    }
    subjects
}

fn body(changed: &[usize]) -> Encoded {
    let settings = Settings { previous_page_bits: Some(4), ..settings() };
    encode(&settings, &features(10), subjects(SUBJECTS, changed)).unwrap()
}

/// A body that is refreshed thousands of times.
fn small(changed: &[usize]) -> Encoded {
    let settings = Settings { previous_page_bits: Some(1), ..settings() };
    encode(&settings, &features(10), subjects(220, changed)).unwrap()
}

fn many() -> Vec<usize> {
    (0..SUBJECTS).step_by(40).collect()
}

fn offer(gate: &mut Gate, new: &Encoded, version: u64) {
    let head = sign(&head(new, version), &[key(1)]).unwrap();
    gate.offer(&head, Clock::Untrusted, Origin::Network).unwrap();
}

fn feed(gate: &mut Gate, file: &[u8]) -> Result<(), Error> {
    let mut stream = gate.stream(true)?;
    for chunk in file.chunks(100) {
        gate.feed(&mut stream, chunk)?;
    }
    stream.finish()
}

fn balances(gate: &Gate) -> Vec<Option<Amount>> {
    let balance = |number: usize| {
        gate.check(&ask(&format!("customer-{number:06}"), "feature_0", usage_as_of())).balance
    };
    (0..SUBJECTS).step_by(20).map(balance).collect()
}

fn pack(gate: &Gate) -> Vec<u8> {
    gate.remains().unwrap().pack().unwrap().iter().collect::<Vec<_>>().concat()
}

#[test]
fn a_delta_of_patches_brings_what_a_pack_brings() {
    let (old, new) = (body(&[]), body(&many()));
    let file = delta(&old, &new);
    assert!(told(&file).iter().all(|(_, _, is_patch)| *is_patch), "pages and a node");
    assert!(file.len() < new.roots.pack_length as usize / 5, "{}", file.len());
    let mut gate = signed::gate(&old, 1);
    let fresh = signed::gate(&new, 2);
    offer(&mut gate, &new, 2);
    feed(&mut gate, &file).unwrap();
    assert_eq!(gate.wanted(true), Wanted::Nothing);
    assert_eq!(balances(&gate), balances(&signed::gate(&old, 1)), "until it is swapped");
    assert!(gate.swap().unwrap());
    assert!(gate.resident_bytes() > fresh.resident_bytes());
    // Some are asked for before they are settled.
    let asked = ask("customer-000040", "feature_0", usage_as_of());
    assert_eq!(gate.check(&asked), fresh.check(&asked));
    let spans = gate.remains().unwrap().spans().unwrap();
    let changed = old.pages.iter().zip(&new.pages).map(|(old, new)| old != new);
    let unsettled = spans.pages.concat().into_iter().map(|span| span.length == 0);
    assert!(unsettled.eq(changed));
    assert!(!gate.settle(), "less than a megabyte");
    let spans = gate.remains().unwrap().spans().unwrap();
    let lengths: Vec<usize> = spans.pages.concat().iter().map(|span| span.length).collect();
    assert_eq!(lengths, new.pages.iter().map(|page| page.bytes.len()).collect::<Vec<_>>());
    assert_eq!(gate.resident_bytes(), fresh.resident_bytes());
    assert_eq!(balances(&gate), balances(&fresh));
    assert_eq!(pack(&gate), new.pack());
}

#[test]
fn one_refresh_after_another_needs_no_settling_in_between() {
    let bodies = [body(&[]), body(&many()), body(&[1, 40, 41]), body(&many())];
    let mut gate = signed::gate(&bodies[0], 1);
    for (version, pair) in (2..).zip(bodies.windows(2)) {
        offer(&mut gate, &pair[1], version);
        feed(&mut gate, &delta(&pair[0], &pair[1])).unwrap();
        assert!(gate.swap().unwrap());
        assert_eq!(balances(&gate), balances(&signed::gate(&pair[1], version)));
    }
    while gate.settle() {}
    assert_eq!(pack(&gate), bodies[3].pack());
    assert_eq!(gate.resident_bytes(), signed::gate(&bodies[3], 4).resident_bytes());
}

#[test]
fn a_patch_of_what_is_not_there_leaves_the_part_wanted() {
    let (old, new) = (body(&[]), body(&many()));
    let parts: BTreeMap<Digest, &Part> = old.parts().map(|part| (part.digest, part)).collect();
    let mut gate = Gate::new(options(&[key(1)], 1));
    gate.hold_pages(12_000);
    offer(&mut gate, &old, 1);
    gate.supply(old.catalogue.digest, &old.catalogue.bytes).unwrap();
    assert!(gate.swap().unwrap());
    let reside = |gate: &mut Gate, id: &str| {
        while let Some(name) = gate.needs(id).unwrap() {
            gate.keep(id, name, &parts[&name].bytes).unwrap();
        }
    };
    let ids: Vec<String> = (0..9).map(|number| format!("customer-{number:06}")).collect();
    ids.iter().for_each(|id| reside(&mut gate, id));
    offer(&mut gate, &new, 2);
    // The node comes by itself, so that pages are wanted; then others take their place.
    gate.supply(new.nodes[0].digest, &new.nodes[0].bytes).unwrap();
    let Wanted::Parts(wanted) = gate.wanted(false) else { panic!("pages are wanted") };
    ids.iter().rev().for_each(|id| reside(&mut gate, id));
    feed(&mut gate, &delta(&old, &new)).unwrap();
    let Wanted::Parts(left) = gate.wanted(false) else { panic!("pages are wanted still") };
    assert!(left.len() < wanted.len() && left.iter().all(|name| wanted.contains(name)));
    let new_parts: BTreeMap<Digest, &Part> = new.parts().map(|part| (part.digest, part)).collect();
    while let Wanted::Parts(names) = gate.wanted(false) {
        names.iter().for_each(|name| gate.supply(*name, &new_parts[name].bytes).unwrap());
        let _more = gate.swap().unwrap();
    }
    while gate.settle() {}
    assert!(gate.resident_bytes() <= 12_000, "{}", gate.resident_bytes());
}

/// Refreshes a gate by a file that may be anything, and by parts if that is of no use.
fn refresh_by(old: &Encoded, new: &Encoded, file: &[u8]) -> (Gate, Result<(), Error>) {
    let mut gate = signed::gate(old, 1);
    offer(&mut gate, new, 2);
    let fed = feed(&mut gate, file);
    if fed.is_err() {
        assert!(pack(&gate) == old.pack());
        offer(&mut gate, new, 2);
    }
    new.parts().for_each(|part| gate.supply(part.digest, &part.bytes).unwrap());
    assert!(gate.swap().unwrap());
    (gate, fed)
}

#[test]
fn fault_B02_B03_a_delta_of_patches_cut_or_changed_anywhere_changes_no_answer() {
    let (old, new) = (small(&[]), small(&[3]));
    assert_eq!((old.pages.len(), new.pages.len()), (2, 2));
    let file = delta(&old, &new);
    assert!(file.len() < 300, "{}", file.len());
    let expected = new.pack();
    let mut refused = BTreeSet::new();
    let mut check = |file: &[u8]| {
        let (mut gate, fed) = refresh_by(&old, &new, file);
        refused.insert(fed.err().map_or("taken", |error| error.code()));
        while gate.settle() {}
        assert!(pack(&gate) == expected);
    };
    (0..file.len()).for_each(|length| check(&file[..length]));
    for bit in 0..file.len() * 8 {
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        check(&changed);
    }
    assert_eq!(refused, BTreeSet::from(["taken", "delta-malformed", "snapshot-digest"]));
}

#[test]
fn fault_N21_a_patch_of_another_base_changes_no_answer() {
    let (old, other, new) = (body(&[]), body(&many()), body(&[3]));
    let (mut gate, fed) = refresh_by(&old, &new, &delta(&other, &new));
    assert!(matches!(fed.unwrap_err().code(), "delta-malformed" | "snapshot-digest"));
    while gate.settle() {}
    assert_eq!(pack(&gate), new.pack());
}
