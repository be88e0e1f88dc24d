//! What gates are spared that come from an earlier body.

use edgegrant::snapshot::{Body, Digest, Offered, Stream, is_page};
use edgegrant::trust::VerifiedHead;
use edgegrant_origin::folder;

use crate::kit::{Origin, bulky, names};

/// The facts with the configs of some customers changed.
fn with(changed: usize) -> String {
    let config = |number: usize| format!("{number:01500}");
    let change = |facts: String, number: usize| facts.replace(&config(number), &config(9000));
    (0..changed).fold(bulky(64), change)
}

fn now(minute: usize) -> String {
    format!("2026-11-20T12:{minute:02}:10Z")
}

/// The body of a later head, from an earlier body and nothing but the delta between them.
fn refreshed(origin: &Origin, from: &Body, to: &VerifiedHead) -> Body {
    let roots = folder::roots(to.head());
    let delta = std::fs::read(origin.folder().delta(from.roots(), &roots)).unwrap();
    let usage_as_of = to.head().usage_as_of;
    let mut offered = Offered::new(&roots, usage_as_of, true, Some(from)).unwrap();
    let mut stream = Stream::delta(&roots);
    offered.feed(&mut stream, &delta, Some(from)).unwrap();
    stream.finish().unwrap();
    offered.finish().unwrap()
}

#[test]
fn a_delta_is_all_that_a_refresh_needs() {
    let origin = Origin::new(&with(0));
    let mut bodies = Vec::new();
    for changed in 0..11 {
        origin.write(&with(changed));
        origin.publish(&now(changed)).unwrap();
        bodies.push(origin.body());
    }
    // Neither the head alone nor the same facts again make another body.
    origin.publish(&now(11)).unwrap();
    let head = origin.head();
    let to = folder::roots(head.head()).pack_name();
    let deltas = names(&origin.folder().deltas());
    let from: Vec<_> = deltas.iter().filter(|name| name.ends_with(&to)).collect();
    let last = bodies.iter().rev().skip(1).take(8);
    let known = last.clone().filter(|body| {
        from.contains(&&edgegrant::snapshot::delta_name(body.roots(), &folder::roots(head.head())))
    });
    assert_eq!(known.count(), from.len(), "none leads from further back");
    assert!(!from.is_empty());
    for body in last.take(from.len()) {
        let new = refreshed(&origin, body, &head);
        new.verify().unwrap();
        assert_eq!(new.subjects().count(), 64);
    }
    // Each spares a quarter of the pack.
    for name in &from {
        let length = std::fs::metadata(origin.folder().deltas().join(name)).unwrap().len();
        assert!(length * 4 < 3 * head.head().pack_length, "{length}");
    }

    // One config changed since the last of them, and it is one that the page had.
    let before = bodies.iter().rev().nth(1).unwrap();
    let last = origin.folder().delta(before.roots(), &folder::roots(head.head()));
    let length = std::fs::metadata(last).unwrap().len();
    assert!(length < 1_000, "{length}");

    let freed = origin.gc(&now(11));
    assert!(freed.deltas > 0);
    let left = names(&origin.folder().deltas());
    assert!(left.iter().all(|name| name.ends_with(&to)));
    assert_eq!(left.len(), from.len());
}

#[test]
fn what_an_earlier_body_had_and_nobody_kept_is_told_as_a_whole() {
    let origin = Origin::new(&with(0));
    origin.publish(&now(0)).unwrap();
    let body = origin.body();
    let parts = origin.folder().parts();
    for name in names(&parts) {
        let path = parts.join(&name);
        if is_page(&Digest::parse(&name).unwrap(), &std::fs::read(&path).unwrap()) {
            std::fs::remove_file(path).unwrap();
        }
    }
    origin.write(&with(2));
    origin.publish(&now(1)).unwrap();
    let new = refreshed(&origin, &body, &origin.head());
    new.verify().unwrap();
    let delta = origin.folder().delta(body.roots(), new.roots());
    assert!(std::fs::metadata(delta).unwrap().len() > 4_000, "two pages at least");
}

#[test]
fn a_body_that_comes_back_comes_in_a_delta_too() {
    let origin = Origin::new(&with(0));
    origin.publish(&now(0)).unwrap();
    let (first, head) = (origin.body(), origin.head());
    origin.write(&with(1));
    origin.publish(&now(1)).unwrap();
    let second = origin.body();
    origin.write(&with(0));
    let published = origin.publish(&now(2)).unwrap();
    assert_eq!(published.new_parts, 0);
    assert_eq!(folder::roots(origin.head().head()), folder::roots(head.head()));
    let again = refreshed(&origin, &second, &origin.head());
    assert_eq!(again.roots(), first.roots());
    again.verify().unwrap();
}
