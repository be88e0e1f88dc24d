//! What is left of a gate brings it back, and nothing else does.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first broken assumption"
)]

use edgegrant::gate::{Ask, Clock, Gate, Offer, Options, Origin, Reason};
use edgegrant::model::{Entitlement, EntitlementType, Feature, Subject, WhenExpired};
use edgegrant::trust::Keyring;
use edgegrant::{Error, Instant};
use edgegrant_testkit::published::{AUDIENCE, Published, Times, key, publish};

const DAY: i64 = 86_400_000;

fn now() -> Instant {
    Instant::parse("2026-03-10T12:00:30Z").unwrap()
}

fn new_gate() -> Gate {
    let keyring = Keyring::new(vec![key().trusted_key()], 1).unwrap();
    Gate::new(Options::new(AUDIENCE.to_owned(), keyring))
}

/// A snapshot of several pages, in which the subjects from `from` on have one feature more.
fn published(from: usize, at: Instant) -> Published {
    let policies = [
        ("sso", WhenExpired::LastKnown),
        ("strict", WhenExpired::Closed),
        ("lenient", WhenExpired::Open),
    ];
    let features = policies.map(|(key, when_expired)| Feature {
        when_expired: Some(when_expired),
        ..Feature::new(key)
    });
    let subject = |number| {
        let keys = if number < from { &["sso", "strict"][..] } else { &["sso", "lenient"] };
        Subject {
            aliases: vec![format!("alias-of-s{number}")],
            entitlements: keys
                .iter()
                .map(|key| Entitlement::new(*key, EntitlementType::Boolean))
                .collect(),
            ..Subject::new(format!("s{number}"))
        }
    };
    let subjects: Vec<_> = (0..1000).map(subject).collect();
    publish(&features, &subjects, Times::at(at)).unwrap()
}

fn load(gate: &mut Gate, published: &Published, at: Instant) -> Result<(), Error> {
    match gate.offer(&published.head, Clock::At(at), Origin::Network)? {
        Offer::Unchanged => Ok(()),
        Offer::Body { .. } => gate.accept(published.pack.clone()),
    }
}

fn reason(gate: &Gate, subject: &str, feature: &str) -> Reason {
    let clock = Clock::At(now());
    gate.check(&Ask { subject, feature, clock, at: None, amount: None, used: None }).reason
}

fn pack_of(gate: &Gate) -> Option<Vec<u8>> {
    let pack = gate.remains()?.pack()?;
    Some(pack.iter().collect::<Vec<_>>().concat())
}

#[test]
fn a_whole_gate_gives_back_the_pack_it_took_also_after_a_refresh() {
    let mut gate = new_gate();
    assert!(gate.remains().is_none());
    let first = published(500, now());
    load(&mut gate, &first, now()).unwrap();
    assert_eq!(pack_of(&gate), Some(first.pack.clone()));
    let later = now().plus_millis(1);
    let second = published(499, later);
    assert_ne!(second.pack, first.pack);
    load(&mut gate, &second, later).unwrap();
    assert_eq!(pack_of(&gate), Some(second.pack.clone()));
    let bundle = gate.remains().unwrap().bundle().unwrap();
    let mut restored = new_gate();
    restored.restore(bundle, Clock::At(later)).unwrap();
    assert_eq!(restored.floor(), gate.floor());
    assert_eq!(reason(&restored, "s499", "lenient"), Reason::Boolean);
    assert_eq!(reason(&restored, "alias-of-s498", "strict"), Reason::Boolean);
}

#[test]
fn fault_c01_what_remains_of_a_gate_is_verified_again_and_may_have_expired() {
    let published = published(500, now());
    let mut gate = new_gate();
    load(&mut gate, &published, now()).unwrap();
    let remains = gate.remains().unwrap();
    let (head, pack) = (remains.head.to_vec(), pack_of(&gate).unwrap());
    // It expired while it served; from the network it would not come back.
    let late = Clock::At(now().plus_millis(2 * DAY));
    let mut fresh = new_gate();
    assert_eq!(fresh.offer(&head, late, Origin::Network).unwrap_err().code(), "head-expired");
    assert!(matches!(fresh.resume(&head, remains.origin), Ok(Offer::Body { .. })));
    fresh.accept(&pack).unwrap();
    assert_eq!(fresh.status(late), gate.status(late));
    assert_eq!(reason(&fresh, "s1", "sso"), Reason::Boolean);
    // What the dying instance wrote over is not believed.
    let mut changed = head.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let refused = new_gate().resume(&changed, Origin::Network).unwrap_err();
    assert_eq!(refused.code(), "signature-invalid");
    let mut torn = pack;
    let last = torn.len() - 1;
    torn[last] ^= 1;
    let mut wounded = new_gate();
    wounded.resume(&head, Origin::Network).unwrap();
    wounded.accept(&torn).unwrap();
    let reasons: Vec<_> = (0..1000).map(|n| reason(&wounded, &format!("s{n}"), "sso")).collect();
    assert!(reasons.contains(&Reason::PageInvalid) && reasons.contains(&Reason::Boolean));
    assert!(wounded.is_damaged());
}

#[test]
fn a_gate_that_is_distrusted_answers_by_policy() {
    let mut gate = new_gate();
    load(&mut gate, &published(500, now()), now()).unwrap();
    let reasons = |gate: &Gate| {
        [("s1", "sso"), ("s1", "strict"), ("s999", "lenient"), ("s1", "lenient")]
            .map(|(subject, feature)| reason(gate, subject, feature))
    };
    let as_usual = [Reason::Boolean, Reason::Boolean, Reason::Boolean, Reason::NotEntitled];
    assert_eq!(reasons(&gate), as_usual);
    gate.distrust(true);
    let by_policy =
        [Reason::LastKnown, Reason::ExpiredSnapshot, Reason::OpenPolicy, Reason::NotEntitled];
    assert_eq!(reasons(&gate), by_policy);
    gate.distrust(false);
    assert_eq!(reasons(&gate), as_usual);
}

#[test]
fn of_a_paged_gate_head_and_catalogue_remain() {
    let published = published(500, now());
    let mut gate = new_gate();
    gate.hold_pages(1 << 20);
    gate.offer(&published.head, Clock::At(now()), Origin::Network).unwrap();
    let catalogue = published.parts.catalogue.clone();
    gate.supply(catalogue.digest, &catalogue.bytes).unwrap();
    assert_eq!(gate.swap(), Ok(true));
    let remains = gate.remains().unwrap();
    assert!(remains.pack().is_none() && remains.spans().is_none() && remains.bundle().is_none());
    assert_eq!(remains.catalogue, catalogue.bytes);
}
