//! Who is believed, and for how long: rotation, theft, the version floor, the ladder of age, local
//! policies, and a loss of subjects.
#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first broken assumption"
)]

use edgegrant::gate::{
    Answer, Ask, Clock, Gate, Offer, Options, Origin, Policies, PolicySource, Reason, bundle,
};
use edgegrant::model::{Entitlement, EntitlementType, Feature, Status, Subject, WhenExpired};
use edgegrant::snapshot;
use edgegrant::trust::{Head, Keyring, SecretKey, read_unverified, sign};
use edgegrant::{Error, Instant};
use edgegrant_testkit::published::{AUDIENCE, Published, Times, publish};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// The features, one for each signed policy.
const CLOSED: &str = "closed";
const LAST_KNOWN: &str = "last-known";
const OPEN: &str = "open";

fn now() -> Instant {
    Instant::parse("2026-03-10T12:00:30Z").unwrap()
}

fn key(epoch: u32, number: u8) -> SecretKey {
    SecretKey::from_seed(epoch, [number; 32])
}

fn options(keys: &[&SecretKey], threshold: usize) -> Options {
    let keys = keys.iter().map(|key| key.trusted_key()).collect();
    Options::new(AUDIENCE.to_owned(), Keyring::new(keys, threshold).unwrap())
}

fn gate_of(keys: &[&SecretKey]) -> Gate {
    Gate::new(options(keys, 1))
}

/// A body of so many subjects, each with a feature of each policy, and one that is suspended.
fn body(subjects: usize) -> Published {
    let feature =
        |key: &str, when_expired| Feature { when_expired: Some(when_expired), ..Feature::new(key) };
    let features = [
        feature(CLOSED, WhenExpired::Closed),
        feature(LAST_KNOWN, WhenExpired::LastKnown),
        feature(OPEN, WhenExpired::Open),
        feature("suspended", WhenExpired::Open),
    ];
    let subject = |number| {
        let boolean = |key: &str| Entitlement::new(key, EntitlementType::Boolean);
        let suspended = Entitlement { status: Status::Suspended, ..boolean("suspended") };
        let entitlements = vec![boolean(CLOSED), boolean(LAST_KNOWN), boolean(OPEN), suspended];
        Subject { entitlements, ..Subject::new(format!("s{number}")) }
    };
    let subjects: Vec<_> = (0..subjects).map(subject).collect();
    publish(&features, &subjects, Times::at(now())).unwrap()
}

/// The same body under another head.
fn signed(body: &Published, keys: &[&SecretKey], change: impl FnOnce(&mut Head)) -> Published {
    let mut head = read_unverified(&body.head).unwrap().head;
    change(&mut head);
    let keys: Vec<_> = keys.iter().map(|key| (*key).clone()).collect();
    Published { head: sign(&head, &keys).unwrap(), ..body.clone() }
}

/// The same body under a version.
fn version(body: &Published, keys: &[&SecretKey], version: u64) -> Published {
    signed(body, keys, |head| head.version = version)
}

fn load(gate: &mut Gate, published: &Published, at: Instant) -> Result<(), Error> {
    match gate.offer(&published.head, Clock::At(at), Origin::Network)? {
        Offer::Unchanged => Ok(()),
        Offer::Body { .. } => gate.accept(published.pack.clone()),
    }
}

fn code(result: Result<(), Error>) -> &'static str {
    result.map_or_else(|error| error.code(), |()| "accepted")
}

fn ask(feature: &str, clock: Clock) -> Ask<'_> {
    Ask { subject: "s0", feature, clock, at: None, amount: None, used: None }
}

fn check(gate: &Gate, feature: &str, at: Instant) -> Answer {
    let answer = gate.check(&ask(feature, Clock::At(at)));
    assert_eq!(gate.has_access(&ask(feature, Clock::At(at))), answer.has_access);
    answer
}

fn reason(gate: &Gate, feature: &str, at: Instant) -> Reason {
    check(gate, feature, at).reason
}

fn serving(gate: &Gate) -> Option<u64> {
    gate.status(Clock::At(now())).map(|status| status.version)
}

