//! Lists of a gate: pages of them joined are what a naive filter over all subjects gives.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use edgegrant::Amount;
use edgegrant::engine::program::Rule;
use edgegrant::gate::{
    Answer, Clock, Ending, Filter, FoundEntitlement, Gate, Listed, Listing, Options, Reason,
};
use edgegrant::snapshot::{Body, Encoded, EntitlementRecord, SubjectRecord, encode};
use edgegrant::time::Instant;
use snapshot_support::paged::Paged;
use snapshot_support::random::Random;
use snapshot_support::signed::{HOUR, ask, gate, head, key, open, options};
use snapshot_support::{
    Own, bulky_subjects, encode_planned, features, planned_subjects, settings, usage_as_of,
};

fn now() -> Instant {
    usage_as_of().plus_millis(61_000)
}

fn listing(at: Instant, limit: usize) -> Listing<'static> {
    Listing { clock: Clock::At(now()), at: Some(at), limit, after: None }
}

fn code<T>(refused: Result<T, edgegrant::Error>) -> &'static str {
    refused.err().map_or("", |error| error.code())
}

/// All parts of a list, joined.
fn all<T>(mut part: impl FnMut(Option<&str>) -> Listed<T>, limit: usize) -> Vec<T> {
    let mut items = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let listed = part(next.as_deref());
        assert!(listed.items.len() <= limit);
        items.extend(listed.items);
        next = listed.next;
        if next.is_none() {
            return items;
        }
    }
}

fn found(gate: &Gate, filter: &Filter, listing: Listing<'_>) -> Vec<FoundEntitlement> {
    all(|after| gate.find(filter, &Listing { after, ..listing }).unwrap(), listing.limit)
}

/// Subjects with plans, and subjects with anything.
fn subjects(random: &mut Random) -> Vec<SubjectRecord> {
    let all = features(12);
    let mut subjects = planned_subjects(40, Own::Anchors);
    subjects[3].aliases.push("third@acme.test".to_owned());
    subjects.extend((0..160).map(|number| random.subject(number, &all)));
    // A random state between boundaries contradicts its program.
    let entitlements = subjects.iter_mut().flat_map(|subject| &mut subject.entitlements);
    entitlements.skip(400).for_each(|entitlement| entitlement.steady = None);
    subjects
}

/// The facts, and the ids in the order of the body.
struct World {
    gate: Gate,
    subjects: Vec<SubjectRecord>,
    order: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let subjects = subjects(&mut Random(seed));
        let encoded = encode(&settings(), &features(12), subjects.clone()).unwrap();
        Self { gate: gate(&encoded, 1), order: order(&encoded), subjects }
    }

    fn subject(&self, id: &str) -> &SubjectRecord {
        self.subjects.iter().find(|subject| subject.id == id).unwrap()
    }

    /// What fits, found by looking at everything.
    fn naive(&self, filter: &Filter, at: Instant) -> Vec<(String, String, Answer)> {
        let mut fitting = Vec::new();
        for subject in self.order.iter().map(|id| self.subject(id)) {
            for feature in self.gate.features(&subject.id).unwrap() {
                let having = |given: &&EntitlementRecord| given.feature == feature;
                let record = subject.entitlements.iter().find(having).unwrap();
                let ask =
                    edgegrant::gate::Ask { at: Some(at), ..ask(&subject.id, &feature, now()) };
                let answer = self.gate.check(&ask);
                if fits(filter, subject, record, &answer, at) {
                    fitting.push((subject.id.clone(), feature, answer));
                }
            }
        }
        fitting
    }

    /// Some names of what there is, and one of what there is not.
    fn filter(&self, random: &mut Random) -> Filter {
        let mut names = |count: u64, name: &dyn Fn(&mut Random) -> String| {
            let list = random.chance(40).then(|| (0..random.below(count)).map(|_| name(random)));
            list.map(|names| names.collect::<Vec<_>>())
        };
        let any = |random: &mut Random| &self.subjects[random.below(200) as usize];
        let subjects = names(60, &|random| {
            let subject = any(random);
            let alias = subject.aliases.first().filter(|_| random.chance(50));
            alias.unwrap_or(&subject.id).clone()
        });
        let features = names(8, &|random| format!("feature_{}", random.below(14)));
        let grants = names(90, &|random| {
            let entitlements = &any(random).entitlements;
            let ids: Vec<_> = entitlements.iter().flat_map(|given| &given.grant_ids).collect();
            ids.get(random.below(9) as usize).map_or("none".to_owned(), |id| (*id).clone())
        });
        let access = random.chance(40).then(|| random.chance(50));
        let ending_by = random.chance(30).then(|| now().plus_millis(random.below(1 << 36) as i64));
        Filter { subjects, features, grants, access, over: random.chance(20), ending_by }
    }
}

