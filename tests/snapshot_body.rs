//! Whatever happens to a gate, it answers as one that was opened just now from the snapshot that is
//! present: all of it at once, or nothing.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use std::rc::Rc;

use edgegrant::snapshot::Roots;
use edgegrant::trust::{Head, sign};
use snapshot_support::random::Random;
use snapshot_support::signed::{AUDIENCE, HOUR, key};
use snapshot_support::tenant::{Made, Tenant};
use snapshot_support::tried::{Published, Tried};
use snapshot_support::usage_as_of;

const STEPS: u64 = 120;
/// From nothing beside what is asked for to everything.
const RESIDENT_BYTES_MAX: [usize; 4] = [1, 24_000, 60_000, 1 << 20];

fn published(body: Rc<Made>, version: u64) -> Published {
    let issued_at = usage_as_of().plus_millis(version as i64 * 60_000);
    let Roots { root, catalogue, pack_length } = body.roots;
    let head = Head {
        audience: AUDIENCE.to_owned(),
        version,
        issued_at,
        stale_after: issued_at.plus_millis(120_000),
        expires_at: issued_at.plus_millis(24 * HOUR),
        dead_at: issued_at.plus_millis(7 * 24 * HOUR),
        usage_as_of: issued_at,
        root: root.0,
        catalogue: catalogue.0,
        pack_length,
        // Whatever is gone is meant to be.
        shrunk_at_version: version,
    };
    Published::new(version, sign(&head, &[key(1)]).unwrap(), body)
}

/// What happens between two publishes to each of the gates.
fn holds(seed: u64) -> Result<(), String> {
    let random = &mut Random(seed);
    let mut tenant = Tenant::new(random);
    let mut history = vec![published(Rc::new(tenant.body()), 1)];
    let resident_bytes_max = RESIDENT_BYTES_MAX[random.below(4) as usize];
    let mut gates = [Tried::new(None), Tried::new(Some(resident_bytes_max))];
    for step in 0..STEPS {
        if random.chance(8) {
            (0..random.below(4)).for_each(|_| tenant.change(random));
            if random.chance(30) {
                tenant.undeclare();
            }
            history.push(published(Rc::new(tenant.body()), history.len() as u64 + 1));
        }
        for (gate, tried) in gates.iter_mut().enumerate() {
            let stepped = tried.step(&history, random);
            stepped
                .map_err(|failure| format!("seed {seed}, step {step}, gate {gate}: {failure}"))?;
        }
    }
    while history.last().is_some_and(|latest| latest.body.nonsense) {
        tenant.change(random);
        history.push(published(Rc::new(tenant.body()), history.len() as u64 + 1));
    }
    let latest = history.last().ok_or("nothing was published")?;
    let finished = gates.iter_mut().try_for_each(|tried| tried.finish(latest));
    finished.map_err(|failure| format!("seed {seed}, in the end: {failure}"))
}

#[test]
fn a_gate_answers_as_one_opened_just_now_whatever_happens_to_it() {
    let setting = |name| std::env::var(name).ok().map(|text: String| text.parse::<u64>().unwrap());
    let first = setting("EDGEGRANT_SEED").unwrap_or(1);
    let count = setting("EDGEGRANT_PROPERTIES").unwrap_or(40);
    let failures: Vec<_> = (first..first + count).filter_map(|seed| holds(seed).err()).collect();
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}