/// Offers heads one after the other to a gate, and says how each was taken.
fn taken(gate: &mut Gate, heads: &[&Published]) -> Vec<&'static str> {
    heads.iter().map(|head| code(load(gate, head, now()))).collect()
}

#[test]
fn fault_K23_a_rotation_within_an_epoch_has_no_gap() {
    let (old, new) = (&key(1, 1), &key(1, 2));
    let body = body(3);
    let by = |keys: &[&SecretKey], number| version(&body, keys, number);
    let (first, both, last) = (by(&[old], 1), by(&[old, new], 2), by(&[new], 3));
    let heads = [&first, &both, &last];
    // Before: gates know the old key. During: both. After: the new one.
    assert_eq!(
        taken(&mut gate_of(&[old]), &heads),
        ["accepted", "accepted", "signature-unknown-key"]
    );
    assert_eq!(taken(&mut gate_of(&[old, new]), &heads), ["accepted"; 3]);
    assert_eq!(
        taken(&mut gate_of(&[new]), &heads),
        ["signature-unknown-key", "accepted", "accepted"]
    );
    // Whatever was refused, the gate went on.
    let mut gate = gate_of(&[old]);
    taken(&mut gate, &heads);
    assert_eq!(serving(&gate), Some(2));
    assert_eq!(reason(&gate, CLOSED, now()), Reason::Boolean);
}

#[test]
fn fault_K24_a_rotation_to_a_new_epoch_ends_the_old_one() {
    let (old, new) = (&key(1, 1), &key(2, 2));
    let body = body(3);
    let by = |keys: &[&SecretKey], number| version(&body, keys, number);
    let (first, both, last) = (by(&[old], 11), by(&[old, new], 12), by(&[new], 13));
    let heads = [&first, &both, &last];
    assert_eq!(
        taken(&mut gate_of(&[old]), &heads),
        ["accepted", "accepted", "signature-unknown-key"]
    );
    let mut during = gate_of(&[old, new]);
    assert_eq!(taken(&mut during, &heads), ["accepted"; 3]);
    assert_eq!(
        taken(&mut gate_of(&[new]), &heads),
        ["signature-unknown-key", "accepted", "accepted"]
    );
    // Once a head of the new epoch was seen, the old key alone says nothing any more.
    assert_eq!(taken(&mut during, &[&by(&[old], 99)]), ["head-rollback"]);
    assert_eq!(taken(&mut gate_of(&[new]), &[&by(&[old], 99)]), ["signature-unknown-key"]);
    // And an old head that it signed alone cannot come back with the other's signature taken away.
    assert_eq!(taken(&mut during, &[&first]), ["head-rollback"]);
}

#[test]
fn fault_K25_a_stolen_key_that_took_all_versions_is_answered_with_a_new_epoch() {
    let (stolen, fresh) = (&key(1, 1), &key(2, 2));
    let body = body(3);
    for highest in [1 << 63, u64::MAX] {
        let mut gate = gate_of(&[stolen]);
        load(&mut gate, &version(&body, &[stolen], 1_000), now()).unwrap();
        load(&mut gate, &version(&body, &[stolen], highest), now()).unwrap();
        assert_eq!(serving(&gate), Some(highest));
        assert_eq!(
            code(load(&mut gate, &version(&body, &[stolen], 1_001), now())),
            "head-rollback"
        );
        // The owner publishes under a new epoch with versions as they were, and signs with both for
        // those who have not been told yet: they stay with the thief until they are.
        let good = version(&body, &[stolen, fresh], 1_002);
        assert_eq!(code(load(&mut gate, &good, now())), "head-rollback");
        // A gate that is told takes it, though the thief's head is its floor, and keeps to it.
        let floor = gate.floor().unwrap().to_vec();
        let mut told = gate_of(&[stolen, fresh]);
        told.raise_floor(&floor, Clock::At(now())).unwrap();
        load(&mut told, &good, now()).unwrap();
        let thief = version(&body, &[stolen], u64::MAX);
        assert_eq!(code(load(&mut told, &thief, now())), "head-rollback");
        assert_eq!(serving(&told), Some(1_002));
        // One that trusts the new key alone does not even read what the thief signed.
        let mut moved = gate_of(&[fresh]);
        let refused = moved.raise_floor(&floor, Clock::At(now()));
        assert_eq!(code(refused), "signature-unknown-key");
        load(&mut moved, &good, now()).unwrap();
        assert_eq!(code(load(&mut moved, &thief, now())), "signature-unknown-key");
    }
}

