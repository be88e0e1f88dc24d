//! A gate over a slice: it answers as the gate that cut it, and refuses what it cannot prove.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]
#![allow(non_snake_case, reason = "faults are named by their ids")]

mod snapshot_support;

use edgegrant::engine::WindowSize;
use edgegrant::gate::{
    Ask, Clock, Gate, Origin, PolicySource, Reason, SliceGate, bundle, unbundle,
};
use edgegrant::snapshot::{Body, Encoded, WhenExpired, cut, encode};
use edgegrant::time::Instant;
use edgegrant::trust::{Head, sign};
use snapshot_support::paged::Paged;
use snapshot_support::random::Random;
use snapshot_support::signed::{
    HOUR, ask, asked_for, gate, gate_signed_by, head, key, open, options,
};
use snapshot_support::{
    Own, bulky_subjects, encode_planned, features, planned_subjects, settings, usage_as_of,
};

const SUBJECT: &str = "customer-000007";

fn now() -> Instant {
    usage_as_of().plus_millis(61_000)
}

fn planned() -> Encoded {
    encode_planned(30, Own::Anchors)
}

fn slice_of(version: u64) -> Vec<u8> {
    gate(&planned(), version).slice(SUBJECT).unwrap()
}

fn refusal(slice: &[u8], subject: &str) -> &'static str {
    open(slice, subject).unwrap_err().code()
}

/// Where the head ends, whose length stands in two bytes.
fn head_end(slice: &[u8]) -> usize {
    6 + (usize::from(slice[4] & 0x7f) | usize::from(slice[5]) << 7)
}

/// What a slice answers, beside where it has the answer from.
fn assert_same(gate: &Gate, slice: &SliceGate, ask: &Ask<'_>) {
    let whole = gate.explain(ask);
    let mut part = slice.explain(ask);
    assert_eq!(part.answer.source, Some(Origin::Bytes));
    part.answer.source = whole.answer.source;
    assert_eq!(part, whole);
    let source = part.answer.source;
    assert_eq!(edgegrant::gate::Answer { source, ..slice.check(ask) }, gate.check(ask));
    assert_eq!(slice.has_access(ask), gate.has_access(ask));
}

#[test]
fn a_slice_answers_as_the_gate_that_cut_it() {
    let random = &mut Random(7);
    let all = features(12);
    let mut subjects = planned_subjects(20, Own::Anchors);
    subjects.extend((0..60).map(|number| random.subject(number, &all)));
    let ids: Vec<String> = subjects.iter().map(|subject| subject.id.clone()).collect();
    let encoded = encode(&settings(), &all, subjects).unwrap();
    let gate = gate(&encoded, 1);
    let clocks = [0, 1, 48, 24 * 7, 24 * 400].map(|hours| now().plus_millis(hours * HOUR));
    let mut asked = 0;
    for id in &ids {
        let slice = open(&gate.slice(id).unwrap(), id).unwrap();
        let mut keys = gate.features(id).unwrap();
        keys.sort();
        assert_eq!(slice.features(), keys);
        for (feature, clock) in keys.iter().flat_map(|key| clocks.map(|clock| (key, clock))) {
            let plain = ask(id, feature, clock);
            assert_same(&gate, &slice, &plain);
            let at = now().plus_millis(random.below(1 << 32) as i64);
            assert_same(&gate, &slice, &asked_for(plain, at, random.below(1000) as u32));
            asked += 2;
        }
        let other = slice.check(&ask(id, "feature_12", now()));
        assert_eq!((other.reason, other.has_access), (Reason::NotEntitled, false));
    }
    assert!(asked > 1_000, "{asked}");
}

#[test]
fn a_slice_tells_the_history_that_the_gate_tells_which_cut_it() {
    let gate = gate(&planned(), 1);
    let slice = open(&gate.slice(SUBJECT).unwrap(), SUBJECT).unwrap();
    let mut told = 0;
    for feature in gate.features(SUBJECT).unwrap() {
        for to in [None, Some(now().plus_millis(40 * 24 * HOUR))] {
            let ask = ask(SUBJECT, &feature, now());
            let whole = gate.history(&ask, usage_as_of(), to, WindowSize::Hour);
            assert_eq!(slice.history(&ask, usage_as_of(), to, WindowSize::Hour), whole);
            told += usize::from(whole.is_ok_and(|told| !told.history.windows.is_empty()));
        }
    }
    assert_eq!(told, 6, "three of the features are metered by usage");
    let lacking = ask(SUBJECT, "feature_12", now());
    let refused = slice.history(&lacking, usage_as_of(), None, WindowSize::Day).unwrap_err();
    assert_eq!(refused.code(), "not-entitled");
}