fn order(encoded: &Encoded) -> Vec<String> {
    let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    body.subjects().map(|subject| subject.unwrap().id().to_owned()).collect()
}

fn fits(
    filter: &Filter,
    subject: &SubjectRecord,
    record: &EntitlementRecord,
    answer: &Answer,
    at: Instant,
) -> bool {
    let any = |names: &Option<Vec<String>>, has: &dyn Fn(&String) -> bool| {
        names.as_ref().is_none_or(|names| names.iter().any(has))
    };
    any(&filter.subjects, &|name| *name == subject.id || subject.aliases.contains(name))
        && any(&filter.features, &|name| *name == record.feature)
        && any(&filter.grants, &|name| record.grant_ids.contains(name))
        && filter.access.is_none_or(|access| access == answer.has_access)
        && (!filter.over || answer.overage.is_some_and(|over| over > Amount::ZERO))
        && filter.ending_by.is_none_or(|by| !ends(record, at, by).is_empty())
}

fn ends(record: &EntitlementRecord, after: Instant, by: Instant) -> Vec<Ending> {
    let mut ends = Vec::new();
    let program = &record.program;
    if let Some(at) = program.active_to
        && program.active_from.is_none_or(|from| from < at)
    {
        ends.push(Ending { at, grant: None });
    }
    if let Rule::Metered(metered) = &program.rule {
        for (grant, id) in metered.grants.iter().zip(&record.grant_ids) {
            let stops = [grant.expires_at, grant.voided_at, grant.deleted_at];
            if let Some(at) = stops.into_iter().flatten().min()
                && at > grant.effective_at
            {
                ends.push(Ending { at, grant: Some((id.clone(), grant.amount)) });
            }
        }
    }
    ends.retain(|end| end.at > after && end.at <= by);
    ends
}

#[test]
fn pages_joined_are_what_a_naive_filter_gives() {
    let random = &mut Random(11);
    let (mut listed, mut parts) = (0, 0);
    for seed in 0..4 {
        let world = World::new(seed);
        for _ in 0..120 {
            let filter = world.filter(random);
            let at = now().plus_millis(random.below(1 << 33) as i64);
            let most = if random.chance(50) { 5 } else { 1000 };
            let limit = 1 + random.below(most) as usize;
            let found = found(&world.gate, &filter, listing(at, limit));
            for item in &found {
                let entitlements = &world.subject(&item.subject).entitlements;
                let record = entitlements.iter().find(|e| e.feature == item.feature).unwrap();
                let by = filter.ending_by.unwrap_or(Instant::MIN);
                assert_eq!(item.ends, ends(record, at, by));
                let grace = record.program.grace_until.filter(|grace| *grace > at);
                assert_eq!(item.grace_until, grace);
            }
            let found: Vec<_> = found
                .into_iter()
                .map(|found| (found.subject, found.feature, found.answer))
                .collect();
            assert_eq!(found, world.naive(&filter, at), "{filter:?}");
            listed += found.len();
            parts += found.len() / limit;
        }
    }
    assert!(listed > 10_000 && parts > 1_000, "{listed} in {parts}");
}

#[test]
fn a_slice_lists_of_its_subject_what_the_gate_lists() {
    let random = &mut Random(17);
    let mut listed = 0;
    let world = World::new(5);
    for _ in 0..200 {
        let id = &world.subjects[random.below(200) as usize].id;
        let slice = open(&world.gate.slice(id).unwrap(), id).unwrap();
        let filter = Filter { subjects: Some(vec![id.clone()]), ..world.filter(random) };
        let listing = listing(now().plus_millis(random.below(1 << 33) as i64), 1000);
        let name = |found: &FoundEntitlement| found.feature.clone();
        let mut expected = world.gate.find(&filter, &listing).unwrap().items;
        expected.sort_by_key(name);
        let mut found = slice.find(&filter, &listing).unwrap();
        found.sort_by_key(name);
        let without_origin = |mut found: FoundEntitlement| {
            found.answer.source = None;
            found
        };
        let expected: Vec<_> = expected.into_iter().map(without_origin).collect();
        let found: Vec<_> = found.into_iter().map(without_origin).collect();
        assert_eq!(found, expected, "{filter:?}");
        let others = Filter { subjects: Some(vec!["nobody".to_owned()]), ..filter.clone() };
        assert_eq!(slice.find(&others, &listing).unwrap(), []);
        let everybody = Filter { subjects: None, ..filter };
        assert_eq!(slice.find(&everybody, &listing).unwrap().len(), found.len());
        listed += found.len();
    }
    assert!(listed > 300, "{listed}");
    let id = &world.subjects[0].id;
    let slice = open(&world.gate.slice(id).unwrap(), id).unwrap();
    let clock = Clock::At(now().plus_millis(30 * 24 * HOUR));
    let listing = Listing { clock, ..listing(now(), 1) };
    let over = Filter { over: true, ..Filter::default() };
    assert_eq!(code(slice.find(&over, &listing)), "dead-snapshot");
}