#[test]
fn fault_K15_two_of_three_distinct_keys_also_while_they_rotate() {
    let (a, b, c, d) = (&key(1, 1), &key(1, 2), &key(1, 3), &key(1, 4));
    let body = body(3);
    let by = |keys: &[&SecretKey], number| version(&body, keys, number);
    let mut gate = Gate::new(options(&[a, b, c], 2));
    let heads = [&by(&[a], 1), &by(&[a, a], 2), &by(&[a, d], 3), &by(&[c, a], 4)];
    let threshold = "signature-threshold";
    assert_eq!(taken(&mut gate, &heads), [threshold, threshold, threshold, "accepted"]);
    // d takes the place of a: what b and c sign holds before and after.
    let mut after = Gate::new(options(&[b, c, d], 2));
    let heads = [&by(&[b, c], 5), &by(&[b, d], 6), &by(&[a, b], 7)];
    assert_eq!(taken(&mut gate, &heads), ["accepted", threshold, "accepted"]);
    assert_eq!(taken(&mut after, &heads), ["accepted", "accepted", threshold]);
}

#[test]
fn fault_K27_two_heads_of_one_version_are_one_lie() {
    let signer = &key(1, 1);
    let mut gate = gate_of(&[signer]);
    load(&mut gate, &version(&body(3), &[signer], 5), now()).unwrap();
    let other = version(&body(4), &[signer], 5);
    assert_eq!(code(load(&mut gate, &other, now())), "head-equivocation");
    assert_eq!(code(load(&mut gate, &version(&body(4), &[signer], 6), now())), "accepted");
}

#[test]
fn fault_T01_a_head_holds_until_it_expires_and_not_then() {
    let signer = &key(1, 1);
    let body = body(3);
    for (ahead, expected) in [(-1000, "head-expired"), (0, "head-expired"), (1, "accepted")] {
        let head = signed(&body, &[signer], |head| {
            head.expires_at = now().plus_millis(HOUR + ahead);
            head.dead_at = head.expires_at;
        });
        let at = now().plus_millis(HOUR);
        assert_eq!(code(load(&mut gate_of(&[signer]), &head, at)), expected, "{ahead}");
    }
}

#[test]
fn fault_T02_a_head_may_be_a_day_ahead_and_no_more() {
    let signer = &key(1, 1);
    let head = signed(&body(3), &[signer], |_| {});
    let load_at = |at| code(load(&mut gate_of(&[signer]), &head, at));
    assert_eq!(load_at(now().plus_millis(-DAY)), "accepted");
    assert_eq!(load_at(now().plus_millis(-DAY - 1)), "head-from-future");
}

#[test]
fn fault_T03_without_a_clock_it_is_the_time_of_signing() {
    let signer = &key(1, 1);
    let mut gate = gate_of(&[signer]);
    load(&mut gate, &signed(&body(3), &[signer], |_| {}), now()).unwrap();
    let seconds = now().millis() as f64 / 1000.0;
    for millis in [0.0, -1.0, f64::NAN, f64::INFINITY, seconds, 1e15, 2f64.powi(53)] {
        let clock = Clock::from_millis(millis);
        assert_eq!(clock, Clock::Untrusted, "{millis}");
        let answer = gate.check(&ask(CLOSED, clock));
        assert_eq!((answer.reason, answer.stale), (Reason::Boolean, true));
        assert!(!answer.clock_trusted);
        assert_eq!(answer.age_millis, Some(0));
        // A clock that counts microseconds is no reason to believe an old head either.
        assert_eq!(gate.status(clock).map(|status| status.stale), Some(true));
    }
}