#[test]
fn an_alias_leads_to_the_slice_of_its_subject() {
    let mut subjects = planned_subjects(30, Own::Usage);
    subjects[7].aliases.push("ops@acme.test".to_owned());
    let gate = gate(&encode(&settings(), &features(10), subjects).unwrap(), 1);
    let slice = gate.slice("ops@acme.test").unwrap();
    assert_eq!(slice, gate.slice(SUBJECT).unwrap());
    open(&slice, SUBJECT).unwrap();
    assert_eq!(refusal(&slice, "ops@acme.test"), "slice-subject");
}

#[test]
fn there_is_no_slice_of_nobody() {
    let empty = Gate::new(options(&[key(1)], 1));
    assert_eq!(empty.slice(SUBJECT).unwrap_err().code(), "no-snapshot");
    let error = gate(&planned(), 1).slice("customer-000030").unwrap_err();
    assert_eq!(error.code(), "unknown-subject");
    assert!(!error.message().contains("customer"));
}

/// A gate that holds only what it is asked for cuts what it holds, without another page.
#[test]
fn a_paged_gate_cuts_the_same_slice_once_the_page_is_there() {
    let encoded = encode(&settings(), &features(11), bulky_subjects(2_500)).unwrap();
    assert!(encoded.page_bits > 8, "two levels of nodes");
    let mut paged = Paged::new(&encoded, 1 << 20);
    assert_eq!(paged.gate.slice(SUBJECT).unwrap_err().code(), "not-resident");
    let fetched = paged.reside(SUBJECT);
    assert!((1..=3).contains(&fetched), "{fetched}");
    let slice = paged.gate.slice(SUBJECT).unwrap();
    assert!(slice == gate(&encoded, 1).slice(SUBJECT).unwrap());
    open(&slice, SUBJECT).unwrap();
}

#[test]
fn the_subject_is_named_by_whoever_opens() {
    let slice = slice_of(1);
    assert_eq!(refusal(&slice, "customer-000008"), "slice-subject");
    assert_eq!(refusal(&slice, ""), "slice-subject");
    let opened = open(&slice, SUBJECT).unwrap();
    assert_eq!(opened.subject(), SUBJECT);
    // Asked about somebody else, it knows nobody.
    let other = opened.check(&ask("customer-000008", "feature_0", now()));
    assert_eq!((other.reason, other.has_access), (Reason::UnknownSubject, false));
}

#[test]
fn a_tampered_slice_is_refused_wherever_it_was_touched() {
    let slice = slice_of(1);
    let head = 6..head_end(&slice);
    for at in 0..slice.len() {
        let mut changed = slice.clone();
        changed[at] ^= 1;
        let code = refusal(&changed, SUBJECT);
        let by_signature = code.starts_with("signature-") || code.starts_with("head-");
        let by_path = ["snapshot-digest", "slice-malformed"].contains(&code);
        assert!(if head.contains(&at) { by_signature } else { by_path || by_signature }, "{at}");
    }
    let whole = open(&slice, SUBJECT).unwrap();
    assert!(whole.has_access(&ask(SUBJECT, "feature_0", now())));
}

#[test]
fn the_path_of_another_snapshot_is_refused() {
    let (old, new) = (slice_of(1), slice_of(2));
    let mut grown = planned_subjects(30, Own::Anchors);
    grown.pop();
    let other = gate(&encode(&settings(), &features(10), grown).unwrap(), 2);
    let other = other.slice(SUBJECT).unwrap();
    let mixed = [&other[..head_end(&other)], &old[head_end(&old)..]].concat();
    assert_eq!(refusal(&mixed, SUBJECT), "snapshot-digest");
    // The same body under a renewed head is the same slice with that head.
    let renewed = [&new[..head_end(&new)], &old[head_end(&old)..]].concat();
    assert_eq!(renewed, new);
}