#[test]
fn nothing_is_stated_and_all_is_found() {
    let world = World::new(1);
    let entitlements: usize = world.subjects.iter().map(|given| given.entitlements.len()).sum();
    assert_eq!(found(&world.gate, &Filter::default(), listing(now(), 7)).len(), entitlements);
    let nobody = Filter { subjects: Some(Vec::new()), ..Filter::default() };
    assert_eq!(found(&world.gate, &nobody, listing(now(), 7)), []);
}

#[test]
fn a_subject_is_listed_once_whatever_it_is_called() {
    let world = World::new(1);
    let names = ["third@acme.test", "customer-000003", "third@acme.test", "nobody"];
    let subjects = Some(names.map(str::to_owned).to_vec());
    let found = found(&world.gate, &Filter { subjects, ..Filter::default() }, listing(now(), 3));
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|found| found.subject == "customer-000003"));
}

#[test]
fn a_token_leads_on_in_its_own_snapshot_alone() {
    let one = gate(&encode_planned(30, Own::Usage), 1);
    let listing = listing(now(), 4);
    let part = one.find(&Filter::default(), &listing).unwrap();
    let token = part.next.unwrap();
    let on = |gate: &Gate, after| gate.find(&Filter::default(), &Listing { after, ..listing });
    assert_eq!(on(&one, Some(&token)).unwrap().items.len(), 4);
    // The same body under a newer head is the same list.
    let renewed = gate(&encode_planned(30, Own::Usage), 2);
    assert_eq!(on(&renewed, Some(&token)).unwrap().items.len(), 4);
    let other = gate(&encode_planned(31, Own::Usage), 2);
    assert_eq!(code(on(&other, Some(&token))), "token-outdated");
    let mut other = other;
    let after = Some(token.as_str());
    let entitled = other.subjects_entitled_to("feature_1", false, &Listing { after, ..listing });
    assert_eq!(code(entitled), "token-outdated");
    let (long, odd) = (format!("{token}0"), token.replace(&token[..1], "ü"));
    for bad in ["", "0", &token[1..], &long, &odd] {
        assert_eq!(code(on(&one, Some(bad))), "token-malformed", "{bad}");
    }
    // Whoever makes up a place gets at most the end of the list.
    let beyond = format!("{}ffffffffffffffff", &token[..16]);
    assert_eq!(on(&one, Some(&beyond)).unwrap(), Listed { items: Vec::new(), next: None });
}

#[test]
fn limits_are_held() {
    let gate = gate(&encode_planned(30, Own::Usage), 1);
    for (limit, expected) in [(0, "list-limit"), (1, ""), (1000, ""), (1001, "list-limit")] {
        assert_eq!(code(gate.find(&Filter::default(), &listing(now(), limit))), expected);
    }
    let many = || Some(vec!["name".to_owned(); 1001]);
    let filters = [
        Filter { subjects: many(), ..Filter::default() },
        Filter { features: many(), ..Filter::default() },
        Filter { grants: many(), ..Filter::default() },
    ];
    for filter in filters {
        assert_eq!(code(gate.find(&filter, &listing(now(), 10))), "list-limit");
    }
}

#[test]
fn a_long_way_without_a_find_is_interrupted() {
    let subjects = planned_subjects(7_000, Own::Usage);
    let gate = gate(&encode(&settings(), &features(11), subjects).unwrap(), 1);
    let features = Some(vec!["feature_10".to_owned()]);
    let filter = Filter { features, ..Filter::default() };
    let first = gate.find(&filter, &listing(now(), 10)).unwrap();
    assert_eq!((first.items.len(), first.next.is_some()), (0, true));
    assert_eq!(found(&gate, &filter, listing(now(), 10)), []);
    let one = Filter { features: Some(vec!["feature_1".to_owned()]), ..filter };
    assert_eq!(found(&gate, &one, listing(now(), 1000)).len(), 7_000);
}

#[test]
fn a_feature_that_nobody_knows_is_not_looked_for() {
    let mut gate = gate(&encode_planned(7_000, Own::Usage), 1);
    let nothing = Listed { items: Vec::new(), next: None };
    let listing = listing(now(), 10);
    assert_eq!(gate.subjects_entitled_to("feature_99", false, &listing).unwrap(), nothing);
    for keys in [vec!["feature_99", "what"], vec![]] {
        let features = Some(keys.into_iter().map(str::to_owned).collect());
        let filter = Filter { features, ..Filter::default() };
        assert_eq!(gate.find(&filter, &listing).unwrap().next, None);
    }
    let one = Some(vec!["feature_99".to_owned(), "feature_1".to_owned()]);
    let filter = Filter { features: one, ..Filter::default() };
    assert_eq!(gate.find(&filter, &listing).unwrap().items.len(), 10);
}