#[test]
fn fault_T04_T05_time_does_not_run_back_behind_a_signature_and_no_clock_is_remembered() {
    let signer = &key(1, 1);
    let body = body(3);
    let mut gate = gate_of(&[signer]);
    load(&mut gate, &signed(&body, &[signer], |_| {}), now()).unwrap();
    // A year ahead and back again: only while it lasts.
    let year = now().plus_millis(365 * DAY);
    assert_eq!(reason(&gate, CLOSED, year), Reason::DeadSnapshot);
    assert_eq!(reason(&gate, CLOSED, now()), Reason::Boolean);
    assert_eq!(check(&gate, CLOSED, now()).age_millis, Some(0));
    // A year back: a verified signature says that it is later than that.
    let later = signed(&body, &[signer], |head| {
        head.version += 1;
        head.issued_at = head.expires_at.plus_millis(-1000);
        head.stale_after = head.issued_at;
    });
    load(&mut gate, &later, now()).unwrap();
    let back = check(&gate, CLOSED, now().plus_millis(-365 * DAY));
    assert_eq!((back.age_millis, back.stale), (Some(0), true));
}

#[test]
fn fault_T06_a_clock_that_stands_still_changes_nothing_until_it_moves() {
    let signer = &key(1, 1);
    let mut gate = gate_of(&[signer]);
    load(&mut gate, &signed(&body(3), &[signer], |_| {}), now()).unwrap();
    let before = check(&gate, CLOSED, now());
    for _ in 0..1000 {
        assert_eq!(check(&gate, CLOSED, now()), before);
    }
    assert!(check(&gate, CLOSED, now().plus_millis(HOUR)).stale);
}

#[test]
fn fault_T08_T09_the_ladder_of_age() {
    let signer = &key(1, 1);
    let mut gate = gate_of(&[signer]);
    load(&mut gate, &signed(&body(3), &[signer], |_| {}), now()).unwrap();
    let at = |millis| now().plus_millis(millis);
    let reasons =
        |millis| [CLOSED, LAST_KNOWN, OPEN, "suspended"].map(|key| reason(&gate, key, at(millis)));
    let (boolean, dead) = (Reason::Boolean, Reason::DeadSnapshot);
    for millis in [0, 119_999, 120_000, DAY - 1] {
        assert_eq!(reasons(millis), [boolean, boolean, boolean, Reason::Suspended], "{millis}");
        assert_eq!(check(&gate, CLOSED, at(millis)).stale, millis >= 120_000);
        assert_eq!(check(&gate, CLOSED, at(millis)).until, Some(at(DAY)));
    }
    let (expired, open) = (Reason::ExpiredSnapshot, Reason::OpenPolicy);
    for millis in [DAY, 7 * DAY - 1] {
        let expected = [expired, Reason::LastKnown, open, Reason::Suspended];
        assert_eq!(reasons(millis), expected, "{millis}");
        assert_eq!(check(&gate, CLOSED, at(millis)).until, Some(at(7 * DAY)));
    }
    for millis in [7 * DAY, 1000 * DAY] {
        assert_eq!(reasons(millis), [dead; 4], "{millis}");
        assert_eq!(check(&gate, CLOSED, at(millis)).until, None);
    }
    // Nobody who is not entitled gets in, whatever the policy.
    let stranger = Ask { subject: "nobody", ..ask(OPEN, Clock::At(at(DAY))) };
    assert_eq!(gate.check(&stranger).reason, Reason::UnknownSubject);
}

