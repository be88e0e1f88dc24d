//! Where the bytes of a snapshot go.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod snapshot_support;

use std::collections::BTreeMap;

use edgegrant::snapshot::{Body, PagePart, SubjectRecord, encode};
use snapshot_support::random::Random;
use snapshot_support::{Own, encode_planned, features, settings, usage_as_of};

/// What every part takes over all pages, each of which is told to its last byte.
fn parts(body: &Body) -> BTreeMap<PagePart, usize> {
    let mut parts = BTreeMap::new();
    for page in 0..body.pages() {
        let mut length = 0;
        let told = |part, bytes| {
            *parts.entry(part).or_default() += bytes;
            length += bytes;
        };
        body.page_parts(page, told).unwrap();
        assert_eq!(length, body.page_length(page).unwrap());
    }
    parts
}

/// What a text takes behind its length, which is a varint.
fn text(id: &str) -> usize {
    id.len() + if id.len() < 128 { 1 } else { 2 }
}

#[test]
fn parts_sum_up_to_the_pack_whatever_is_in_it() {
    for seed in 0..12 {
        let random = &mut Random(seed);
        let features = features(1 + random.below(12) as usize);
        let count = random.below(400) as usize;
        let subjects: Vec<_> = (0..count).map(|n| random.subject(n, &features)).collect();
        let encoded = encode(&settings(), &features, subjects.clone()).unwrap();
        let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
        let parts = parts(&body);
        let (_, nodes) = body.node_sizes();
        let around =
            8 + body.catalogue().bytes().len() + nodes as usize + 4 * body.pages() as usize;
        assert_eq!(around + parts.values().sum::<usize>(), encoded.pack().len(), "seed {seed}");
        assert_eq!(encoded.pack().len() as u64, encoded.roots.pack_length);
        let of = |part| parts.get(&part).copied().unwrap_or_default();
        assert_eq!(
            of(PagePart::Ids),
            subjects.iter().map(|s| text(&s.id)).sum::<usize>(),
            "seed {seed}"
        );
        // Its id, the byte that says that it is none of a subject, and the subject's id.
        let alias = |s: &SubjectRecord| -> usize {
            s.aliases.iter().map(|alias| text(alias) + 1 + s.id.len()).sum()
        };
        assert_eq!(of(PagePart::Aliases), subjects.iter().map(alias).sum::<usize>(), "seed {seed}");
        assert_eq!(of(PagePart::Digest), 32 * body.pages() as usize);
    }
}

#[test]
fn ids_of_grants_are_told_apart_from_differences() {
    for (own, ids) in [(Own::Usage, 0), (Own::Anchors, 500 * 3 * 16)] {
        let encoded = encode_planned(500, own);
        let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
        let parts = parts(&body);
        let of = |part| parts.get(&part).copied().unwrap_or_default();
        assert_eq!(of(PagePart::GrantIds), ids);
        assert!(of(PagePart::Marks) >= 500 && of(PagePart::Differences) > of(PagePart::Marks));
        // Plans of less than 127 take a byte, and ten entitlements two.
        assert_eq!(of(PagePart::PlanNumbers), 500 * 3);
    }
}
