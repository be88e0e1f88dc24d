//! Catalogues behind a right digest, above empty pages that fit them.

use edgegrant::snapshot::{Body, Counts, FeatureRecord, WhenExpired};

use crate::input::Input;
use crate::support::assemble::{catalogue, empty_pages, place};
use crate::support::independent::pack;
use crate::support::{SEED, usage_as_of};
use crate::world::{PAGED, PLANNED, SMALL};
use crate::{ask, capped};

/// Where the page bits stand.
const BITS: usize = 36;

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let bytes = |world: &crate::world::World| world.encoded.catalogue.bytes.clone();
    vec![bytes(&SMALL), bytes(&PLANNED), bytes(&PAGED), catalogue(&SEED, 2, &[], &[])]
}

pub(super) fn run(bytes: &[u8]) {
    let seed: [u8; 32] = Input(bytes.get(4..).unwrap_or_default()).array();
    let bits = bytes.get(BITS).copied().unwrap_or_default();
    let fits = bits <= 4;
    let (pack, roots) = pack(bytes, &empty_pages(&seed, if fits { bits } else { 0 }));
    let length = pack.len();
    let Ok(body) = capped::reading(length, || Body::open(pack, &roots, usage_as_of())) else {
        return;
    };
    assert!(fits, "a catalogue of 2^{bits} pages above one");
    assert_eq!(body.catalogue().page_bits(), bits);
    let (counts, features) = read(bytes);
    assert_eq!(body.catalogue().counts(), counts);
    assert_eq!(ask::features(&body), features);
    for feature in &features {
        let found = body.catalogue().feature(&feature.key).unwrap();
        assert_eq!((found.key, found.unit), (feature.key.as_str(), feature.unit.as_deref()));
        assert_eq!(found.when_expired, feature.when_expired);
    }
    assert_eq!(body.verify().is_ok(), counts == Counts::default());
    assert!(body.subject("anyone").unwrap().is_none());
}

/// The counts and features of a catalogue that was accepted.
fn read(bytes: &[u8]) -> (Counts, Vec<FeatureRecord>) {
    let seed: [u8; 32] = Input(&bytes[4..]).array();
    let mut input = Input(&bytes[BITS + 1..]);
    assert_eq!(input.take(3), [0; 3]);
    let [subjects, aliases, entitlements] = [(); 3].map(|()| u64::from_le_bytes(input.array()));
    let count = u32::from_le_bytes(input.array());
    let rows: Vec<(u64, u32)> = (0..count)
        .map(|_| (u64::from_le_bytes(input.array()), u32::from_le_bytes(input.array())))
        .collect();
    assert!(rows.is_sorted_by(|one, other| one.0 < other.0 && one.1 <= other.1));
    let mut start = 0;
    let features = rows.iter().map(|(hash, end)| {
        let mut item = Input(input.take((end - start) as usize));
        start = *end;
        let policies = [WhenExpired::LastKnown, WhenExpired::Closed, WhenExpired::Open];
        let when_expired = policies[usize::from(item.byte())];
        let key = String::from_utf8(item.part().to_vec()).unwrap();
        let unit = (!item.is_empty()).then(|| String::from_utf8(item.0.to_vec()).unwrap());
        assert_eq!(place(&seed, key.as_bytes()), *hash);
        FeatureRecord { key, unit, when_expired }
    });
    let features = features.collect();
    assert!(input.is_empty());
    (Counts { subjects, aliases, entitlements }, features)
}
