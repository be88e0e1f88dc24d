//! Rows B of docs/FAULTS.md: bytes that are no snapshot, and snapshots that are signed and make no
//! sense. What stands here is behind digests that are right; tests/snapshot_damage.rs has what was
//! changed on its way.

#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests are named by the ids of faults, and a failed unwrap is a failed test"
)]

mod snapshot_support;

use edgegrant::snapshot::{Body, encode};
use snapshot_support::assemble::{Parts, catalogue, place, text};
use snapshot_support::crafted::{
    BOOLEAN, FEATURE, alias, declared, grant, metered, open, open_page, refused, subject,
    with_shape,
};
use snapshot_support::independent::pack;
use snapshot_support::{SEED, features, settings, usage_as_of};

/// Where the ends of the items stand in a page of one feature and one record.
const ENDS: usize = 67 + 8 + 2;

fn good() -> Vec<u8> {
    with_shape(BOOLEAN, &[&subject(b"acme")]).page(&SEED, 0, 0)
}

fn changed(change: impl FnOnce(&mut Vec<u8>)) -> &'static str {
    let mut page = good();
    change(&mut page);
    open_page(&declared(), page).err().unwrap().code()
}

/// The code with which a catalogue is refused above a page that nobody looks at.
fn catalogue_refused(catalogue: &[u8]) -> &'static str {
    let (pack, roots) = pack(catalogue, &[Parts::default().page(&SEED, 0, 0)]);
    Body::open(pack, &roots, usage_as_of()).err().unwrap().code()
}

#[test]
fn what_is_changed_here_is_good_before() {
    let body = open_page(&declared(), good()).unwrap();
    let found = body.subject("acme").unwrap().unwrap();
    assert_eq!(found.entries().count(), 1);
    let shape = metered(&[&grant(5)]);
    let body = open(with_shape(&shape, &[&subject(b"acme")])).unwrap();
    assert_eq!(body.subjects().count(), 1);
}

#[test]
fn fault_B06_parts_of_a_later_format_are_refused() {
    for other in [0, 2] {
        assert_eq!(changed(|page| page[35] = other), "snapshot-format");
        let mut later = declared();
        later[3] = other;
        assert_eq!(catalogue_refused(&later), "snapshot-format");
    }
}

#[test]
fn fault_B09_ends_outside_of_their_part() {
    let end = |item: usize, value: [u8; 3]| {
        changed(|page| page[ENDS + 3 * item..][..3].copy_from_slice(&value))
    };
    for item in 0..3 {
        assert_eq!(end(item, [0xff; 3]), "snapshot-bounds", "beyond the page");
    }
    assert_eq!(end(1, [0; 3]), "snapshot-bounds", "before its start");
    for value in [1_u32, 8, 10, u32::MAX] {
        let item = [&[0], text(FEATURE).as_slice()].concat();
        let wrong = catalogue(&SEED, 0, &[(place(&SEED, FEATURE), value)], &item);
        assert!(["snapshot-bounds", "snapshot-text"].contains(&catalogue_refused(&wrong)));
    }
    // The ends of pages in a pack are not signed; what they lead to has another digest.
    let (pack, roots) = pack(&declared(), &[good()]);
    let at = 8 + declared().len();
    let length = good().len() as u32;
    for end in [0, 1, length / 2, length - 1, length + 1, u32::MAX] {
        let mut pack = pack.clone();
        pack[at..at + 4].copy_from_slice(&end.to_le_bytes());
        let body = Body::open(pack, &roots, usage_as_of());
        assert!(body.and_then(|body| body.subject("acme").map(drop)).is_err(), "{end}");
    }
}