#[test]
fn only_trusted_keys_and_the_audience_open_a_slice() {
    let encoded = planned();
    let slice = slice_of(1);
    let opened = |keys: &[_], threshold| {
        SliceGate::open(options(keys, threshold), SUBJECT.to_owned(), &slice, 0)
    };
    assert_eq!(opened(&[key(2)], 1).unwrap_err().code(), "signature-unknown-key");
    assert_eq!(opened(&[key(1), key(2)], 2).unwrap_err().code(), "signature-threshold");
    opened(&[key(1), key(2)], 1).unwrap();
    let other = Head { audience: "acme/staging".to_owned(), ..head(&encoded, 1) };
    let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    let subject = body.subject(SUBJECT).unwrap().unwrap();
    let slice = cut(&body, &subject, &sign(&other, &[key(1)]).unwrap()).unwrap();
    assert_eq!(refusal(&slice, SUBJECT), "head-audience");
}

#[test]
fn a_newer_slice_takes_over_and_an_older_one_never() {
    let mut opened = open(&slice_of(5), SUBJECT).unwrap();
    let version = |opened: &SliceGate| opened.status(Clock::At(now())).version;
    opened.replace(&slice_of(6), 0).unwrap();
    assert_eq!(version(&opened), 6);
    opened.replace(&slice_of(6), 6).unwrap();
    let refused = |opened: &mut SliceGate, slice: &[u8], min| {
        let code = opened.replace(slice, min).unwrap_err().code();
        assert_eq!(version(opened), 6, "what was there answers on");
        assert!(opened.has_access(&ask(SUBJECT, "feature_0", now())));
        code
    };
    assert_eq!(refused(&mut opened, &slice_of(5), 0), "head-rollback");
    assert_eq!(refused(&mut opened, &slice_of(7), 8), "version-not-reached");
    let other = gate(&planned(), 7).slice("customer-000008").unwrap();
    assert_eq!(refused(&mut opened, &other, 0), "slice-subject");
    let contradiction = gate(&encode_planned(31, Own::Anchors), 6).slice(SUBJECT).unwrap();
    assert_eq!(refused(&mut opened, &contradiction, 0), "head-equivocation");
    let code = SliceGate::open(options(&[key(1)], 1), SUBJECT.to_owned(), &slice_of(5), 6);
    assert_eq!(code.unwrap_err().code(), "version-not-reached");
}

/// Time does not run back behind what answers, and does not run ahead of it either.
#[test]
fn a_slice_that_is_refused_does_not_move_the_time() {
    let mut opened = open(&slice_of(5), SUBJECT).unwrap();
    let age = |opened: &SliceGate| opened.status(Clock::Untrusted).age_millis;
    let newer = slice_of(9);
    let other = gate(&planned(), 9).slice("customer-000008").unwrap();
    let elsewhere = gate(&encode_planned(31, Own::Anchors), 9).slice(SUBJECT).unwrap();
    let mixed = [&newer[..head_end(&newer)], &elsewhere[head_end(&elsewhere)..]].concat();
    let cases = [
        (&newer, 10, "version-not-reached"),
        (&other, 0, "slice-subject"),
        (&mixed, 0, "snapshot-digest"),
    ];
    for (slice, min_version, code) in cases {
        assert_eq!(opened.replace(slice, min_version).unwrap_err().code(), code);
        assert_eq!(age(&opened), 0, "{code}");
    }
    opened.replace(&newer, 9).unwrap();
    let earlier = opened.status(Clock::At(now())).age_millis;
    assert_eq!((age(&opened), earlier), (0, 0), "its own time holds against an earlier clock");
}

#[test]
fn a_new_epoch_takes_over_whatever_its_version() {
    let keys = [key(1), key(2)];
    let encoded = planned();
    let stolen = Head { version: 1 << 63, ..head(&encoded, 1) };
    let stolen = gate_signed_by(&encoded, &stolen, &keys[..1]).slice(SUBJECT).unwrap();
    let mended = gate_signed_by(&encoded, &head(&encoded, 2), &keys[1..]).slice(SUBJECT).unwrap();
    let mut opened = SliceGate::open(options(&keys, 1), SUBJECT.to_owned(), &stolen, 0).unwrap();
    opened.replace(&mended, 0).unwrap();
    assert_eq!(opened.replace(&stolen, 0).unwrap_err().code(), "head-rollback");
    let status = opened.status(Clock::At(now()));
    assert_eq!((status.epoch, status.version, status.subjects), (2, 2, None));
}

