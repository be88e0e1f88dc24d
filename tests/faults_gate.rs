//! Rows of docs/FAULTS.md that need a gate: limits, arithmetic, parts in the place of others, and
//! what stays resident.

#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests are named by the ids of faults, and a failed unwrap is a failed test"
)]

mod snapshot_support;

use std::collections::HashMap;

use edgegrant::Amount;
use edgegrant::engine::program::Rule;
use edgegrant::gate::{Answer, Clock, Gate, Origin, Reason, Wanted};
use edgegrant::snapshot::{
    Body, DeltaReader, Digest, Encoded, EntitlementRecord, Offered, Roots, Settings, Slice, Stream,
    encode,
};
use edgegrant::trust::sign;
use snapshot_support::assemble::{Parts, catalogue};
use snapshot_support::crafted::{BOOLEAN, grant, metered, subject, with_shape};
use snapshot_support::independent::pack;
use snapshot_support::paged::Paged;
use snapshot_support::signed::{AUDIENCE, ask, gate, head, key};
use snapshot_support::{
    Own, SEED, bulky_subjects, encode_planned, features, plain, planned, settings, usage_as_of,
};

/// Takes an encoded body as a refresh by its pack.
fn refresh(gate: &mut Gate, encoded: &Encoded, version: u64) -> Result<(), edgegrant::Error> {
    let head = sign(&head(encoded, version), &[key(1)]).unwrap();
    gate.offer(&head, Clock::Untrusted, Origin::Network)?;
    gate.accept(encoded.pack())
}

#[test]
fn fault_B20_a_snapshot_of_twice_the_size_is_taken() {
    let mut gate = gate(&encode_planned(300, Own::Usage), 1);
    refresh(&mut gate, &encode_planned(600, Own::Usage), 2).unwrap();
    assert_eq!(gate.status(Clock::Untrusted).unwrap().subjects, Some(600));
}

#[test]
fn fault_B21_beyond_a_limit_the_old_snapshot_serves_on() {
    let mut gate = gate(&encode_planned(3, Own::Usage), 1);
    let ask = ask("customer-000001", "feature_5", usage_as_of());
    let before = gate.check(&ask);
    let mut offered = |catalogue: &[u8], page: Vec<u8>| {
        let (pack, roots) = pack(catalogue, &[page]);
        let mut head = head(&encode_planned(3, Own::Usage), 2);
        (head.root, head.catalogue) = (roots.root.0, roots.catalogue.0);
        head.pack_length = roots.pack_length;
        let head = sign(&head, &[key(1)]).unwrap();
        gate.offer(&head, Clock::Untrusted, Origin::Network).unwrap();
        let code = gate.accept(pack).unwrap_err().code();
        // The verified head moves the clock on, and nothing else.
        assert_eq!(Answer { age_millis: before.age_millis, ..gate.check(&ask) }, before);
        code
    };
    let empty = || Parts::default().page(&SEED, 0, 0);
    let declared = snapshot_support::crafted::declared();
    assert_eq!(offered(&[declared.as_slice(), &[0; 1 << 18]].concat(), empty()), "snapshot-limit");
    let large = [empty().as_slice(), &vec![0; 1 << 20]].concat();
    // Where a page ends in a pack is not signed, so that it is a matter of bounds.
    assert_eq!(offered(&declared, large), "snapshot-bounds");
    let acme = subject(b"acme");
    let grants = [&metered(&[])[..11], &[0x81, 0x20], &grant(1).repeat(4097)].concat();
    let many_grants = with_shape(&grants, &[&acme]).page(&SEED, 0, 0);
    assert_eq!(offered(&declared, many_grants), "snapshot-value");
    let plan = [0; 4 * 4097];
    let many_entries = Parts { plans: vec![&plan], ..with_shape(BOOLEAN, &[&acme]) };
    assert_eq!(offered(&declared, many_entries.page(&SEED, 0, 0)), "snapshot-limit");
    assert_eq!(offered(&catalogue(&SEED, 25, &[], &[]), empty()), "snapshot-limit");
}