#[test]
fn fault_B10_items_that_overlap_or_lead_in_circles() {
    let acme = subject(b"acme");
    assert_eq!(changed(|page| page.copy_within(ENDS + 3..ENDS + 6, ENDS)), "snapshot-bounds");
    // A shape with a config that is not there, a plan with a shape that is not there, a record with
    // a plan that is not there.
    assert_eq!(refused(with_shape(&[1, 0], &[&acme])), "snapshot-bounds");
    let plan = Parts { plans: vec![&[0, 0, 1, 0]], ..with_shape(BOOLEAN, &[&acme]) };
    assert_eq!(refused(plan), "snapshot-bounds");
    let record = [text(b"acme").as_slice(), &[2, 0]].concat();
    assert_eq!(refused(with_shape(BOOLEAN, &[&record])), "snapshot-bounds");
    // Aliases of themselves and of each other lead nowhere, at once.
    let aliases = [alias(b"a", b"a"), alias(b"b", b"c"), alias(b"c", b"b")];
    let body = open(with_shape(BOOLEAN, &[&aliases[0], &aliases[1], &aliases[2]])).unwrap();
    for id in ["a", "b", "c"] {
        assert!(body.subject(id).unwrap().is_none());
    }
}

#[test]
fn fault_B11_counts_beyond_the_bytes() {
    for count in 0..5 {
        let code = changed(|page| page[57 + 2 * count..][..2].fill(0xff));
        assert_eq!(code, "snapshot-bounds", "count {count}");
    }
    let mut many = declared();
    let counts = many[64..68].to_vec();
    assert_eq!(counts, 1_u32.to_le_bytes());
    many[64..68].fill(0xff);
    assert_eq!(catalogue_refused(&many), "snapshot-bounds");
    // As many pages as there can be, above one.
    assert_eq!(catalogue_refused(&catalogue(&SEED, 24, &[], &[])), "snapshot-bounds");
    assert_eq!(catalogue_refused(&catalogue(&SEED, 25, &[], &[])), "snapshot-limit");
    let shape = [&metered(&[])[..11], &[0xff, 0x1f]].concat();
    assert_eq!(refused(with_shape(&shape, &[&subject(b"acme")])), "snapshot-value", "4095 grants");
    let stretches = [&metered(&[])[..8], &[0x80, 0x80, 1]].concat();
    assert_eq!(refused(with_shape(&stretches, &[&subject(b"acme")])), "snapshot-value");
}

#[test]
fn fault_B12_places_where_nobody_looks() {
    let slot = 67 + 8;
    assert_eq!(changed(|page| page[slot] ^= 1), "snapshot-misplaced");
    // Slots that do not ascend, as in a full table without an empty place.
    let ids: Vec<Vec<u8>> = (0..40).map(|n| subject(format!("s{n}").as_bytes())).collect();
    let records: Vec<&[u8]> = ids.iter().map(Vec::as_slice).collect();
    let page = with_shape(BOOLEAN, &records).page(&SEED, 0, 0);
    open_page(&declared(), page.clone()).unwrap();
    for value in [0, 0xff] {
        let mut page = page.clone();
        page[slot..slot + 80].fill(value);
        assert_eq!(open_page(&declared(), page).err().unwrap().code(), "snapshot-misplaced");
    }
}

#[test]
fn fault_B13_one_large_value_that_all_refer_to() {
    // 5 entitlements with one config of 40 kB, for 100 subjects: 20 MB from a page of 50 kB.
    let config = [b"\"".as_slice(), &[b'x'; 40_000], b"\""].concat();
    let keys: Vec<String> = (0..5).map(|n| format!("feature_{n}")).collect();
    let mut rows: Vec<(u64, &String)> =
        keys.iter().map(|key| (place(&SEED, key.as_bytes()), key)).collect();
    rows.sort_unstable();
    let item = |key: &str| [&[0], text(key.as_bytes()).as_slice()].concat();
    let items: Vec<u8> = rows.iter().flat_map(|(_, key)| item(key)).collect();
    let ends: Vec<(u64, u32)> = (1..).zip(&rows).map(|(n, row)| (row.0, 11 * n)).collect();
    let catalogue = catalogue(&SEED, 0, &ends, &items);
    let plan: Vec<u8> = (0..5).flat_map(|feature| [feature, 0, 0, 0]).collect();
    let open = |subjects: usize| {
        let ids: Vec<Vec<u8>> =
            (0..subjects).map(|n| subject(format!("s{n}").as_bytes())).collect();
        let parts = Parts {
            features: rows.iter().map(|row| row.0).collect(),
            configs: vec![&config],
            shapes: vec![&[1, 0]],
            plans: vec![&plan],
            records: ids.iter().map(Vec::as_slice).collect(),
        };
        open_page(&catalogue, parts.page(&SEED, 0, 0))
    };
    assert!(open(50).is_ok());
    assert_eq!(open(100).err().unwrap().code(), "snapshot-limit");
}

