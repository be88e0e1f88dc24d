//! Slices: as they come, and behind a head that is signed for wherever their path leads.

use edgegrant::engine::program::Rule;
use edgegrant::gate::{Ask, Clock, SliceGate};
use edgegrant::snapshot::{
    Body, Digest, EntitlementRecord, FeatureRecord, Roots, Slice, SubjectRecord, cut,
};
use edgegrant::trust::verify;

use super::with_mode;
use crate::input::Input;
use crate::signed::{AUDIENCE, options, signed_head};
use crate::support::independent::{pair, sha};
use crate::support::usage_as_of;
use crate::world::{PAGED, PLANNED, SMALL, World};
use crate::{ask, capped};

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for world in [&SMALL, &PLANNED, &PAGED] {
        let slice = slice_of(world);
        let mut input = Input(&slice[4..]);
        input.part();
        seeds.push(with_mode(0, &slice));
        seeds.push(with_mode(1, input.0));
    }
    seeds
}

fn slice_of(world: &World) -> Vec<u8> {
    let encoded = &world.encoded;
    let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    let subject = body.subject(&world.subjects[0].id).unwrap().unwrap();
    cut(&body, &subject, &signed_head(&encoded.roots, 7)).unwrap()
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    if input.byte().is_multiple_of(2) { on_its_way(input.0) } else { signed_again(input.0) }
}

fn open(slice: &[u8], subject: &str) -> Result<SliceGate, edgegrant::Error> {
    let subject = subject.to_owned();
    capped::reading(slice.len(), || SliceGate::open(options(), subject, slice, 0))
}

/// Without the key nothing is accepted but what was cut.
fn on_its_way(slice: &[u8]) {
    let worlds = [&*SMALL, &*PLANNED, &*PAGED];
    let opened = worlds.iter().find(|world| open(slice, &world.subjects[0].id).is_ok());
    let Some(id) = opened.map(|world| world.subjects[0].id.as_str()) else { return };
    let head = verify(Slice::read(slice).unwrap().head(), &options().keyring, AUDIENCE).unwrap();
    let world = worlds.iter().find(|world| world.encoded.roots.root.0 == head.head().root);
    let original = &world.expect("a head that was signed").subjects[0];
    assert_eq!(original.id, id);
    let mut record = SubjectRecord { aliases: Vec::new(), ..original.clone() };
    ask::by_feature(&mut record);
    assert_says(slice, &record);
}

/// Everything behind the head, with a head that names the root to which the path leads.
fn signed_again(rest: &[u8]) {
    let mut input = Input(rest);
    let salt = input.take(16);
    let record = input.part();
    let subjects = climb(&mut input, sha(&[&[2], salt, record]));
    let page_body = input.take(32);
    let root = climb(&mut input, sha(&[&[0], &subjects, page_body]));
    let catalogue = Digest([0; 32]);
    let roots = Roots { root: Digest(root), catalogue, pack_length: 0 };
    let head = signed_head(&roots, 7);
    let length = [head.len() as u8 & 0x7f | 0x80, (head.len() >> 7) as u8];
    let slice = [b"EGS\x01".as_slice(), &length, &head, rest].concat();
    let id = Input(record.get(4..).unwrap_or_default()).part();
    let Ok(id) = std::str::from_utf8(id) else { return };
    let Ok(gate) = open(&slice, id) else { return };
    let (record, features) = told(&slice, id);
    for entitlement in &record.entitlements {
        ask::program(&entitlement.program);
        // Whoever signs a state that does not follow from the program is answered by either.
        let follows = match &entitlement.program.rule {
            Rule::Metered(metered) => {
                entitlement.steady.is_none_or(|s| metered.steady() == Some(s))
            }
            Rule::Boolean | Rule::Static => true,
        };
        for clock in [Clock::Untrusted, Clock::At(usage_as_of().plus_millis(1 << 28))] {
            let feature = entitlement.feature.as_str();
            let ask = Ask { subject: id, feature, clock, at: None, amount: None, used: None };
            let (explained, answer) = (gate.explain(&ask).answer, gate.check(&ask));
            assert!(!follows || explained == answer, "{explained:?} {answer:?}");
        }
    }
    // What the slice says can be published, and the slice that is cut then says the same.
    let again = ask::again(&features, std::slice::from_ref(&record));
    let Some((again, body)) = again else { return };
    let subject = body.subject(id).unwrap().unwrap();
    assert_says(&cut(&body, &subject, &signed_head(&again.roots, 8)).unwrap(), &record);
}

fn climb(input: &mut Input<'_>, mut digest: [u8; 32]) -> [u8; 32] {
    for _ in 0..input.varint().min(32) {
        let is_left = input.byte() == 1;
        let sibling = input.array();
        digest = if is_left { pair(sibling, digest) } else { pair(digest, sibling) };
    }
    digest
}

/// The record and the features of a slice that was opened.
fn told(slice: &[u8], id: &str) -> (SubjectRecord, Vec<FeatureRecord>) {
    let slice = Slice::read(slice).unwrap();
    let head = verify(slice.head(), &options().keyring, AUDIENCE).unwrap();
    let proved = slice.prove(&Digest(head.head().root), head.head().usage_as_of, id).unwrap();
    let entitlements: Vec<EntitlementRecord> =
        proved.entries().map(|(feature, entry)| entry.to_record(&feature).unwrap()).collect();
    let feature = |feature: edgegrant::snapshot::Feature<'_>| FeatureRecord {
        key: feature.key.to_owned(),
        unit: feature.unit.map(str::to_owned),
        when_expired: feature.when_expired,
    };
    let features = proved.entries().map(|(known, _)| feature(known)).collect();
    (SubjectRecord { id: id.to_owned(), aliases: Vec::new(), entitlements }, features)
}

/// Whether a slice opens and says what a record says.
pub(super) fn assert_says(slice: &[u8], record: &SubjectRecord) {
    let gate = open(slice, &record.id).unwrap();
    let keys: Vec<&str> = record.entitlements.iter().map(|e| e.feature.as_str()).collect();
    assert_eq!(gate.features(), keys);
    assert_eq!(&told(slice, &record.id).0, record);
}
