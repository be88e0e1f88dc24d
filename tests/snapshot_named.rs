//! Parts one by one: what names them, what they name, and a body that is read through page by page.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use edgegrant::snapshot::{
    Body, Catalogue, Counts, Digest, Encoded, Offered, Roots, Stream, SubjectRecord, Tree, admit,
    encode, is_page,
};
use snapshot_support::{
    Own, bulky_subjects, features, planned, planned_subjects, settings, usage_as_of,
};

fn encoded() -> Encoded {
    let encoded = encode(&settings(), &features(12), bulky_subjects(2_500)).unwrap();
    assert!(encoded.page_bits > 8, "two levels of nodes");
    encoded
}

fn part<'a>(encoded: &'a Encoded, name: &Digest) -> &'a [u8] {
    &encoded.parts().find(|part| part.digest == *name).unwrap().bytes
}

#[test]
fn every_part_is_reached_from_the_roots() {
    let encoded = encoded();
    let catalogue = &encoded.catalogue;
    let read = Catalogue::named(&catalogue.digest, &catalogue.bytes).unwrap();
    let tree = Tree::of(&read);
    let mut reached = vec![catalogue.digest];
    let mut names = vec![encoded.roots.root];
    for level in 0..tree.levels() {
        let children = |name: &Digest| tree.children(level, name, part(&encoded, name)).unwrap();
        let below = names.iter().flat_map(children).collect();
        reached.append(&mut names);
        names = below;
    }
    assert!(names.iter().all(|page| is_page(page, part(&encoded, page))));
    reached.append(&mut names);
    let all: Vec<Digest> = encoded.parts().map(|part| part.digest).collect();
    assert_eq!(reached, all, "the catalogue, nodes from the root downwards, pages");
}

#[test]
fn bytes_that_are_not_what_their_name_says_are_refused() {
    let encoded = encoded();
    let read = Catalogue::named(&encoded.catalogue.digest, &encoded.catalogue.bytes).unwrap();
    let tree = Tree::of(&read);
    let (root, lowest, page) =
        (&encoded.nodes[0], encoded.nodes.last().unwrap(), &encoded.pages[0]);
    let code = |result: Result<Vec<Digest>, edgegrant::Error>| result.unwrap_err().code();
    assert_eq!(code(tree.children(0, &root.digest, &lowest.bytes)), "snapshot-digest");
    assert_eq!(code(tree.children(0, &lowest.digest, &lowest.bytes)), "snapshot-digest");
    // The digests one level above have the same root, and are half as many.
    let above: Vec<u8> = lowest
        .bytes
        .chunks(64)
        .flat_map(|pair| {
            use sha2::{Digest as _, Sha512_256};
            Sha512_256::digest([&[1], pair].concat())
        })
        .collect();
    assert_eq!(code(tree.children(1, &lowest.digest, &above)), "snapshot-digest");
    let other = Catalogue::named(&root.digest, &encoded.catalogue.bytes);
    assert_eq!(other.err().unwrap().code(), "snapshot-digest");
    assert!(!is_page(&page.digest, &encoded.pages[1].bytes));
    assert!(!is_page(&page.digest, &[]));
    for text in ["", "ab", &"g".repeat(64), &"A".repeat(64), &"a".repeat(65)] {
        assert_eq!(Digest::parse(text), None, "{text}");
    }
}

/// A body of which only the catalogue is resident.
fn opened(encoded: &Encoded, roots: &Roots) -> Body {
    let mut offered = Offered::new(roots, usage_as_of(), false, None).unwrap();
    offered.supply(roots.catalogue, &encoded.catalogue.bytes, None).unwrap();
    offered.give_up();
    offered.finish().unwrap()
}