#[test]
fn fault_B15_order_and_duplicates() {
    let item = [&[0], text(FEATURE).as_slice()].concat();
    let twice = [(place(&SEED, FEATURE), 9), (place(&SEED, FEATURE), 18)];
    let items = [item.as_slice(), &item].concat();
    assert_eq!(catalogue_refused(&catalogue(&SEED, 0, &twice, &items)), "snapshot-order");
    let mut other = [(place(&SEED, b"other"), b"other".as_slice()), (twice[0].0, FEATURE)];
    other.sort_unstable();
    other.reverse();
    let items = other.map(|(_, key)| [&[0], text(key).as_slice()].concat());
    let ends = [items[0].len() as u32, (items[0].len() + items[1].len()) as u32];
    let rows = [(other[0].0, ends[0]), (other[1].0, ends[1])];
    assert_eq!(catalogue_refused(&catalogue(&SEED, 0, &rows, &items.concat())), "snapshot-order");
    let acme = subject(b"acme");
    let plan = Parts { plans: vec![&[0, 0, 0, 0, 0, 0, 0, 0]], ..with_shape(BOOLEAN, &[&acme]) };
    assert_eq!(refused(plan), "snapshot-order", "a feature twice in a plan");
}

#[test]
fn fault_B16_texts() {
    let named = |id: &[u8]| refused(with_shape(BOOLEAN, &[&subject(id)]));
    for id in [b"\xff".as_slice(), b"\xc0\x80", b"\xed\xa0\x80", b"a\x80", b""] {
        assert_eq!(named(id), "snapshot-text", "{id:?}");
    }
    // Longer than an id may be.
    assert!(["snapshot-bounds", "snapshot-text"].contains(&named(&[b'x'; 257])));
    let target = |target: &[u8]| refused(with_shape(BOOLEAN, &[&alias(b"a", target)]));
    assert_eq!(target(b""), "snapshot-text");
    assert_eq!(target(b"\xff"), "snapshot-text");
    let key = |key: &[u8]| {
        let item = [&[0], text(key).as_slice()].concat();
        let rows = [(place(&SEED, key), item.len() as u32)];
        catalogue_refused(&catalogue(&SEED, 0, &rows, &item))
    };
    for text in [b"\xff".as_slice(), b"", &[b'x'; 129]] {
        assert_eq!(key(text), "snapshot-text");
    }
    // NUL is data.
    let [whole, cut] = [subject(b"a\0b"), subject(b"a")];
    let body = open(with_shape(BOOLEAN, &[&whole, &cut])).unwrap();
    assert_eq!(body.subject("a\0b").unwrap().unwrap().id(), "a\0b");
    assert_eq!(body.subject("a").unwrap().unwrap().id(), "a");
}

#[test]
fn fault_B17_ids_are_compared_byte_for_byte() {
    let composed = "caf\u{e9}";
    let decomposed = "cafe\u{301}";
    let [one, other] = [subject(composed.as_bytes()), alias(decomposed.as_bytes(), b"nobody")];
    let body = open(with_shape(BOOLEAN, &[&one, &other])).unwrap();
    assert!(body.subject(composed).unwrap().is_some());
    for id in [decomposed, "CAF\u{c9}", "Caf\u{e9}", "caf\u{e9} "] {
        assert!(body.subject(id).unwrap().is_none(), "{id}");
    }
}