#[test]
fn fault_B21_the_writer_refuses_what_no_reader_takes() {
    let refused = |change: &dyn Fn(&mut EntitlementRecord)| {
        let mut subject = planned(1, Own::Usage);
        change(&mut subject.entitlements[0]);
        encode(&settings(), &features(10), vec![subject]).unwrap_err().code()
    };
    let metered = |change: &dyn Fn(&mut edgegrant::engine::program::Metered)| {
        refused(&|entitlement| match &mut entitlement.program.rule {
            Rule::Metered(metered) => change(metered),
            Rule::Boolean | Rule::Static => panic!("the first feature is metered"),
        })
    };
    let config = refused(&|entitlement| {
        entitlement.program = plain(Rule::Static);
        (entitlement.steady, entitlement.grant_ids) = (None, Vec::new());
        entitlement.config = Some("x".repeat(65_537));
    });
    assert_eq!(config, "config-length");
    let grants = metered(&|metered| metered.grants = vec![metered.grants[0]; 4097]);
    assert_eq!(grants, "snapshot-limit");
    let resets = metered(&|metered| {
        metered.timeline.stretches = vec![metered.timeline.stretches[0]; 16_385];
    });
    assert_eq!(resets, "snapshot-limit");
    let files = [vec![0; 1 << 19], b"EGS\x01".repeat(1 << 17)];
    assert!(files.iter().all(|file| Slice::read(file).is_err()));
    let long = [b"EGD\x01".as_slice(), &[1; 32], &(1_u32 << 22).to_le_bytes()].concat();
    let read = DeltaReader::default().feed(&long, |_| Ok(()));
    assert_eq!(read.unwrap_err().code(), "delta-malformed");
}

#[test]
fn fault_B28_no_sum_wraps() {
    let gate = gate(&encode_planned(3, Own::Usage), 1);
    let now = usage_as_of();
    for used in [Amount::MAX, Amount::from_units((1 << 53) - 1)] {
        for amount in [Amount::ZERO, Amount::EPSILON, Amount::MAX] {
            let ask = edgegrant::gate::Ask {
                amount: Some(amount),
                used: Some(used),
                ..ask("customer-000001", "feature_0", now)
            };
            let answer = gate.check(&ask);
            assert_eq!(answer.has_access, amount.is_zero(), "{amount}");
            assert_eq!(gate.has_access(&ask), answer.has_access);
            let overage = answer.overage.unwrap();
            assert!(overage > Amount::from_units(1 << 52) && overage.is_in_range(), "{overage}");
        }
    }
    let all = edgegrant::gate::Ask {
        amount: Some(Amount::MAX),
        ..ask("customer-000001", "feature_0", now)
    };
    assert_eq!(gate.check(&all).reason, Reason::Exhausted);
}

/// Two bodies of the same tenant, the second a publish later.
fn two() -> (Encoded, Encoded) {
    let mut subjects = bulky_subjects(300);
    let old = encode(&settings(), &features(11), subjects.clone()).unwrap();
    subjects.retain(|subject| !subject.id.ends_with("77"));
    let settings = Settings { previous_page_bits: Some(old.page_bits), ..settings() };
    (old, encode(&settings, &features(11), subjects).unwrap())
}

/// Offers `new` to a gate that holds `old` and supplies parts as `part` has them.
fn by_parts(
    old: &Encoded,
    new: &Encoded,
    part: impl Fn(&Digest) -> Vec<u8>,
) -> Result<(), edgegrant::Error> {
    let mut gate = gate(old, 1);
    let head = sign(&head(new, 2), &[key(1)]).unwrap();
    gate.offer(&head, Clock::Untrusted, Origin::Network)?;
    let refused = loop {
        let Wanted::Parts(names) = gate.wanted(false) else { break Ok(()) };
        if let Err(error) = names.iter().try_for_each(|name| gate.supply(*name, &part(name))) {
            break Err(error);
        }
    };
    let version = if refused.is_ok() && gate.swap()? { 2 } else { 1 };
    assert_eq!(gate.status(Clock::Untrusted).unwrap().version, version);
    refused
}

#[test]
fn fault_B30_an_old_page_under_a_new_name() {
    let (old, new) = two();
    let parts: HashMap<Digest, &Vec<u8>> =
        new.parts().map(|part| (part.digest, &part.bytes)).collect();
    by_parts(&old, &new, |name| parts[name].clone()).unwrap();
    let index = (0..new.pages.len()).find(|index| new.pages[*index] != old.pages[*index]).unwrap();
    let changed = new.pages[index].digest;
    let refused = by_parts(&old, &new, |name| {
        if *name == changed { old.pages[index].bytes.clone() } else { parts[name].clone() }
    });
    assert_eq!(refused.unwrap_err().code(), "snapshot-digest");
    let swapped = by_parts(&old, &new, |name| {
        if *name == changed { new.pages[index ^ 1].bytes.clone() } else { parts[name].clone() }
    });
    assert_eq!(swapped.unwrap_err().code(), "snapshot-digest");
}