#[test]
fn fault_T02_a_head_from_the_future_is_never_refused_in_a_slice() {
    let opened = open(&slice_of(1), SUBJECT).unwrap();
    let year = 365 * 24 * HOUR;
    for clock in [Clock::At(now().plus_millis(-year)), Clock::Untrusted] {
        let answer = opened.check(&Ask { clock, ..ask(SUBJECT, "feature_6", now()) });
        assert!(answer.has_access);
        assert_eq!(answer.age_millis, Some(0), "the time is that of signing");
        assert_eq!(answer.clock_trusted, clock != Clock::Untrusted);
        assert_eq!(answer.stale, clock == Clock::Untrusted);
    }
}

#[test]
fn an_old_slice_opens_and_answers_by_policy_until_it_is_dead() {
    let opened = open(&slice_of(1), SUBJECT).unwrap();
    // Features follow the policies last-known, closed and open in turn, all of them boolean here.
    let reasons = |hours| {
        ["feature_6", "feature_7", "feature_8"].map(|feature| {
            let answer = opened.check(&ask(SUBJECT, feature, now().plus_millis(hours * HOUR)));
            assert_eq!(answer.stale, hours > 0);
            answer.reason.as_str()
        })
    };
    assert_eq!(reasons(0), ["boolean"; 3]);
    assert_eq!(reasons(1), ["boolean"; 3]);
    assert_eq!(reasons(25), ["last-known", "expired-snapshot", "open-policy"]);
    assert_eq!(reasons(24 * 7 + 1), ["dead-snapshot"; 3]);
    // Whoever opened it may be stricter than what was signed.
    let mut strict = open(&slice_of(1), SUBJECT).unwrap();
    strict.policies().tighten("feature_6", WhenExpired::Closed).unwrap();
    let answer = strict.check(&ask(SUBJECT, "feature_6", now().plus_millis(25 * HOUR)));
    assert_eq!(answer.reason, Reason::ExpiredSnapshot);
    assert_eq!(answer.policy_source, PolicySource::Local);
    // A clock that is set back afterwards finds the slice as it was: only signatures hold time.
    assert_eq!(reasons(0), ["boolean"; 3]);
}

#[test]
fn fault_K14_each_kind_of_message_is_taken_only_for_what_it_is() {
    let encoded = planned();
    let slice = slice_of(1);
    let signed = sign(&head(&encoded, 1), &[key(1)]).unwrap();
    let page = encoded.pages[0].bytes.clone();
    for other in [signed.clone(), page, encoded.catalogue.bytes.clone(), Vec::new()] {
        assert_eq!(refusal(&other, SUBJECT), "slice-malformed");
    }
    let mut gate = Gate::new(options(&[key(1)], 1));
    let offered = gate.offer(&slice, Clock::At(now()), Origin::Bytes);
    assert_eq!(offered.unwrap_err().code(), "head-malformed");
    gate.offer(&signed, Clock::At(now()), Origin::Bytes).unwrap();
    assert_eq!(gate.accept(slice.clone()).unwrap_err().code(), "snapshot-length");
    assert_eq!(unbundle(slice).unwrap_err().code(), "snapshot-is-slice");
}

#[test]
fn fault_A11_a_whole_snapshot_is_refused_where_a_slice_is_opened() {
    let encoded = planned();
    let signed = sign(&head(&encoded, 1), &[key(1)]).unwrap();
    let pack = encoded.pack();
    for whole in [bundle(&signed, &pack), pack] {
        assert_eq!(refusal(&whole, SUBJECT), "slice-is-snapshot");
        let mut opened = open(&slice_of(1), SUBJECT).unwrap();
        assert_eq!(opened.replace(&whole, 0).unwrap_err().code(), "slice-is-snapshot");
    }
}