#[test]
fn fault_B18_nothing_has_to_be_aligned() {
    for length in 1..=9 {
        let id = "x".repeat(length);
        let body = open(with_shape(BOOLEAN, &[&subject(id.as_bytes()), &subject(b"acme")]));
        assert!(body.unwrap().subject("acme").unwrap().is_some());
        let key = "k".repeat(length);
        let item = [&[0], text(key.as_bytes()).as_slice()].concat();
        let rows = [(place(&SEED, key.as_bytes()), item.len() as u32)];
        let page = Parts::default().page(&SEED, 0, 0);
        let body = open_page(&catalogue(&SEED, 0, &rows, &item), page).unwrap();
        assert!(body.catalogue().feature(&key).is_some());
    }
}

#[test]
fn fault_B19_numbers_without_a_meaning() {
    let acme = subject(b"acme");
    // A fourth rule, unknown flags, marks for a field that is not there, a fifth kind of usage.
    for shape in [&[0, 3][..], &[0, 64], &[0, 0x80, 1], &[0]] {
        assert_eq!(refused(with_shape(shape, &[&acme])), "snapshot-value", "{shape:?}");
    }
    let reserved = |at: usize, value: u8| {
        let mut shape = metered(&[&grant(5)]);
        shape[at] = value;
        refused(with_shape(&shape, &[&acme]))
    };
    // The rule, the usage with `changesAt` but no steady state, the stretch, the grant.
    for (at, value) in [(1, 0x42), (2, 34 | 128), (9, 4), (12, 0x60), (12, 0x7f)] {
        assert_eq!(reserved(at, value), "snapshot-value", "{at}");
    }
    let marked = [text(b"acme").as_slice(), &[1, 2]].concat();
    assert_eq!(refused(with_shape(BOOLEAN, &[&marked])), "snapshot-value", "an unused bit");
    let mut policy = declared();
    policy[80] = 3;
    assert_eq!(catalogue_refused(&policy), "snapshot-value");
    for reserved in 37..40 {
        let mut catalogue = declared();
        catalogue[reserved] = 1;
        assert_eq!(catalogue_refused(&catalogue), "snapshot-bounds");
    }
}

#[test]
fn fault_B22_fields_that_are_not_there() {
    let acme = subject(b"acme");
    let whole = metered(&[&grant(5)]);
    for length in 1..whole.len() {
        let shape = &whole[..length];
        assert_eq!(refused(with_shape(shape, &[&acme])), "snapshot-value", "{length} bytes");
    }
    let none = Parts { shapes: Vec::new(), ..with_shape(BOOLEAN, &[&acme]) };
    assert_eq!(refused(none), "snapshot-bounds", "no shape");
    let undeclared = Parts { features: vec![5], ..with_shape(BOOLEAN, &[&acme]) };
    assert_eq!(refused(undeclared), "feature-undeclared");
    let mut none = whole.clone();
    none[8] = 0;
    assert_eq!(refused(with_shape(&none, &[&acme])), "snapshot-value", "no stretch");
    // A config that is there and empty.
    let empty = Parts { configs: vec![&[]], ..with_shape(&[1, 1], &[&acme]) };
    assert_eq!(refused(empty), "snapshot-text");
}

#[test]
fn fault_B23_rows_twice() {
    let acme = subject(b"acme");
    assert_eq!(refused(with_shape(BOOLEAN, &[&acme, &acme])), "snapshot-order");
    let led = alias(b"acme", b"other");
    assert_eq!(refused(with_shape(BOOLEAN, &[&acme, &led])), "snapshot-order");
    let features = features(1);
    let record = || edgegrant::snapshot::SubjectRecord {
        id: "acme".to_owned(),
        aliases: Vec::new(),
        entitlements: Vec::new(),
    };
    let twice = encode(&settings(), &features, vec![record(), record()]);
    assert_eq!(twice.unwrap_err().code(), "subject-id-duplicate");
    let twice = encode(&settings(), &[features[0].clone(), features[0].clone()], Vec::new());
    assert_eq!(twice.unwrap_err().code(), "feature-duplicate");
}