#[test]
fn a_gate_of_pages_lists_only_who_is_named() {
    let encoded = encode(&settings(), &features(11), bulky_subjects(3_000)).unwrap();
    let mut paged = Paged::new(&encoded, usize::MAX);
    let listing = listing(now(), 100);
    assert_eq!(code(paged.gate.find(&Filter::default(), &listing)), "not-whole");
    assert_eq!(code(paged.gate.subjects_entitled_to("feature_1", false, &listing)), "not-whole");
    let subjects = Some(vec!["customer-000005".to_owned()]);
    let filter = Filter { subjects, ..Filter::default() };
    assert_eq!(code(paged.gate.find(&filter, &listing)), "not-resident");
    paged.reside("customer-000005");
    assert_eq!(paged.gate.find(&filter, &listing).unwrap().items.len(), 11);
    assert_eq!(code(paged.gate.find(&Filter::default(), &listing)), "not-whole");
}

#[test]
fn without_a_snapshot_nothing_is_listed() {
    let mut gate = Gate::new(Options { ..options(&[key(1)], 1) });
    assert_eq!(code(gate.find(&Filter::default(), &listing(now(), 1))), "no-snapshot");
    let entitled = gate.subjects_entitled_to("feature_1", false, &listing(now(), 1));
    assert_eq!(code(entitled), "no-snapshot");
}

#[test]
fn a_dead_snapshot_gives_access_to_nobody() {
    let encoded = encode_planned(3, Own::Usage);
    let mut gate = gate(&encoded, 1);
    let clock = Clock::At(head(&encoded, 1).dead_at.plus_millis(HOUR));
    let listing = Listing { clock, at: None, limit: 100, after: None };
    let listed = gate.find(&Filter::default(), &listing).unwrap();
    assert_eq!(listed.items.len(), 30);
    assert!(listed.items.iter().all(|found| found.answer.reason == Reason::DeadSnapshot));
    let over = Filter { over: true, ..Filter::default() };
    assert_eq!(code(gate.find(&over, &listing)), "dead-snapshot");
    assert_eq!(gate.subjects_entitled_to("feature_1", true, &listing).unwrap().items.len(), 0);
    assert_eq!(gate.subjects_entitled_to("feature_1", false, &listing).unwrap().items.len(), 3);
}

#[test]
fn who_is_entitled_is_who_a_list_of_the_feature_names() {
    for seed in 0..3 {
        let mut world = World::new(seed);
        for (number, access_only) in (0..14).flat_map(|number| [(number, false), (number, true)]) {
            let feature = format!("feature_{number}");
            let access = access_only.then_some(true);
            let features = Some(vec![feature.clone()]);
            let filter = Filter { features, access, ..Filter::default() };
            let naive: Vec<_> =
                world.naive(&filter, now()).into_iter().map(|(subject, _, _)| subject).collect();
            for limit in [1, 9, 1000] {
                let listing = listing(now(), limit);
                let gate = &mut world.gate;
                let part = |after: Option<&str>| {
                    let listing = Listing { after, ..listing };
                    gate.subjects_entitled_to(&feature, access_only, &listing).unwrap()
                };
                assert_eq!(all(part, limit), naive, "{feature}");
            }
            assert_eq!(naive.is_empty(), number > 11, "{feature}");
        }
    }
}

#[test]
fn an_index_goes_with_its_snapshot() {
    let mut gate = gate(&encode_planned(30, Own::Usage), 1);
    let listing = listing(now(), 1000);
    let entitled = |gate: &mut Gate| {
        gate.subjects_entitled_to("feature_1", false, &listing).unwrap().items.len()
    };
    assert_eq!(entitled(&mut gate), 30);
    let more = encode_planned(50, Own::Usage);
    let head = edgegrant::trust::sign(&head(&more, 2), &[key(1)]).unwrap();
    gate.offer(&head, Clock::Untrusted, edgegrant::gate::Origin::Network).unwrap();
    assert_eq!(entitled(&mut gate), 30);
    gate.accept(more.pack()).unwrap();
    assert_eq!(entitled(&mut gate), 50);
}

#[test]
fn an_index_takes_two_bytes_a_subject_and_four_a_page() {
    let encoded = encode_planned(5_000, Own::Usage);
    let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    let feature = body.catalogue().feature("feature_3").unwrap();
    let pages = usize::try_from(body.pages()).unwrap();
    assert_eq!(body.holders(&feature).unwrap().bytes(), 5_000 * 2 + pages * 4);
    assert!(pages > 16, "{pages}");
}
