//! What gates are spared that come from an earlier body.

use edgegrant::snapshot::{Body, Offered, Stream};
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

    let freed = origin.gc(&now(11));
    assert!(freed.deltas > 0);
    let left = names(&origin.folder().deltas());
    assert!(left.iter().all(|name| name.ends_with(&to)));
    assert_eq!(left.len(), from.len());
}