#[test]
fn fault_B27_amounts_out_of_range() {
    let acme = subject(b"acme");
    let with_amount = |code: &[u8]| {
        let grant = [&[0, 1, 0], code, &[0, 0]].concat();
        open(with_shape(&metered(&[&grant]), &[&acme])).err().map(|error| error.code())
    };
    // 2^53 - 1 units are the most; beyond them and below nothing there is no grant.
    let units = |units: u128| {
        let mut code = units * 8;
        let mut bytes = Vec::new();
        while code >= 0x80 {
            bytes.push(code as u8 | 0x80);
            code >>= 7;
        }
        bytes.push(code as u8);
        bytes
    };
    assert_eq!(with_amount(&units((1 << 53) - 1)), None);
    for much in [1 << 53, (1 << 53) + 1, u128::from(u64::MAX), 1 << 97] {
        assert_eq!(with_amount(&units(much)), Some("snapshot-value"), "{much}");
    }
    assert_eq!(with_amount(&[4]), Some("snapshot-value"), "-1");
    assert_eq!(with_amount(&[0xff; 16]), Some("snapshot-value"), "no varint");
    // A balance below nothing, told as a difference from the amount.
    let negative = [0, 1, 0, 8, 0, 12];
    assert_eq!(refused(with_shape(&metered(&[&negative]), &[&acme])), "snapshot-value");
}

#[test]
fn fault_B29_times_that_cannot_be() {
    let acme = subject(b"acme");
    let shape = |bytes: &[u8]| open(with_shape(bytes, &[&acme])).err().map(|error| error.code());
    // activeFrom, then activeTo as a difference: a minute later, the same, a minute earlier.
    for (difference, refusal) in [(4, None), (0, None), (2, Some("snapshot-value"))] {
        assert_eq!(shape(&[0, 24, 0, difference]), refusal, "{difference}");
    }
    // The years 1, 1601 and 9999, and what is beyond.
    let time = |millis: i64| {
        let mut code = ((millis << 1) ^ (millis >> 63)) as u64;
        let mut low = (code & 0x3f) as u8;
        low = low << 1 | 1;
        code >>= 6;
        let mut bytes = vec![low];
        while code > 0 {
            if let Some(last) = bytes.last_mut() {
                *last |= 0x80;
            }
            bytes.push((code & 0x7f) as u8);
            code >>= 7;
        }
        [&[0, 8], bytes.as_slice()].concat()
    };
    let limits = [edgegrant::Instant::MIN.millis(), edgegrant::Instant::MAX.millis()];
    for millis in [limits[0], limits[1], -11_644_473_600_000, 0, 1] {
        assert_eq!(shape(&time(millis)), None, "{millis}");
    }
    for millis in [limits[0] - 1, limits[1] + 1, i64::MAX >> 1, i64::MIN >> 1] {
        assert_eq!(shape(&time(millis)), Some("snapshot-value"), "{millis}");
    }
    // A grant that expires before it is effective.
    let expired = [1, 1, 0, 8, 0, 2, 0];
    assert_eq!(refused(with_shape(&metered(&[&expired]), &[&acme])), "snapshot-value");
    // A grid of an hour, and those that are shorter or fall beside whole minutes: a history of them
    // would have no end.
    let grid = |millis: &[u8]| {
        let front = [0, 2, 34, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0];
        shape(&[front.as_slice(), millis, &[0, 0]].concat())
    };
    assert_eq!(grid(&[0x80, 0xdd, 0xdb, 0x01]), None);
    for millis in [&[0x01][..], &[0x80, 0xdd, 0x5b], &[0x81, 0xdd, 0xdb, 0x01]] {
        assert_eq!(grid(millis), Some("snapshot-value"), "{millis:?}");
    }
}