#[test]
fn a_body_is_looked_through_page_by_page() {
    let encoded = encoded();
    let mut body = opened(&encoded, &encoded.roots);
    let (mut counts, mut ids) = (Counts::default(), Vec::new());
    let mut resident = 0;
    for page in 0..body.pages() {
        while let Some(name) = body.page_needs(page).unwrap() {
            body.keep_for_page(page, part(&encoded, &name)).unwrap();
        }
        let bytes = &encoded.pages[page as usize];
        assert_eq!(body.page_name(page).unwrap(), bytes.digest);
        assert_eq!(body.page_length(page).unwrap(), bytes.bytes.len());
        counts += body.verify_page(page).unwrap();
        ids.extend(body.subjects_in(page).unwrap().map(|subject| subject.id().to_owned()));
        resident = resident.max(body.resident_bytes());
        body.drop_page(page);
    }
    body.verify_counts(counts).unwrap();
    assert_eq!(body.verify_counts(Counts::default()).unwrap_err().code(), "snapshot-counts");
    let whole = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    let all = whole.subjects().map(|subject| subject.unwrap().id().to_owned());
    assert_eq!(ids, all.collect::<Vec<_>>());
    assert!(resident < encoded.pack().len() / 4, "{resident}");
}

#[test]
fn a_body_that_fits_into_no_file_is_read_in_parts_alone() {
    let encoded = encode(&settings(), &features(12), planned_subjects(40, Own::Usage)).unwrap();
    let roots = Roots { pack_length: 1 << 32, ..encoded.roots };
    assert!(encoded.roots.has_pack() && !roots.has_pack());
    assert_eq!(Stream::pack(&roots).err().unwrap().code(), "snapshot-without-pack");
    let whole = Body::open(encoded.pack(), &roots, usage_as_of());
    assert_eq!(whole.err().unwrap().code(), "snapshot-without-pack");
    let mut body = opened(&encoded, &roots);
    let id = planned(7, Own::Usage).id;
    while let Some(name) = body.needs(&id).unwrap() {
        body.keep(&id, name, part(&encoded, &name), usize::MAX).unwrap();
    }
    assert_eq!(body.subject(&id).unwrap().unwrap().id(), id);
}

#[test]
fn what_is_admitted_is_what_can_be_encoded() {
    let declared = features(12);
    let known = |key: &str| declared.iter().find(|feature| feature.key == key);
    // Configs of one subject that come ever closer to the limit, and pass it.
    let of = |bytes: usize| {
        let mut subject = planned(1, Own::Usage);
        let template = subject.entitlements[0].clone();
        subject.entitlements = declared[..5]
            .iter()
            .map(|feature| {
                let mut given = template.clone();
                given.feature.clone_from(&feature.key);
                given.grant_ids = (0..given.grant_ids.len()).map(|n| format!("g{n}")).collect();
                given.config = Some("x".repeat(bytes));
                given
            })
            .collect();
        subject
    };
    let (mut admitted, mut refused) = (0, 0);
    for bytes in (52_000..52_600).step_by(20).chain([1, 65_536, 65_537]) {
        let subject = of(bytes);
        let result = admit(&subject, known);
        let encodes = encode(&settings(), &declared, vec![subject]);
        match result {
            Ok(()) => {
                admitted += 1;
                assert!(encodes.is_ok(), "{bytes}");
            }
            Err(refusal) => {
                refused += 1;
                // A few bytes too early, because the head's own instants are not known yet.
                let code = encodes.err().map(|error| error.code());
                assert!(code.is_none_or(|code| code == refusal.error.code()), "{bytes}: {code:?}");
            }
        }
    }
    assert!(admitted > 5 && refused > 5, "{admitted} {refused}");
    let long = admit(&of(65_537), known).unwrap_err();
    assert_eq!((long.entitlement, long.error.code()), (Some(0), "config-length"));
    let nobody = SubjectRecord { id: String::new(), aliases: Vec::new(), entitlements: Vec::new() };
    assert_eq!(admit(&nobody, known).unwrap_err().error.code(), "subject-id-length");
}