#[test]
fn fault_T12_T13_a_floor_that_was_kept_refuses_what_is_older() {
    let signer = &key(1, 1);
    let body = body(3);
    let (old, new) = (version(&body, &[signer], 10), version(&body, &[signer], 20));
    let mut gate = gate_of(&[signer]);
    assert_eq!(gate.floor(), None);
    load(&mut gate, &new, now()).unwrap();
    assert_eq!(code(load(&mut gate, &old, now())), "head-rollback");
    let floor = gate.floor().unwrap().to_vec();
    assert_eq!(floor, new.head);
    // A gate that starts anew with it, and one that starts without.
    let mut kept = gate_of(&[signer]);
    kept.raise_floor(&floor, Clock::At(now())).unwrap();
    assert_eq!(serving(&kept), None);
    assert_eq!(code(load(&mut kept, &old, now())), "head-rollback");
    assert_eq!(code(load(&mut kept, &new, now())), "accepted");
    assert_eq!(code(load(&mut gate_of(&[signer]), &old, now())), "accepted");
    // A lower floor changes nothing, and nobody but the key holder can make a higher one.
    kept.raise_floor(&old.head, Clock::At(now())).unwrap();
    assert_eq!(kept.floor(), Some(new.head.as_slice()));
    for forged in [&b""[..], b"\xff", &version(&body, &[&key(1, 9)], u64::MAX).head] {
        assert!(kept.raise_floor(forged, Clock::At(now())).is_err());
    }
    let mut changed = floor;
    changed[40] ^= 1;
    assert!(kept.raise_floor(&changed, Clock::At(now())).is_err());
    assert_eq!(kept.floor(), Some(new.head.as_slice()));
    // What says that it is not yet signed would make the gate believe that it is later than it is.
    let future = signed(&body, &[signer], |head| {
        head.version = 30;
        head.issued_at = now().plus_millis(DAY + 1);
        (head.stale_after, head.expires_at) = (head.issued_at, head.issued_at);
    });
    assert_eq!(code(kept.raise_floor(&future.head, Clock::At(now()))), "head-from-future");
}

#[test]
fn a_store_brings_back_what_has_expired_and_nothing_below_the_floor() {
    let signer = &key(1, 1);
    let body = body(3);
    let (old, new) = (version(&body, &[signer], 10), version(&body, &[signer], 20));
    let file = |published: &Published| bundle(&published.head, &published.pack);
    let late = Clock::At(now().plus_millis(2 * DAY));
    let mut gate = gate_of(&[signer]);
    gate.restore(file(&old), late).unwrap();
    assert_eq!(gate.status(late).map(|status| status.source), Some(Origin::Store));
    let answer = gate.check(&ask(LAST_KNOWN, late));
    assert_eq!((answer.reason, answer.source), (Reason::LastKnown, Some(Origin::Store)));
    // From the network it would not have been taken.
    let from_network = gate_of(&[signer]).offer(&old.head, late, Origin::Network);
    assert_eq!(from_network.unwrap_err().code(), "head-expired");
    // The floor is a later head of the same body: it counts.
    let mut renewed = gate_of(&[signer]);
    renewed.raise_floor(&new.head, late).unwrap();
    renewed.restore(file(&old), late).unwrap();
    assert_eq!(serving(&renewed), Some(20));
    // It is a later head of another body: the store fell behind.
    let other = signed(&self::body(4), &[signer], |head| head.version = 30);
    let mut behind = gate_of(&[signer]);
    behind.raise_floor(&other.head, late).unwrap();
    assert_eq!(code(behind.restore(file(&old), late)), "head-rollback");
    assert_eq!(serving(&behind), None);
    // Tampered with, cut, or something else.
    let mut bytes = file(&new);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let mut tampered = gate_of(&[signer]);
    tampered.restore(bytes, late).unwrap();
    let asked = tampered.check(&ask(LAST_KNOWN, late));
    assert_eq!((asked.reason, tampered.is_damaged()), (Reason::PageInvalid, true));
    for garbage in [Vec::new(), b"EGB1".to_vec(), vec![0; 4096], file(&new)[..100].to_vec()] {
        assert!(gate_of(&[signer]).restore(garbage, late).is_err());
    }
}

