//! Pages behind a right digest: as bytes, and put together from parts so that tables, pepper and
//! places are right and the fields are met.

use edgegrant::snapshot::{Body, cut};

use super::with_mode;
use crate::input::Input;
use crate::signed::signed_head;
use crate::support::assemble::{Parts, items, place};
use crate::support::independent::pack;
use crate::support::{SEED, usage_as_of};
use crate::world::{PLANNED, SMALL, World};
use crate::{ask, capped};

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (flag, world) in [(0, &SMALL), (2, &PLANNED)] {
        let page = &world.encoded.pages[0].bytes;
        seeds.push(with_mode(flag, page));
        let mut parts = vec![flag + 1];
        for (kind, items) in (0_u8..).zip(items(page)) {
            for item in items {
                parts.push(kind);
                parts.extend_from_slice(&(item.len() as u16).to_le_bytes());
                parts.extend_from_slice(&item);
            }
        }
        seeds.push(parts);
    }
    seeds
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mode = input.byte();
    let world: &World = if mode & 2 == 0 { &SMALL } else { &PLANNED };
    let page = if mode & 1 == 0 { input.0.to_vec() } else { assembled(input, world) };
    // What is shorter has no digest; packs bring such pages.
    if page.len() < 32 {
        return;
    }
    let (pack, roots) = pack(&world.encoded.catalogue.bytes, &[page]);
    let length = pack.len();
    let opened = capped::reading(length, || {
        let body = Body::open(pack, &roots, usage_as_of())?;
        ask::every_page(&body).map(|()| body)
    });
    let Ok(body) = opened else { return };
    let records = ask::body(&body);
    let again = ask::again(&world.features, &records);
    for alias in body.aliases() {
        let (alias, target) = alias.unwrap();
        let led = body.subject(alias).unwrap();
        assert!(led.is_none_or(|subject| subject.id() == target));
    }
    // The page may not commit to its subjects, but the one that was written again does.
    if let (Some(record), Some((again, copy))) = (records.first(), again) {
        let subject = copy.subject(&record.id).unwrap().unwrap();
        let slice = cut(&copy, &subject, &signed_head(&again.roots, 1)).unwrap();
        super::slice::assert_says(&slice, record);
    }
    if body.verify().is_ok() {
        assert_eq!(records, sorted(world), "only what is counted and committed to");
    }
}

/// Everything of a world, as `ask::body` gives it.
fn sorted(world: &World) -> Vec<edgegrant::snapshot::SubjectRecord> {
    let mut records = world.subjects.clone();
    records.iter_mut().for_each(ask::by_feature);
    records.iter_mut().for_each(|record| record.aliases.clear());
    records.sort_by(|one, other| one.id.cmp(&other.id));
    records
}

/// A list of items, each behind its kind and length.
fn assembled(mut input: Input<'_>, world: &World) -> Vec<u8> {
    let hash = |feature: &edgegrant::snapshot::FeatureRecord| place(&SEED, feature.key.as_bytes());
    let features = world.features.iter().map(hash).collect();
    let mut parts = Parts { features, ..Parts::default() };
    while !input.is_empty() {
        let kind = input.byte();
        let length = usize::from(input.u16());
        let item = input.take(length);
        match kind % 4 {
            0 => parts.configs.push(item),
            1 => parts.shapes.push(item),
            2 => parts.plans.push(item),
            _ => parts.records.push(item),
        }
    }
    parts.page(&SEED, 0, 0)
}