#[test]
fn fault_B31_pages_of_another_tenant() {
    let ours = encode_planned(40, Own::Usage);
    let theirs = encode(
        &Settings { seed: [8; 32], ..settings() },
        &features(10),
        (0..40).map(|number| planned(number, Own::Usage)).collect(),
    )
    .unwrap();
    assert_eq!(ours.page_bits, theirs.page_bits);
    let mixed = Encoded { pages: theirs.pages.clone(), ..ours.clone() };
    let bytes = mixed.pack();
    let roots = Roots { pack_length: bytes.len() as u64, ..ours.roots };
    let body = Body::open(bytes, &roots, usage_as_of());
    let codes: Vec<_> = body.unwrap().subjects().filter_map(Result::err).collect();
    assert!(codes.iter().all(|error| error.code() == "snapshot-digest") && !codes.is_empty());
    // Signed by the same key, their body belongs to their audience.
    let mut foreign = head(&theirs, 2);
    foreign.audience = format!("{AUDIENCE}-of-theirs");
    let foreign = sign(&foreign, &[key(1)]).unwrap();
    let refused = gate(&ours, 1).offer(&foreign, Clock::Untrusted, Origin::Network);
    assert_eq!(refused.unwrap_err().code(), "head-audience");
    // Also where somebody signs a mixture: a page tells whose it is.
    let pages: Vec<Vec<u8>> = theirs.pages.iter().map(|page| page.bytes.clone()).collect();
    let (bytes, roots) = pack(&ours.catalogue.bytes, &pages);
    let body = Body::open(bytes, &roots, usage_as_of()).unwrap();
    let misplaced = body.subject("customer-000001").err().unwrap();
    assert_eq!(misplaced.code(), "snapshot-misplaced");
}

#[test]
fn fault_A07_an_older_snapshot_given_by_hand() {
    let encoded = encode_planned(3, Own::Usage);
    let mut gate = gate(&encoded, 2);
    let older = sign(&head(&encoded, 1), &[key(1)]).unwrap();
    for origin in [Origin::Bytes, Origin::Store, Origin::Network] {
        let refused = gate.offer(&older, Clock::Untrusted, origin).unwrap_err();
        assert_eq!(refused.code(), "head-rollback");
    }
    assert_eq!(gate.status(Clock::Untrusted).unwrap().version, 2);
}

#[test]
fn fault_C08_what_is_asked_for_once_does_not_stay_for_ever() {
    const RESIDENT_BYTES_MAX: usize = 64 * 1024;
    let encoded = encode(&settings(), &features(11), bulky_subjects(2_000)).unwrap();
    let mut paged = Paged::new(&encoded, RESIDENT_BYTES_MAX);
    let mut fetched = 0;
    for number in 0..4_000 {
        let id = format!("customer-{:06}", number * 7_919 % 4_000);
        fetched += paged.reside(&id);
        let answer = paged.gate.check(&ask(&id, "feature_5", usage_as_of()));
        let known = number * 7_919 % 4_000 < 2_000;
        assert_eq!(answer.reason, if known { Reason::Static } else { Reason::UnknownSubject });
    }
    assert!(fetched > encoded.pages.len(), "pages were let go and fetched again");
    let resident = (0..2_000).map(|number| format!("customer-{number:06}"));
    let there = resident.filter(|id| paged.gate.needs(id).unwrap().is_none()).count();
    let pages_max = RESIDENT_BYTES_MAX / (encoded.roots.pack_length as usize / encoded.pages.len());
    assert!(there < 2_000 / 4, "{there} subjects of about {pages_max} pages");
}

/// A step is what one chunk completes: a few pages, whatever the size of the whole.
#[test]
fn fault_C11_a_large_body_is_taken_in_small_steps() {
    const CHUNK_BYTES: usize = 64 * 1024;
    let (old, _) = two();
    let large = encode(&settings(), &features(11), bulky_subjects(8_000)).unwrap();
    let pack = large.pack();
    assert!(pack.len() > 100 * CHUNK_BYTES);
    let present = Body::open(old.pack(), &old.roots, usage_as_of()).unwrap();
    let mut offered = Offered::new(&large.roots, usage_as_of(), true, Some(&present)).unwrap();
    let mut stream = Stream::pack(&large.roots).unwrap();
    let mut steps = 0;
    for chunk in pack.chunks(CHUNK_BYTES) {
        let before = offered.wanted().count();
        offered.feed(&mut stream, chunk, Some(&present)).unwrap();
        let taken = before.saturating_sub(offered.wanted().count());
        assert!(taken <= CHUNK_BYTES / 1024, "{taken} parts in one step");
        steps += usize::from(taken > 0);
    }
    assert!(steps > 100, "{steps}");
    let body = offered.finish().unwrap();
    assert!(body.subject("customer-007999").unwrap().is_some());
}