#[test]
fn fault_B24_a_sudden_loss_of_subjects_is_refused_unless_it_is_meant() {
    let signer = &key(1, 1);
    let by = |subjects, number, shrunk| {
        signed(&body(subjects), &[signer], |head| {
            (head.version, head.shrunk_at_version) = (number, shrunk);
        })
    };
    let mut gate = gate_of(&[signer]);
    load(&mut gate, &by(10, 10, 10), now()).unwrap();
    for lost in [0, 4] {
        assert_eq!(code(load(&mut gate, &by(lost, 20, 0), now())), "snapshot-shrunk", "{lost}");
        // Meant once, long ago.
        assert_eq!(code(load(&mut gate, &by(lost, 20, 10), now())), "snapshot-shrunk", "{lost}");
        assert_eq!(serving(&gate), Some(10));
    }
    assert_eq!(code(load(&mut gate, &by(5, 20, 0), now())), "accepted");
    // Meant at a version between: a gate that missed it takes it too.
    assert_eq!(code(load(&mut gate, &by(0, 40, 30), now())), "accepted");
    assert_eq!(code(load(&mut gate, &by(10, 50, 30), now())), "accepted");
    // A first snapshot may be as small as it is, and so may the first of a new epoch.
    assert_eq!(code(load(&mut gate_of(&[signer]), &by(0, 1, 0), now())), "accepted");
    let (stolen, fresh) = (&key(1, 1), &key(2, 2));
    let mut gate = gate_of(&[stolen, fresh]);
    load(&mut gate, &version(&body(100), &[stolen], u64::MAX), now()).unwrap();
    assert_eq!(code(load(&mut gate, &version(&body(3), &[fresh], 1), now())), "accepted");
}

/// The reasons of the three features after expiry under policies of the integrator's own.
fn expired_under(policies: Policies) -> [(Reason, PolicySource); 3] {
    let signer = &key(1, 1);
    let mut gate = Gate::new(Options { policies, ..options(&[signer], 1) });
    load(&mut gate, &signed(&body(3), &[signer], |_| {}), now()).unwrap();
    [CLOSED, LAST_KNOWN, OPEN].map(|key| {
        let fresh = check(&gate, key, now());
        let expired = check(&gate, key, now().plus_millis(DAY));
        assert_eq!(fresh.reason, Reason::Boolean, "fresh answers are as signed");
        assert_eq!(fresh.policy_source, expired.policy_source, "it is told before it matters");
        assert_eq!(reason(&gate, key, now().plus_millis(7 * DAY)), Reason::DeadSnapshot);
        (expired.reason, expired.policy_source)
    })
}

#[test]
fn fault_A10_local_policies_tighten_loosen_only_by_name_and_are_told() {
    use PolicySource::{Local, Signed};
    let all = |policy, loosen: bool| {
        let mut policies = Policies::default();
        for key in [CLOSED, LAST_KNOWN, OPEN] {
            let stated = if loosen {
                policies.dangerously_loosen(key, policy)
            } else {
                policies.tighten(key, policy)
            };
            stated.unwrap();
        }
        expired_under(policies)
    };
    let (closed, last, open) = (Reason::ExpiredSnapshot, Reason::LastKnown, Reason::OpenPolicy);
    let as_signed = [(closed, Signed), (last, Signed), (open, Signed)];
    assert_eq!(expired_under(Policies::default()), as_signed);
    let tight = snapshot::WhenExpired::Closed;
    assert_eq!(all(tight, false), [(closed, Signed), (closed, Local), (closed, Local)]);
    assert_eq!(all(tight, true), as_signed);
    let middle = snapshot::WhenExpired::LastKnown;
    assert_eq!(all(middle, false), [(closed, Signed), (last, Signed), (last, Local)]);
    assert_eq!(all(middle, true), [(last, Local), (last, Signed), (open, Signed)]);
    let loose = snapshot::WhenExpired::Open;
    assert_eq!(all(loose, false), as_signed);
    assert_eq!(all(loose, true), [(open, Local), (open, Local), (open, Signed)]);
}

#[test]
fn open_before_the_first_snapshot_is_local_and_ends_with_it() {
    let signer = &key(1, 1);
    let open = Options { dangerously_open_without_snapshot: true, ..options(&[signer], 1) };
    let mut gate = Gate::new(open);
    let early = check(&gate, CLOSED, now());
    assert_eq!((early.reason, early.policy_source), (Reason::OpenPolicy, PolicySource::Local));
    load(&mut gate, &signed(&body(3), &[signer], |_| {}), now()).unwrap();
    assert_eq!(check(&gate, CLOSED, now()).policy_source, PolicySource::Signed);
    let stranger = Ask { subject: "nobody", ..ask(OPEN, Clock::At(now())) };
    assert_eq!(gate.check(&stranger).reason, Reason::UnknownSubject);
}
